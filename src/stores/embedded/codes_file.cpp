#include "stores/embedded/codes_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ids.hpp"
#include "stores/embedded/cosine_kernels.hpp"
#include "stores/embedded/float_blob.hpp"

namespace bb5::embedded {
namespace {

constexpr std::array<char, 8> magic{'B', 'B', '5', 'C', 'O', 'D', 'E', 'S'};
constexpr std::uint32_t format_version = 2;
constexpr std::size_t published_at = 512;  // in the header, a disk sector of its own

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t dimension;
  std::uint64_t block_bytes;
  std::uint64_t generation;
  std::uint64_t checksum;  // of the above
};

/// How far the file counts. Written in one piece after the rows, so a kill leaves the old values;
/// after a power cut the check or the checksums of the rows tell.
struct Published {
  std::uint64_t count;
  std::int64_t covers;
  std::uint64_t check;
};

constexpr std::uint64_t odd_multiplier = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * odd_multiplier;
  return hash ^ (hash >> 29);
}

std::uint64_t check_of(const Published& published) {
  return mix(mix(odd_multiplier, published.count), static_cast<std::uint64_t>(published.covers));
}

std::uint64_t checksum_of(const Header& header) {
  std::uint64_t word = 0;
  std::memcpy(&word, header.magic.data(), sizeof word);
  const std::uint64_t shape =
      mix(mix(mix(mix(1, word), header.version), header.dimension), header.block_bytes);
  return mix(shape, header.generation);
}

/// Four chains side by side keep the multiplier busy: faster than memory.
std::uint32_t checksum_of_row(const std::int8_t* codes, std::size_t width, float factor,
                              float error, std::uint32_t label, std::int64_t vec_id,
                              std::int64_t stamp) {
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  for (std::size_t i = 0; i < width; i += sizeof lanes) {
    std::array<std::uint64_t, 4> words{};
    std::memcpy(words.data(), codes + i, sizeof words);
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      lanes[lane] = (lanes[lane] ^ words[lane]) * odd_multiplier;
      lanes[lane] ^= lanes[lane] >> 29;
    }
  }
  std::array<std::uint32_t, 2> floats{};
  std::memcpy(&floats[0], &factor, sizeof factor);
  std::memcpy(&floats[1], &error, sizeof error);
  std::uint64_t hash = label;
  for (const std::uint64_t lane : lanes) hash = mix(hash, lane);
  hash = mix(hash, std::uint64_t{floats[0]} << 32 | floats[1]);
  hash = mix(mix(hash, static_cast<std::uint64_t>(vec_id)), static_cast<std::uint64_t>(stamp));
  return static_cast<std::uint32_t>(hash >> 32);
}

bool write_all(int file, const void* bytes, std::size_t length, std::size_t offset) {
  const char* from = static_cast<const char*>(bytes);
  while (length > 0) {
    const ssize_t written = ::pwrite(file, from, length, static_cast<off_t>(offset));
    if (written <= 0) {
      if (written < 0 && errno == EINTR) continue;
      return false;
    }
    from += written;
    offset += static_cast<std::size_t>(written);
    length -= static_cast<std::size_t>(written);
  }
  return true;
}

bool publish(int file, std::size_t count, std::int64_t covers) {
  Published published{count, covers, 0};
  published.check = check_of(published);
  return write_all(file, &published, sizeof published, published_at);
}

bool write_header(int file, const CodesLayout& layout) {
  std::vector<char> page(CodesLayout::header_bytes, '\0');
  std::uint64_t generation = 0;
  const Uuid random = Uuid::random();
  std::memcpy(&generation, random.bytes.data() + 8, sizeof generation);
  Header header{magic,
                format_version,
                static_cast<std::uint32_t>(layout.dimension),
                layout.block_bytes,
                generation,
                0};
  header.checksum = checksum_of(header);
  std::memcpy(page.data(), &header, sizeof header);
  return write_all(file, page.data(), page.size(), 0) && publish(file, 0, 0);
}

