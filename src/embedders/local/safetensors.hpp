#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace bb5::local {

/// The tensors of a file in the safetensors format: eight bytes with the length of a JSON header
/// (little-endian), the header (name → dtype, shape, data_offsets), then the numbers, side by side.
/// Holds no bytes of its own: the file's must outlive it. Safe to read from several threads at
/// once.
class SafeTensors {
 public:
  /// Checks everything but the numbers: that each tensor has a known type and the bytes its shape
  /// asks for, and that all together they fill the file to its last byte, none twice; so a file
  /// that was cut off or mixed up does not pass. `name` stands in the messages. Errors: corrupt.
  [[nodiscard]] static Result<SafeTensors> parse(std::string_view file, std::string name);

  /// The numbers of a tensor of this type (F32) and shape, row by row. Errors: corrupt, when there
  /// is none, or it is another one.
  [[nodiscard]] Result<std::span<const float>> floats(
      std::string_view tensor, std::initializer_list<std::uint64_t> shape) const;
  /// As floats, of any number of rows.
  [[nodiscard]] Result<std::span<const float>> rows(std::string_view tensor,
                                                    std::uint64_t columns) const;

  [[nodiscard]] std::size_t size() const { return tensors_.size(); }

 private:
  struct Tensor {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::string_view bytes;
  };
  std::string name_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

}  // namespace bb5::local
