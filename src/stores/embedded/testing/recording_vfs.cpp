#include "stores/embedded/testing/recording_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include <sqlite3.h>

namespace bb5::embedded {
namespace {

struct State {
  std::mutex mutex;
  std::vector<RecordingVfs::Event> events;  // guarded by mutex
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs wrapper{};
};
State* state = nullptr;

void record(RecordingVfs::Event event) {
  const std::lock_guard lock(state->mutex);
  state->events.push_back(std::move(event));
}

/// A file of ours: the methods, then the real file behind.
struct File {
  sqlite3_file base{};
  sqlite3_file* real = nullptr;
  const char* name = nullptr;
};

File& ours(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return ours(file).real;
}
const sqlite3_io_methods& methods(sqlite3_file* file) {
  return *real(file)->pMethods;
}
std::string name_of(sqlite3_file* file) {
  return ours(file).name == nullptr ? std::string() : std::string(ours(file).name);
}

int on_close(sqlite3_file* file) {
  return methods(file).xClose(real(file));
}
int on_read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  return methods(file).xRead(real(file), bytes, count, offset);
}
int on_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (!name_of(file).empty()) {
    record({RecordingVfs::Event::Kind::write, name_of(file), offset,
            std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(count))});
  }
  return methods(file).xWrite(real(file), bytes, count, offset);
}
int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!name_of(file).empty())
    record({RecordingVfs::Event::Kind::truncate, name_of(file), size, {}});
  return methods(file).xTruncate(real(file), size);
}
int on_sync(sqlite3_file* file, int flags) {
  const int code = methods(file).xSync(real(file), flags);
  if (!name_of(file).empty()) record({RecordingVfs::Event::Kind::sync, name_of(file), 0, {}});
  return code;
}
int on_file_size(sqlite3_file* file, sqlite3_int64* size) {
  return methods(file).xFileSize(real(file), size);
}
int on_lock(sqlite3_file* file, int level) {
  return methods(file).xLock(real(file), level);
}
int on_unlock(sqlite3_file* file, int level) {
  return methods(file).xUnlock(real(file), level);
}
int on_check_lock(sqlite3_file* file, int* held) {
  return methods(file).xCheckReservedLock(real(file), held);
}
int on_control(sqlite3_file* file, int operation, void* argument) {
  return methods(file).xFileControl(real(file), operation, argument);
}
int on_sector_size(sqlite3_file* file) {
  return methods(file).xSectorSize(real(file));
}
// Nothing that this disk does is atomic or in order.
int on_characteristics(sqlite3_file* file) {
  return methods(file).xDeviceCharacteristics(real(file)) & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}
int on_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return methods(file).xShmMap(real(file), page, size, extend, memory);
}
int on_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return methods(file).xShmLock(real(file), offset, count, flags);
}
void on_shm_barrier(sqlite3_file* file) {
  methods(file).xShmBarrier(real(file));
}
int on_shm_unmap(sqlite3_file* file, int remove) {
  return methods(file).xShmUnmap(real(file), remove);
}
int on_fetch(sqlite3_file* file, sqlite3_int64 offset, int count, void** memory) {
  return methods(file).xFetch(real(file), offset, count, memory);
}
int on_unfetch(sqlite3_file* file, sqlite3_int64 offset, void* memory) {
  return methods(file).xUnfetch(real(file), offset, memory);
}

const sqlite3_io_methods our_methods{3,
                                     on_close,
                                     on_read,
                                     on_write,
                                     on_truncate,
                                     on_sync,
                                     on_file_size,
                                     on_lock,
                                     on_unlock,
                                     on_check_lock,
                                     on_control,
                                     on_sector_size,
                                     on_characteristics,
                                     on_shm_map,
                                     on_shm_lock,
                                     on_shm_barrier,
                                     on_shm_unmap,
                                     on_fetch,
                                     on_unfetch};

