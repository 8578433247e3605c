#include "sources/blackbox5/file_window.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/file_error.hpp"

namespace bb5::blackbox5 {
FileWindow::~FileWindow() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<> FileWindow::open(const std::string& path) {
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) return file_error("read", path, errno);
  posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
  return ok();
}

Result<bool> FileWindow::grow() {
  if (end_of_file_) return false;
  const std::size_t kept = end_ - begin_;
  const std::size_t wanted = std::max(kept, window_bytes_);
  if (capacity_ < kept + wanted) {
    auto larger = std::make_unique_for_overwrite<char[]>(kept + wanted);
    if (kept > 0) std::memcpy(larger.get(), buffer_.get() + begin_, kept);
    buffer_ = std::move(larger);
    capacity_ = kept + wanted;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
  }
  begin_ = 0;
  end_ = kept;
  std::size_t added = 0;
  while (added < wanted) {
    const ssize_t count = ::read(descriptor_, buffer_.get() + end_, wanted - added);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error("read", path_, errno);
    if (count == 0) {
      end_of_file_ = true;
      break;
    }
    end_ += static_cast<std::size_t>(count);
    added += static_cast<std::size_t>(count);
  }
  return added > 0;
}

void FileWindow::consume(std::size_t bytes) {
  begin_ += bytes;
  offset_ += static_cast<std::int64_t>(bytes);
}

}  // namespace bb5::blackbox5
