#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace bb5 {

/// A folder of its own for one test, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& path, std::string_view bytes);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// The seed of a property test: BB5_SEED, else a fresh one; printed, so that a failure can be
/// repeated.
[[nodiscard]] std::uint64_t test_seed();

/// Long forms of tests run under scripts/test --soak only.
[[nodiscard]] bool soak();

/// The folder of real stores and benchmark data beside the project, or an empty path where there is
/// none. Tests that need it skip then; continuous integration counts that as a failure.
[[nodiscard]] std::filesystem::path shared_data();

}  // namespace bb5
