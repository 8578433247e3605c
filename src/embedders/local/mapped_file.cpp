#include "embedders/local/mapped_file.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bb5::local {
namespace {

Error failed(const std::filesystem::path& path, int code) {
  const Errc errc = code == ENOENT || code == ENOTDIR ? Errc::not_found
                    : code == EACCES || code == EPERM ? Errc::refused
                                                      : Errc::unavailable;
  return {.code = errc,
          .message = "cannot read " + path.string() + ": " + std::generic_category().message(code)};
}

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(path);
  if (file.number() < 0) return failed(path, errno);
  struct stat status {};
  if (fstat(file.number(), &status) != 0) return failed(path, errno);
  if (!S_ISREG(status.st_mode)) return failed(path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(std::string_view());
  void* at = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (at == MAP_FAILED) return failed(path, errno);
  return MappedFile(std::string_view(static_cast<const char*>(at), size));
}

MappedFile::~MappedFile() {
  // munmap takes what mmap gave, which was not const.
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace bb5::local