class OpenFile {
 public:
  explicit OpenFile(int handle) : handle_(handle) {}
  ~OpenFile() {
    if (handle_ >= 0) ::close(handle_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int release() { return std::exchange(handle_, -1); }
  [[nodiscard]] int handle() const { return handle_; }
  [[nodiscard]] bool is_open() const { return handle_ >= 0; }

 private:
  int handle_;
};

/// Fills blocks in memory and writes each when it is full.
class BlockWriter {
 public:
  BlockWriter(int file, const CodesLayout& layout, std::size_t count)
      : file_(file),
        layout_(layout),
        block_number_(count / CodesLayout::rows_per_block),
        rows_(count % CodesLayout::rows_per_block),
        block_(layout.block_bytes, '\0') {}

  /// Takes up the rows that the last block holds already.
  bool load_last_block() {
    if (rows_ == 0) return true;
    return ::pread(file_, block_.data(), block_.size(), static_cast<off_t>(offset())) ==
           static_cast<ssize_t>(block_.size());
  }

  void add(const VectorRow& row) {
    auto* codes =
        reinterpret_cast<std::int8_t*>(block_.data() + layout_.codes_at + rows_ * layout_.width);
    copy_floats(row.embedding, vector_);
    // One of a wrong length is always looked at, and then passed over.
    CodedVector coded{.factor = 0, .error = 4};
    if (vector_.size() == layout_.dimension) coded = encode_vector(vector_, {codes, layout_.width});
    const auto label = static_cast<std::uint32_t>(row.label);
    put(layout_.factors_at, coded.factor);
    put(layout_.errors_at, coded.error);
    put(layout_.labels_at, label);
    put(layout_.vec_ids_at, row.vec_id);
    put(layout_.stamps_at, row.stamp);
    put(layout_.checksums_at, checksum_of_row(codes, layout_.width, coded.factor, coded.error,
                                              label, row.vec_id, row.stamp));
    ++rows_;
    unwritten_ = true;
    if (rows_ < CodesLayout::rows_per_block) return;
    flush();
    ++block_number_;
    rows_ = 0;
    std::fill(block_.begin(), block_.end(), '\0');
  }

  bool finish(std::int64_t covers) {
    if (unwritten_) flush();
    return good_ && publish(file_, block_number_ * CodesLayout::rows_per_block + rows_, covers);
  }

 private:
  template <class T>
  void put(std::size_t field_at, const T& value) {
    std::memcpy(block_.data() + field_at + rows_ * sizeof value, &value, sizeof value);
  }
  [[nodiscard]] std::size_t offset() const {
    return CodesLayout::header_bytes + block_number_ * layout_.block_bytes;
  }
  // Rows of this block that others read already are written again with the same bytes.
  void flush() {
    good_ = good_ && write_all(file_, block_.data(), block_.size(), offset());
    unwritten_ = false;
  }

  int file_;
  const CodesLayout& layout_;
  std::size_t block_number_;
  std::size_t rows_;
  std::vector<char> block_;
  std::vector<float> vector_;
  bool unwritten_ = false;
  bool good_ = true;
};

template <class T>
const T* field(const char* block, std::size_t at) {
  return reinterpret_cast<const T*>(block + at);
}

}  // namespace

CodesLayout::CodesLayout(std::size_t numbers)
    : dimension(numbers),
      width(padded_dimension(numbers)),
      errors_at(factors_at + rows_per_block * sizeof(float)),
      labels_at(errors_at + rows_per_block * sizeof(float)),
      codes_at(labels_at + rows_per_block * sizeof(std::uint32_t)),
      vec_ids_at(codes_at + rows_per_block * width),
      stamps_at(vec_ids_at + rows_per_block * sizeof(std::int64_t)),
      checksums_at(stamps_at + rows_per_block * sizeof(std::int64_t)),
      block_bytes(checksums_at + rows_per_block * sizeof(std::uint32_t)) {}

CodedVector encode_vector(std::span<const float> vector, std::span<std::int8_t> codes) {
  float largest = 0;
  for (const float x : vector) largest = std::max(largest, std::fabs(x));
  if (largest == 0) return {.factor = 0, .error = 4};
  const double scale = double{largest} / 127;
  const double inverse = 127 / double{largest};
  double residual = 0;
  double square = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const double x = vector[i];
    const auto code = static_cast<int>(x * inverse + (x < 0 ? -0.5 : 0.5));
    codes[i] = static_cast<std::int8_t>(code);
    const double rest = x - scale * code;
    residual += rest * rest;
    square += x * x;
  }
  const double length = std::sqrt(square);
  // The room covers the rounding of factor and error to float, of the sums here, of the scan's
  // float arithmetic, and of the float64 cosine itself.
  constexpr double room = 2e-6;
  return {.factor = static_cast<float>(scale / length),
          .error = static_cast<float>(std::sqrt(residual) / length * (1 + room) + room)};
}

