#include "stores/embedded/file_lock.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace bb5::embedded {

Result<std::unique_ptr<FileLock>> FileLock::take(const std::filesystem::path& file,
                                                 const std::string& what) {
  constexpr mode_t owner_only = 0600;
  const int handle = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, owner_only);
  if (handle < 0) {
    const int error = errno;
    const bool full = error == ENOSPC || error == EDQUOT;
    return Error{full ? Errc::out_of_space : Errc::refused,
                 fmt::format("{} cannot be made", file.string()),
                 full ? "free some disk space" : "check the rights of its folder",
                 std::generic_category().message(error)};
  }
  if (::flock(handle, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(handle);
    if (error == EWOULDBLOCK) {
      return Error{Errc::locked, fmt::format("{} works on this bank already", what),
                   "wait until it has ended", file.string()};
    }
    return Error{Errc::unsupported, fmt::format("{} cannot be locked", file.string()),
                 "put the bank on a local disk", std::generic_category().message(error)};
  }
  return std::unique_ptr<FileLock>(new FileLock(handle));
}

FileLock::~FileLock() {
  ::close(handle_);
}

}  // namespace bb5::embedded
