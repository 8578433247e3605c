#include "stores/embedded/hnsw_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail_point.hpp"

namespace bb5::embedded {
namespace {

constexpr std::array<char, 8> magic{'B', 'B', '5', 'H', 'N', 'S', 'W', '\0'};
constexpr std::uint32_t format_version = 1;
constexpr std::size_t header_bytes = 4096;

/// The first page. Behind it the levels' records, the lowest level first.
struct Header {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t m = 0;
  std::uint32_t ef_construction = 0;
  std::uint32_t levels = 0;
  std::uint64_t generation = 0;  // of the codes
  std::array<std::uint32_t, HnswLayout::most_levels> nodes{};
  std::uint64_t checksum = 0;  // of the above
};

std::uint64_t checksum_of(const Header& header) {
  std::array<std::uint64_t, offsetof(Header, checksum) / sizeof(std::uint64_t)> words{};
  std::memcpy(words.data(), &header, sizeof words);
  std::uint64_t hash = 1;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

std::size_t bytes_of(const HnswLevel& level) {
  return std::size_t{level.nodes} * level.layout.stride * sizeof(std::uint32_t);
}

class OpenFile {
 public:
  explicit OpenFile(int handle) : handle_(handle) {}
  ~OpenFile() {
    if (handle_ >= 0) ::close(handle_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int handle() const { return handle_; }
  [[nodiscard]] bool is_open() const { return handle_ >= 0; }

 private:
  int handle_;
};

bool write_all(int file, const void* bytes, std::size_t length) {
  const char* from = static_cast<const char*>(bytes);
  while (length > 0) {
    const ssize_t written = ::write(file, from, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    from += written;
    length -= static_cast<std::size_t>(written);
  }
  return true;
}

bool write_graph(int file, const HnswGraph& graph, std::uint64_t generation) {
  Header header{.magic = magic,
                .version = format_version,
                .m = graph.shape.m,
                .ef_construction = graph.shape.ef_construction,
                .levels = static_cast<std::uint32_t>(graph.levels.size()),
                .generation = generation};
  for (std::size_t i = 0; i < graph.levels.size(); ++i) header.nodes[i] = graph.levels[i].nodes;
  header.checksum = checksum_of(header);
  std::array<char, header_bytes> page{};
  std::memcpy(page.data(), &header, sizeof header);
  if (!write_all(file, page.data(), page.size())) return false;
  return std::all_of(graph.levels.begin(), graph.levels.end(), [&](const HnswLevel& level) {
    return write_all(file, level.words, bytes_of(level));
  });
}

}  // namespace

struct HnswFile::Mapping final : RecordChecks {
  Mapping(const char* mapped, std::size_t bytes, const struct stat& info)
      : base(mapped), length(bytes), device(info.st_dev), inode(info.st_ino) {}
  ~Mapping() override { ::munmap(const_cast<char*>(base), length); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// False: no graph, or not the whole of one.
  bool read_header() {
    Header header;
    std::memcpy(&header, base, sizeof header);
    if (header.magic != magic || header.version != format_version ||
        header.checksum != checksum_of(header) || header.levels == 0 ||
        header.levels > HnswLayout::most_levels || header.m < 2) {
      return false;
    }
    generation = header.generation;
    graph.shape = {.m = header.m, .ef_construction = header.ef_construction};
    std::size_t at = header_bytes;
    std::size_t first = 0;
    for (std::size_t number = 0; number < header.levels; ++number) {
      HnswLevel level{HnswLayout(header.m, number),
                      reinterpret_cast<const std::uint32_t*>(base + at), header.nodes[number]};
      at += bytes_of(level);
      if (level.nodes == 0 || at > length) return false;
      graph.levels.push_back(level);
      first_record.push_back(first);
      first += level.nodes;
    }
    sound = std::vector<std::atomic<std::uint64_t>>(first / 64 + 1);
    return true;
  }

  [[nodiscard]] bool is_sound(std::size_t number, std::uint32_t node) const override {
    const std::size_t record = first_record[number] + node;
    const std::uint64_t bit = std::uint64_t{1} << (record % 64);
    if ((sound[record / 64].load(std::memory_order_relaxed) & bit) != 0) return true;
    const HnswLevel& level = graph.levels[number];
    const std::uint32_t* words = level.record(node);
    if (words[1] > level.layout.capacity || words[0] != check_of_record(level, node)) return false;
    sound[record / 64].fetch_or(bit, std::memory_order_relaxed);
    return true;
  }

  const char* base;
  std::size_t length;
  dev_t device;
  ino_t inode;
  std::uint64_t generation = 0;
  HnswGraph graph;
  std::vector<std::size_t> first_record;                  // by level
  mutable std::vector<std::atomic<std::uint64_t>> sound;  // a bit a record: its check was right
};

const HnswGraph& HnswFile::View::graph() const {
  return mapping_->graph;
}
const RecordChecks& HnswFile::View::checks() const {
  return *mapping_;
}
std::size_t HnswFile::View::bytes() const {
  return mapping_->length;
}

bool HnswFile::View::verify() const {
  for (std::size_t number = 0; number < graph().levels.size(); ++number) {
    for (std::uint32_t node = 0; node < graph().levels[number].nodes; ++node) {
      if (!mapping_->is_sound(number, node)) return false;
    }
  }
  return true;
}

std::shared_ptr<const HnswFile::Mapping> HnswFile::open_mapping() const {
  const OpenFile file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.is_open() || ::fstat(file.handle(), &info) != 0 ||
      info.st_size < static_cast<off_t>(header_bytes)) {
    return nullptr;
  }
  const auto length = static_cast<std::size_t>(info.st_size);
  void* base = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.handle(), 0);
  if (base == MAP_FAILED) return nullptr;
  auto mapping = std::make_shared<Mapping>(static_cast<const char*>(base), length, info);
  return mapping->read_header() ? mapping : nullptr;
}

std::optional<HnswFile::View> HnswFile::view(const CodesView& codes) {
  const std::lock_guard lock(mutex_);
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) {
    current_.reset();
    return std::nullopt;
  }
  // A file that became shorter under its mapping must not be read.
  if (current_ == nullptr || current_->inode != info.st_ino || current_->device != info.st_dev ||
      current_->length != static_cast<std::size_t>(info.st_size)) {
    current_ = open_mapping();
    if (current_ == nullptr) return std::nullopt;
  }
  if (current_->generation != codes.generation() || current_->graph.rows() > codes.count())
    return std::nullopt;
  View view;
  view.mapping_ = current_;
  return view;
}

bool HnswFile::write(const HnswGraph& graph, const CodesView& codes) {
  constexpr mode_t owner_only = 0600;
  std::filesystem::path fresh = path_;
  fresh += "-new";
  bool good = false;
  {
    const OpenFile file(
        ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, owner_only));
    good = file.is_open() && write_graph(file.handle(), graph, codes.generation()) &&
           ::fsync(file.handle()) == 0;
  }
  fail_point("index.written");
  if (good && ::rename(fresh.c_str(), path_.c_str()) == 0) return true;
  ::unlink(fresh.c_str());
  return false;
}

void HnswFile::remove(const View* damaged) {
  const std::lock_guard lock(mutex_);
  struct stat info {};
  if (damaged != nullptr &&
      (::stat(path_.c_str(), &info) != 0 || info.st_ino != damaged->mapping_->inode ||
       info.st_dev != damaged->mapping_->device)) {
    return;
  }
  ::unlink(path_.c_str());
  current_.reset();
}

}  // namespace bb5::embedded