// --- CodesView ---

struct CodesView::Mapping {
  /// Takes the file's handle over.
  Mapping(OpenFile& opened, const CodesLayout& of_file, std::uint64_t of_generation,
          const char* mapped, std::size_t reserved, const struct stat& info)
      : layout(of_file),
        generation(of_generation),
        base(mapped),
        length(reserved),
        sound(most_rows(of_file, reserved) / 64 + 1),
        device(info.st_dev),
        inode(info.st_ino),
        file(opened.release()) {}
  ~Mapping() { ::munmap(const_cast<char*>(base), length); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  CodesLayout layout;
  std::uint64_t generation;
  const char* base;
  std::size_t length;  // reserved; the file may be shorter, and grow
  mutable std::vector<std::atomic<std::uint64_t>> sound;  // a bit a row: its checksum was right
  dev_t device;
  ino_t inode;
  OpenFile file;
  std::size_t verified = 0;  // guarded by CodesFile::mutex_

  [[nodiscard]] const char* block_at(std::size_t number) const {
    return base + CodesLayout::header_bytes + number * layout.block_bytes;
  }

  /// Nothing while the values do not fit each other.
  [[nodiscard]] std::optional<Published> published() const {
    constexpr int most_tries = 100;
    for (int i = 0; i < most_tries; ++i) {
      Published read{};
      if (::pread(file.handle(), &read, sizeof read, published_at) != sizeof read)
        return std::nullopt;
      if (read.check == check_of(read)) return read;
    }
    return std::nullopt;
  }

  [[nodiscard]] static std::size_t most_rows(const CodesLayout& layout, std::size_t bytes) {
    return (bytes / layout.block_bytes + 1) * CodesLayout::rows_per_block;
  }

  [[nodiscard]] bool is_sound(std::size_t row) const {
    std::atomic<std::uint64_t>& word = sound[row / 64];
    const std::uint64_t bit = std::uint64_t{1} << (row % 64);
    if ((word.load(std::memory_order_relaxed) & bit) != 0) return true;
    const char* block = block_at(row / CodesLayout::rows_per_block);
    const std::size_t at = row % CodesLayout::rows_per_block;
    const auto checksum = checksum_of_row(
        field<std::int8_t>(block, layout.codes_at) + at * layout.width, layout.width,
        field<float>(block, layout.factors_at)[at], field<float>(block, layout.errors_at)[at],
        field<std::uint32_t>(block, layout.labels_at)[at],
        field<std::int64_t>(block, layout.vec_ids_at)[at],
        field<std::int64_t>(block, layout.stamps_at)[at]);
    if (checksum != field<std::uint32_t>(block, layout.checksums_at)[at]) return false;
    word.fetch_or(bit, std::memory_order_relaxed);
    return true;
  }

  [[nodiscard]] bool verify(std::size_t count) {
    for (std::size_t row = verified; row < count; ++row) {
      if (!is_sound(row)) return false;
    }
    verified = std::max(verified, count);
    return true;
  }
};

CodesView::CodesView(std::shared_ptr<const Mapping> mapping, std::size_t count, std::int64_t covers)
    : mapping_(std::move(mapping)),
      layout_(mapping_->layout),
      blocks_(mapping_->block_at(0)),
      count_(count),
      covers_(covers) {}

CodesView::Block CodesView::block(std::size_t number) const {
  const char* at = mapping_->block_at(number);
  const CodesLayout& lay = mapping_->layout;
  return {
      .rows = std::min(CodesLayout::rows_per_block, count_ - number * CodesLayout::rows_per_block),
      .factors = field<float>(at, lay.factors_at),
      .errors = field<float>(at, lay.errors_at),
      .labels = field<std::uint32_t>(at, lay.labels_at),
      .codes = field<std::int8_t>(at, lay.codes_at),
      .vec_ids = field<std::int64_t>(at, lay.vec_ids_at),
      .stamps = field<std::int64_t>(at, lay.stamps_at)};
}

std::uint64_t CodesView::generation() const {
  return mapping_->generation;
}

bool CodesView::is_sound(std::size_t row) const {
  return mapping_->is_sound(row);
}

std::optional<std::size_t> CodesView::find(std::int64_t wanted) const {
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (vec_id(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == count_ || vec_id(low) != wanted) return std::nullopt;
  return low;
}

// --- CodesFile ---

namespace {

/// A mapping may be longer than its file: then the file grows into it.
std::size_t with_room_to_grow(std::size_t bytes) {
  constexpr std::size_t least = std::size_t{16} << 20;
  return std::max(least, bytes + bytes / 2);
}

}  // namespace

std::optional<CodesView> CodesFile::view(std::size_t dimension) {
  const std::lock_guard lock(mutex_);
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) {
    current_.reset();
    return std::nullopt;
  }
  if (current_ == nullptr || current_->inode != info.st_ino || current_->device != info.st_dev) {
    current_ = open_mapping(dimension);
    if (current_ == nullptr) return std::nullopt;
  }
  if (current_->layout.dimension != dimension) return std::nullopt;
  const auto published = current_->published();
  if (!published) return std::nullopt;
  const std::size_t count = published->count;
  const std::size_t needed = current_->layout.file_bytes(count);
  if (needed < count || ::fstat(current_->file.handle(), &info) != 0 ||
      static_cast<std::size_t>(info.st_size) < needed) {
    return std::nullopt;
  }
  if (needed > current_->length) {
    current_ = open_mapping(dimension);
    if (current_ == nullptr || needed > current_->length) return std::nullopt;
  }
  if (count > 0 && !current_->is_sound(count - 1)) return std::nullopt;
  CodesView view(current_, count, published->covers);
  if (count > 0) view.covers_ = std::max(view.covers_, view.vec_id(count - 1));
  return view;
}

bool CodesFile::verify(const CodesView& view) {
  const std::lock_guard lock(mutex_);
  // A file that has been replaced meanwhile is read by its bits alone.
  if (view.mapping_ == current_) return current_->verify(view.count());
  for (std::size_t row = 0; row < view.count(); ++row) {
    if (!view.is_sound(row)) return false;
  }
  return true;
}

std::shared_ptr<CodesView::Mapping> CodesFile::open_mapping(std::size_t dimension) const {
  OpenFile file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return nullptr;
  struct stat info {};
  Header header{};
  if (::fstat(file.handle(), &info) != 0 ||
      info.st_size < static_cast<off_t>(CodesLayout::header_bytes) ||
      ::pread(file.handle(), &header, sizeof header, 0) != sizeof header) {
    return nullptr;
  }
  const CodesLayout layout(dimension);
  if (header.magic != magic || header.version != format_version ||
      header.checksum != checksum_of(header) || header.dimension != dimension ||
      header.block_bytes != layout.block_bytes) {
    return nullptr;
  }
  const std::size_t length = with_room_to_grow(static_cast<std::size_t>(info.st_size));
  void* base = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.handle(), 0);
  if (base == MAP_FAILED) return nullptr;
  return std::make_shared<CodesView::Mapping>(file, layout, header.generation,
                                              static_cast<const char*>(base), length, info);
}

