#include "operations/migrate/manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/file_error.hpp"

namespace bb5 {
namespace {

namespace fs = std::filesystem;

/// Closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// With what a person can do about a backup that does not fit; for a call that has just failed.
Error backup_error(const char* verb, const fs::path& path) {
  Error error = file_error(verb, path, errno);
  if (error.code == Errc::out_of_space) error.remedy = "free some space, or give --no-backup";
  return error;
}

Result<> write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return backup_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ok();
}

/// Creates the copy, writable until it is sealed.
Result<int> create(const fs::path& path) {
  fs::remove(path);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return backup_error("create", path);
  return descriptor;
}

Result<> seal(int descriptor, const fs::path& path) {
  if (fsync(descriptor) != 0) return backup_error("flush", path);
  if (fchmod(descriptor, 0400) != 0) return backup_error("protect", path);
  return ok();
}

std::string bytes_text(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Result<Manifest> read_manifest(const MemorySource& source, const fs::path& copy_to,
                               const BytesProgress& progress) {
  auto files = source.files();
  if (!files) return std::move(files).error();
  Manifest manifest;
  std::int64_t total = 0;
  for (const auto& file : *files) {
    std::error_code error;
    total += static_cast<std::int64_t>(fs::file_size(source.path_of(file.name), error));
  }
  if (!copy_to.empty()) {
    std::error_code error;
    fs::create_directories(copy_to, error);
    if (error)
      return Error{Errc::refused,
                   fmt::format("cannot create {}: {}", copy_to.string(), error.message())};
    fs::permissions(copy_to, fs::perms::owner_all, error);
  }

  std::vector<char> buffer(std::size_t{1} << 20);
  Sha256Stream whole;
  std::string sums;
  for (const auto& file : *files) {
    const fs::path from = source.path_of(file.name);
    const fs::path to = copy_to.empty() ? fs::path{} : copy_to / file.name;
    const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!in) return backup_error("read", from);
    int created = -1;
    if (!to.empty()) {
      auto out = create(to);
      if (!out) return std::move(out).error();
      created = *out;
    }
    const Descriptor out(created);
    Sha256Stream digest;
    LedgerFile entry{.file = file.name, .part = file.part};
    while (true) {
      const ssize_t count = ::read(in.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return backup_error("read", from);
      if (count == 0) break;
      const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
      digest.add(piece);
      if (out) BB5_TRY(write_all(out.get(), piece, to));
      entry.bytes += count;
      if (progress && !progress(manifest.bytes + entry.bytes, total))
        return Error{Errc::cancelled, "stopped while reading the source"};
    }
    if (out) BB5_TRY(seal(out.get(), to));
    const Sha256 sum = digest.finish();
    entry.sha256 = bytes_text(sum);
    sums += fmt::format("{}  {}\n", to_hex(sum), file.name);
    whole.add_field('f', file.name);
    whole.add_field('h', entry.sha256);
    manifest.bytes += entry.bytes;
    manifest.files.push_back(std::move(entry));
  }
  manifest.sha256 = bytes_text(whole.finish());
  if (!copy_to.empty()) {
    const fs::path path = copy_to / "MANIFEST.sha256";
    auto out = create(path);
    if (!out) return std::move(out).error();
    const Descriptor descriptor(*out);
    BB5_TRY(write_all(descriptor.get(), sums, path));
    BB5_TRY(seal(descriptor.get(), path));
  }
  return manifest;
}

}  // namespace bb5
