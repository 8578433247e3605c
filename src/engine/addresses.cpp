#include "engine/addresses.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "base/environment.hpp"

namespace bb5 {
namespace {

constexpr std::string_view embedded_prefix = "embedded:";

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}
bool is_neo4j(std::string_view url) {
  return url.starts_with("neo4j+http://") || url.starts_with("neo4j+https://");
}

/// Where the password stands in `scheme://user:password@host…`; empty when there is none.
std::string_view password_in(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto rest = url.substr(scheme + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return {};
  const auto colon = authority.substr(0, at).find(':');
  return colon == std::string_view::npos ? std::string_view{}
                                         : authority.substr(colon + 1, at - colon - 1);
}

/// libpq takes a password as a parameter too.
bool has_password_parameter(std::string_view url) {
  return url.find("?password=") != url.npos || url.find("&password=") != url.npos;
}

}  // namespace

std::filesystem::path home_folder() {
  if (const std::string home = environment("BB5_HOME"); !home.empty()) return home;
  const std::string user = environment("HOME");
  return std::filesystem::path(user.empty() ? "." : user) / ".local/share/bb5-memory";
}

std::string default_store() {
  return std::string(embedded_prefix) + (home_folder() / "memories.db").string();
}

Result<> check_addresses(const Addresses& addresses) {
  const std::string& store = addresses.store;
  const bool embedded = store.starts_with(embedded_prefix) && store.size() > embedded_prefix.size();
  if (!embedded && !is_postgres(store) && store != "memory:") {
    return Error{Errc::invalid_argument,
                 fmt::format("`{}` names no store", without_password(store)),
                 "use embedded:PATH, postgresql://user@host:port/database or memory:"};
  }
  const std::string& graph = addresses.graph;
  if (!graph.empty() && graph != "none" && !is_neo4j(graph)) {
    return Error{Errc::invalid_argument,
                 fmt::format("`{}` names no graph", without_password(graph)),
                 "use neo4j+http://user@host:7474/database, neo4j+https://… or none"};
  }
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (addresses.bank.empty() || addresses.bank.size() > 40 ||
      !std::all_of(addresses.bank.begin(), addresses.bank.end(), allowed)) {
    return Error{Errc::invalid_argument, fmt::format("`{}` cannot name a bank", addresses.bank),
                 "use 1 to 40 of the characters a-z, 0-9 and _"};
  }
  return ok();
}

Result<> refuse_password_in(const std::string& url) {
  if (password_in(url).empty() && !has_password_parameter(url)) return ok();
  return Error{Errc::invalid_argument,
               "a password on the command line can be read by everyone on this machine",
               "leave it out of the URL and set PGPASSWORD or NEO4J_PASSWORD (also read: BB5_STORE "
               "BB5_GRAPH BB5_BANK BB5_CONFIG BB5_HOME "
               "OPENAI_API_KEY NEO4J_USER)"};
}

std::string without_password(const std::string& url) {
  std::string shown = url;
  if (const auto password = password_in(url); !password.empty()) {
    shown.replace(static_cast<std::size_t>(password.data() - url.data()), password.size(), "***");
  }
  for (const std::string_view key :
       {"?password=", "&password="}) {  // libpq takes the last of several
    for (auto at = shown.find(key); at != std::string::npos; at = shown.find(key, at + 1)) {
      const auto from = at + key.size();
      shown.replace(from, std::min(shown.find('&', from), shown.size()) - from, "***");
    }
  }
  return shown;
}

std::filesystem::path backup_folder(const Addresses& addresses) {
  if (addresses.store.starts_with(embedded_prefix))
    return addresses.store.substr(embedded_prefix.size()) + "-sources";
  return home_folder() / "sources";
}

}  // namespace bb5
