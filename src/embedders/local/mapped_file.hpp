#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace bb5::local {

/// A file's bytes, read-only, in pages that all processes share. They stay as they were when a new
/// file takes the old one's name; whoever shortens the file itself takes the process down with it.
/// Safe to read from several threads at once.
class MappedFile {
 public:
  /// Errors: not_found, refused, unavailable.
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

}  // namespace bb5::local