Result<bool> CodesFile::append(const CodesView& view, const RowSource& rows, std::int64_t covers) {
  const OpenFile file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.is_open()) return false;
  BlockWriter writer(file.handle(), view.layout(), view.count());
  if (!writer.load_last_block()) return false;
  BB5_TRY(rows([&](const VectorRow& row) { writer.add(row); }));
  return writer.finish(covers);
}

Result<bool> CodesFile::rebuild(std::size_t dimension, const RowSource& rows, std::int64_t covers) {
  constexpr mode_t owner_only = 0600;
  std::filesystem::path fresh = path_;
  fresh += "-new";
  bool good = false;
  {
    const OpenFile file(::open(fresh.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, owner_only));
    if (!file.is_open()) return false;
    const CodesLayout layout(dimension);
    BlockWriter writer(file.handle(), layout, 0);
    good = write_header(file.handle(), layout);
    if (good) {
      auto read = rows([&](const VectorRow& row) { writer.add(row); });
      if (!read) {
        ::unlink(fresh.c_str());
        return std::move(read).error();
      }
      good = writer.finish(covers);
    }
  }
  // Not synced: after a power cut the checksums tell what is missing.
  if (!good || ::rename(fresh.c_str(), path_.c_str()) != 0) {
    ::unlink(fresh.c_str());
    return false;
  }
  return true;
}

}  // namespace bb5::embedded
