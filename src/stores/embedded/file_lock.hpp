#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5::embedded {

/// A lock between processes and within one: flock on a file of its own, which stays behind empty.
/// The death of the process releases it.
class FileLock final : public MigrationLock {
 public:
  /// Does not wait. what: who holds it, for the message. Errors: locked, refused, out_of_space.
  static Result<std::unique_ptr<FileLock>> take(const std::filesystem::path& file,
                                                const std::string& what);
  ~FileLock() override;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int handle) : handle_(handle) {}
  int handle_;
};

/// The file whose name is that of the database with a suffix: `demo.db-codes`.
[[nodiscard]] inline std::filesystem::path side_file(std::filesystem::path database,
                                                     const char* suffix) {
  return database += suffix;
}

}  // namespace bb5::embedded
