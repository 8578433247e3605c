#include "engine/open.hpp"

#include <fmt/format.h>

#include "base/environment.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"
#include "stores/embedded/embedded_bank.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "stores/neo4j/neo4j_graph.hpp"
#include "stores/postgres/postgres_bank.hpp"

namespace bb5 {
namespace {

Result<std::unique_ptr<Bank>> open_embedded(const std::string& path, const std::string& bank,
                                            bool create) {
  const auto file = bank_file(std::filesystem::path(path), bank);
  if (create) {
    const auto folder = std::filesystem::absolute(file).parent_path();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
      return Error{Errc::refused, fmt::format("cannot create the folder {}: {}", folder.string(),
                                              error.message())};
  }
  return open_embedded_bank({.file = file, .create = create});
}

/// The URL with the user of NEO4J_USER where it names none.
std::string with_user(const std::string& url) {
  const auto scheme = url.find("://");
  const std::string user = environment("NEO4J_USER");
  const auto authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  if (user.empty() || authority.find('@') != std::string::npos) return url;
  return url.substr(0, scheme + 3) + user + '@' + url.substr(scheme + 3);
}

}  // namespace

Result<std::unique_ptr<Bank>> open_bank(const Addresses& addresses, OpenMode mode) {
  BB5_TRY(check_addresses(addresses));
  const bool create = mode == OpenMode::create;
  const std::string& store = addresses.store;
  if (store == "memory:") return new_in_memory_bank();
  if (store.starts_with("embedded:")) return open_embedded(store.substr(9), addresses.bank, create);
  return open_postgres_bank({.url = store, .bank = addresses.bank, .create = create});
}

Result<std::unique_ptr<GraphProjection>> open_graph(const Addresses& addresses) {
  BB5_TRY(check_addresses(addresses));
  if (addresses.graph.empty() || addresses.graph == "none")
    return std::unique_ptr<GraphProjection>{};
  return open_neo4j_graph({.url = with_user(addresses.graph),
                           .password = environment("NEO4J_PASSWORD"),
                           .bank = addresses.bank});
}

Result<std::unique_ptr<MemorySource>> open_source(const std::string& path) {
  return open_blackbox5_source(path);
}

}  // namespace bb5
