#include "tests/support/temporary_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

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
  const char* given = std::getenv("BB5_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("BB5_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

bool soak() {
  return std::getenv("BB5_SOAK") != nullptr;
}

std::filesystem::path shared_data() {
  const char* given = std::getenv("BB5_SHARED_DATA");
  const std::filesystem::path path =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(BB5_SOURCE_DIR) / ".." / "shared" / "data";
  return std::filesystem::exists(path) ? std::filesystem::canonical(path) : std::filesystem::path{};
}

}  // namespace bb5
