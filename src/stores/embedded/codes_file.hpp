#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// The vectors of a bank as bytes, in a file beside the database that all processes map: what a
/// search reads instead of the vectors themselves.
///
/// The file is derived and never trusted: it may be missing, old, torn or from another history, and
/// is then made anew. It grows at its end only; what is compacted gets a new file under the same
/// name. Layout, little-endian: a header page, then blocks of rows_per_block vectors. In a block
/// each field lies together, so that a scan reads factors, errors, labels and codes and nothing
/// else.
namespace bb5::embedded {

/// Where the fields of a block lie, in bytes from its beginning.
struct CodesLayout {
  static constexpr std::size_t rows_per_block = 256;
  static constexpr std::size_t header_bytes = 4096;

  explicit CodesLayout(std::size_t numbers);

  std::size_t dimension;
  std::size_t width;  ///< Bytes of one coded vector.
  std::size_t factors_at = 0;
  std::size_t errors_at;
  std::size_t labels_at;
  std::size_t codes_at;
  std::size_t vec_ids_at;
  std::size_t stamps_at;
  std::size_t checksums_at;
  std::size_t block_bytes;

  [[nodiscard]] std::size_t file_bytes(std::size_t count) const {
    return header_bytes + (count + rows_per_block - 1) / rows_per_block * block_bytes;
  }
};

/// A row of the table `vectors`. The embedding lives until the next row.
struct VectorRow {
  std::int64_t vec_id = 0;
  std::int64_t label = 0;
  std::int64_t stamp = 0;
  std::string_view embedding;
};

/// One coded vector x ≈ scale · code. With I the integer dot product of the code and a query coded
/// as q ≈ t · q̃:   |cos(q, x) − (t/|q|) · factor · I| ≤ error · (1 + r) + r,   r = |q − t·q̃| / |q|,
/// by Cauchy and Schwarz: factor = scale/|x|, error = |x − scale · code| / |x| and room for
/// rounding.
struct CodedVector {
  float factor = 0;
  float error = 0;
};
CodedVector encode_vector(std::span<const float> vector, std::span<std::int8_t> codes);

/// What the file holds at one moment. Keeps the mapping alive.
class CodesView {
 public:
  struct Mapping;

  [[nodiscard]] const CodesLayout& layout() const { return layout_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Drawn at random for each new file: what names rows of one file says so with this.
  [[nodiscard]] std::uint64_t generation() const;
  /// Every vector up to this vec_id that the database held at some earlier moment is here.
  [[nodiscard]] std::int64_t covers() const { return covers_; }

  /// The rows of one block, at most rows_per_block.
  struct Block {
    std::size_t rows = 0;
    const float* factors = nullptr;
    const float* errors = nullptr;
    const std::uint32_t* labels = nullptr;
    const std::int8_t* codes = nullptr;
    const std::int64_t* vec_ids = nullptr;
    const std::int64_t* stamps = nullptr;
  };
  [[nodiscard]] Block block(std::size_t number) const;
  [[nodiscard]] std::size_t blocks() const {
    return (count_ + CodesLayout::rows_per_block - 1) / CodesLayout::rows_per_block;
  }
  [[nodiscard]] std::int64_t vec_id(std::size_t row) const {
    return *at<std::int64_t>(row, layout_.vec_ids_at);
  }
  [[nodiscard]] std::int64_t stamp(std::size_t row) const {
    return *at<std::int64_t>(row, layout_.stamps_at);
  }
  [[nodiscard]] const std::int8_t* codes(std::size_t row) const {
    return at<std::int8_t>(row, layout_.codes_at, layout_.width);
  }
  [[nodiscard]] const float& factor(std::size_t row) const {
    return *at<float>(row, layout_.factors_at);
  }
  [[nodiscard]] float error(std::size_t row) const { return *at<float>(row, layout_.errors_at); }
  [[nodiscard]] std::uint32_t label(std::size_t row) const {
    return *at<std::uint32_t>(row, layout_.labels_at);
  }
  /// False: the row is damaged. Computed once a row and process; see CodesFile::verify().
  [[nodiscard]] bool is_sound(std::size_t row) const;
  /// The row of a vec_id, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(std::int64_t wanted) const;

 private:
  friend class CodesFile;
  CodesView(std::shared_ptr<const Mapping> mapping, std::size_t count, std::int64_t covers);

  template <class T>
  [[nodiscard]] const T* at(std::size_t row, std::size_t field_at, std::size_t each = 1) const {
    const char* block = blocks_ + row / CodesLayout::rows_per_block * layout_.block_bytes;
    return reinterpret_cast<const T*>(block + field_at) + row % CodesLayout::rows_per_block * each;
  }

  std::shared_ptr<const Mapping> mapping_;
  CodesLayout layout_;
  const char* blocks_;
  std::size_t count_ = 0;
  std::int64_t covers_ = 0;
};

/// The file under its name. Thread-safe.
class CodesFile {
 public:
  explicit CodesFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// The present content; nothing when the file is missing, damaged in its header or of another
  /// dimension. Rows are not looked at: whoever reads few of them asks is_sound() of each, whoever
  /// reads them all verify().
  [[nodiscard]] std::optional<CodesView> view(std::size_t dimension);
  /// True: every row is as it was written. Checks what it has not checked before.
  [[nodiscard]] bool verify(const CodesView& view);

  /// Calls its argument with each row, in order of vec_id.
  using RowSource = std::function<Result<>(const std::function<void(const VectorRow&)>&)>;

  /// Adds rows behind those of `view`, which must be the present content; then the file covers
  /// `covers`. For the holder of the codes lock only. False: could not be written; no harm done.
  Result<bool> append(const CodesView& view, const RowSource& rows, std::int64_t covers);
  /// Puts a new file in the place of the old one.
  Result<bool> rebuild(std::size_t dimension, const RowSource& rows, std::int64_t covers);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  [[nodiscard]] std::shared_ptr<CodesView::Mapping> open_mapping(std::size_t dimension) const;

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::shared_ptr<CodesView::Mapping> current_;  // guarded by mutex_
};

}  // namespace bb5::embedded
