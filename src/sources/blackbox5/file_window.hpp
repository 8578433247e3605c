#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace bb5::blackbox5 {

/// A file read through a window that slides forward: a gigabyte costs no more memory than its
/// largest record. Not thread-safe.
class FileWindow {
 public:
  FileWindow() = default;
  ~FileWindow();
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  Result<> open(const std::string& path);
  /// The bytes at hand, from offset() on.
  [[nodiscard]] std::string_view view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  /// Brings more bytes behind view(), at least doubling what is there; false at the end of the
  /// file.
  Result<bool> grow();
  void consume(std::size_t bytes);
  [[nodiscard]] std::int64_t offset() const {
    return offset_;
  }  ///< In the file, of view()'s first byte.
  [[nodiscard]] bool at_end_of_file() const { return end_of_file_; }

 private:
  int descriptor_ = -1;
  std::string path_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::int64_t offset_ = 0;
  bool end_of_file_ = false;
};

}  // namespace bb5::blackbox5
