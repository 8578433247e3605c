#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace bb5::blackbox5 {

/// How much a window brings at first; a record that is longer makes it grow.
inline constexpr std::size_t default_window_bytes = std::size_t{1} << 20;

/// A file read through a window that slides forward: a gigabyte costs no more memory than its
/// largest record. Not thread-safe.
class FileWindow {
 public:
  explicit FileWindow(std::size_t window_bytes = default_window_bytes)
      : window_bytes_(window_bytes) {}
  ~FileWindow();
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  Result<> open(const std::string& path);
  /// The bytes at hand, from offset() on.
  [[nodiscard]] std::string_view view() const { return {buffer_.get() + begin_, end_ - begin_}; }
  /// Brings more bytes behind view(), at least doubling what is there; false at the end of the
  /// file.
  Result<bool> grow();
  void consume(std::size_t bytes);
  [[nodiscard]] std::int64_t offset() const {
    return offset_;
  }  ///< In the file, of view()'s first byte.
  [[nodiscard]] bool at_end_of_file() const { return end_of_file_; }

 private:
  std::size_t window_bytes_;
  int descriptor_ = -1;
  std::string path_;
  std::unique_ptr<char[]> buffer_;  ///< Not cleared: only what was read is looked at.
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::int64_t offset_ = 0;
  bool end_of_file_ = false;
};

}  // namespace bb5::blackbox5