int on_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* opened = new (file) File;
  opened->real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
  const bool temporary =
      (flags & (SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_TRANSIENT_DB)) != 0;
  opened->name = temporary ? nullptr : name;
  opened->real->pMethods = nullptr;
  const int code = state->real->xOpen(state->real, name, opened->real, flags, out_flags);
  if (opened->real->pMethods != nullptr) opened->base.pMethods = &our_methods;
  return code;
}

int on_delete(sqlite3_vfs*, const char* name, int sync_folder) {
  record({RecordingVfs::Event::Kind::remove, name, 0, {}});
  return state->real->xDelete(state->real, name, sync_folder);
}

/// One file of the disk while it is put together.
struct Disk {
  std::string synced;                             // on the platters
  std::vector<const RecordingVfs::Event*> since;  // perhaps there, perhaps not
};

constexpr std::size_t sector = 512;

void apply_write(std::string& content, std::size_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

void apply(std::string& content, const RecordingVfs::Event& event) {
  const auto offset = static_cast<std::size_t>(event.offset);
  if (event.kind == RecordingVfs::Event::Kind::truncate) {
    content.resize(std::min(content.size(), offset));
  } else {
    apply_write(content, offset, event.bytes);
  }
}

void apply_in_part(std::string& content, const RecordingVfs::Event& event,
                   std::mt19937_64& random) {
  if (event.kind == RecordingVfs::Event::Kind::truncate) {
    if (random() % 2 == 0) apply(content, event);
    return;
  }
  const auto fate = random() % 4;  // whole, gone, or torn
  if (fate == 0) return apply(content, event);
  if (fate == 1) return;
  for (std::size_t at = 0; at < event.bytes.size();) {
    const std::size_t offset = static_cast<std::size_t>(event.offset) + at;
    const std::size_t length = std::min(sector - offset % sector, event.bytes.size() - at);
    if (random() % 2 == 0)
      apply_write(content, offset, std::string_view(event.bytes).substr(at, length));
    at += length;
  }
}

}  // namespace

RecordingVfs::RecordingVfs() {
  state = new State;
  state->real = sqlite3_vfs_find(nullptr);
  state->wrapper = *state->real;
  state->wrapper.zName = "recording";
  state->wrapper.pNext = nullptr;
  state->wrapper.szOsFile = static_cast<int>(sizeof(File)) + state->real->szOsFile;
  state->wrapper.xOpen = on_open;
  state->wrapper.xDelete = on_delete;
  sqlite3_vfs_register(&state->wrapper, 1);
}

RecordingVfs::~RecordingVfs() {
  sqlite3_vfs_register(state->real, 1);
  sqlite3_vfs_unregister(&state->wrapper);
  delete state;
  state = nullptr;
}

std::size_t RecordingVfs::position() const {
  const std::lock_guard lock(state->mutex);
  return state->events.size();
}

std::map<std::string, std::string> RecordingVfs::after_power_cut(std::size_t position,
                                                                 std::mt19937_64& random) const {
  const std::lock_guard lock(state->mutex);
  std::map<std::string, Disk> disks;
  for (std::size_t i = 0; i < position; ++i) {
    const Event& event = state->events[i];
    Disk& disk = disks[event.file];
    switch (event.kind) {
      case Event::Kind::write:
      case Event::Kind::truncate:
        disk.since.push_back(&event);
        break;
      case Event::Kind::sync:
        for (const Event* earlier : disk.since) apply(disk.synced, *earlier);
        disk.since.clear();
        break;
      case Event::Kind::remove:
        disks.erase(event.file);
        break;
    }
  }
  std::map<std::string, std::string> files;
  for (auto& [name, disk] : disks) {
    std::string content = std::move(disk.synced);
    for (const Event* event : disk.since) apply_in_part(content, *event, random);
    files.emplace(name, std::move(content));
  }
  return files;
}

}  // namespace bb5::embedded
