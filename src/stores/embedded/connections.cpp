#include "stores/embedded/connections.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/graph_fold_rows.hpp"
#include "stores/embedded/schema.hpp"

namespace bb5::embedded {
namespace {

Error cannot_create(const std::filesystem::path& file, int error) {
  const std::string name = file.string();
  std::string detail = std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {Errc::not_found, fmt::format("the folder of {} does not exist", name),
              "make it, or name another", std::move(detail)};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Errc::refused, fmt::format("{} cannot be made", name),
              "check the rights of its folder", std::move(detail)};
    case ENOSPC:
    case EDQUOT:
      return {Errc::out_of_space, fmt::format("no space left for {}", name), {}, std::move(detail)};
    default:
      return {
          Errc::invalid_argument, fmt::format("{} cannot be made: {}", name, detail), {}, detail};
  }
}

/// The name of a new file is durable only when its folder has been synced.
void sync_folder_of(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  ::fsync(handle);
  ::close(handle);
}

/// Sees to it that a regular file is there. SQLite gives its side files the same mode.
Result<> require_file(const EmbeddedOptions& options) {
  struct stat info {};
  if (::stat(options.file.c_str(), &info) == 0) {
    if (S_ISREG(info.st_mode)) return ok();
    return Error{Errc::invalid_argument,
                 fmt::format("{} is not a regular file", options.file.string())};
  }
  if (errno != ENOENT) return cannot_create(options.file, errno);
  if (!options.create) {
    return Error{Errc::not_found, fmt::format("{} does not exist", options.file.string()),
                 "check the path, or make a new store: bb5-memory init"};
  }
  constexpr mode_t owner_only = 0600;
  const int handle = ::open(options.file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, owner_only);
  if (handle < 0) return cannot_create(options.file, errno);
  ::close(handle);
  sync_folder_of(options.file);
  return ok();
}

// FULL: a commit is on disk before it is acknowledged. Reading maps the file, so that vectors are
// not copied into every connection's cache.
Result<> configure(Connection& connection, bool for_writing) {
  // The file is not mapped: what a migration reads back would count as its resident memory, all of
  // a large bank (1.6 GiB for 100,000 x 1536), and a search is not slower without.
  if (!for_writing) {
    BB5_TRY(add_filter_functions(connection));
    return connection.script(
        "PRAGMA cache_size = -2048; PRAGMA mmap_size = 0; PRAGMA query_only = ON");
  }
  BB5_TRY(connection.script(
      "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA mmap_size = 0; "
      "PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 2000"));
  return prepare_fold(connection);
}

}  // namespace

Connections::Reader::~Reader() {
  if (connection_ != nullptr) pool_->take_back(std::move(connection_));
}

Result<std::unique_ptr<Connections>> Connections::open(const EmbeddedOptions& options) {
  BB5_TRY(require_file(options));
  std::unique_ptr<Connections> pool(new Connections(options));
  auto first =
      Connection::open(options.file, options.read_only ? OpenMode::read_only : OpenMode::read_write,
                       options.busy_timeout);
  if (!first) return std::move(first).error();
  auto state = inspect_file(**first);
  if (!state) return std::move(state).error();
  if (*state == FileState::empty) {
    if (!options.create || options.read_only) {
      return Error{Errc::not_found,
                   fmt::format("{} is empty: no store was made in it yet", options.file.string()),
                   "make one: bb5-memory init"};
    }
    BB5_TRY(create_schema(**first));
  }
  if (!options.read_only) BB5_TRY(require_wal(**first, options.busy_timeout));
  BB5_TRY(configure(**first, false));
  pool->readers_ = 1;
  pool->take_back(std::move(*first));
  return pool;
}

Result<std::unique_ptr<Connection>> Connections::connect(bool for_writing) const {
  auto connection = Connection::open(
      options_.file, options_.read_only ? OpenMode::read_only : OpenMode::read_write,
      options_.busy_timeout);
  if (!connection) return std::move(connection).error();
  BB5_TRY(configure(**connection, for_writing));
  return connection;
}

Result<Connections::Reader> Connections::reader() {
  {
    std::unique_lock lock(readers_mutex_);
    reader_returned_.wait(lock, [&] { return !idle_readers_.empty() || readers_ < most_readers; });
    if (!idle_readers_.empty()) {
      auto connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return Reader(*this, std::move(connection));
    }
    ++readers_;
  }
  auto connection = connect(false);
  if (!connection) {
    take_back(nullptr);
    return std::move(connection).error();
  }
  return Reader(*this, std::move(*connection));
}

void Connections::take_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(readers_mutex_);
    if (connection == nullptr) {
      --readers_;
    } else {
      idle_readers_.push_back(std::move(connection));
    }
  }
  reader_returned_.notify_one();
}

Result<Connections::Writer> Connections::writer() {
  if (options_.read_only) {
    return Error{Errc::refused,
                 fmt::format("{} was opened for reading only", options_.file.string())};
  }
  std::unique_lock lock(writer_mutex_);
  if (writer_ == nullptr) {
    auto connection = connect(true);
    if (!connection) return std::move(connection).error();
    writer_ = std::move(*connection);
  }
  return Writer(std::move(lock), *writer_);
}

}  // namespace bb5::embedded
