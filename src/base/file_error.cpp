#include "base/file_error.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace bb5 {
namespace {

Errc code_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errc::out_of_space;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Errc::invalid_argument;
    case ENOENT:
      return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::refused;
    default:
      return Errc::unavailable;
  }
}

}  // namespace

Error file_error(std::string_view verb, const std::filesystem::path& path, int number) {
  return {code_of(number), fmt::format("cannot {} {}: {}", verb, path.string(),
                                       std::generic_category().message(number))};
}

}  // namespace bb5
