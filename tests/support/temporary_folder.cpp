#include "tests/support/temporary_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "base/environment.hpp"

namespace bb5 {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bb5-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::uint64_t test_seed() {
  const std::string given = environment("BB5_SEED");
  const std::uint64_t seed =
      given.empty() ? std::random_device{}() : std::strtoull(given.c_str(), nullptr, 10);
  std::printf("BB5_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

bool soak() {
  return !environment("BB5_SOAK").empty();
}

std::filesystem::path shared_data() {
  const std::string given = environment("BB5_SHARED_DATA");
  const std::filesystem::path path =
      given.empty() ? std::filesystem::path(BB5_SOURCE_DIR) / ".." / "shared" / "data"
                    : std::filesystem::path(given);
  return std::filesystem::exists(path) ? std::filesystem::canonical(path) : std::filesystem::path{};
}

}  // namespace bb5
