#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "json/cursor.hpp"

namespace bb5::blackbox5 {

/// What an `embedding` of the old system turned out to be.
struct VectorText {
  enum class Shape {
    absent,      ///< null or an empty array
    numbers,     ///< an array of finite numbers within binary32's range: `numbers` holds them
    not_finite,  ///< the number at `bad_index` is NaN, infinite, or too large for binary32
    other        ///< anything else; `bad_index` is the first element that is no number
  };
  Shape shape = Shape::absent;
  std::vector<float>
      numbers;  ///< Each rounded once, from the decimal, to the nearest, ties to even.
  std::size_t bad_index = 0;
  bool exact = true;      ///< Every number was a binary32 already.
  bool canonical = true;  ///< write_canonical_vector(numbers) gives these very bytes.
};

/// Reads the value at the cursor. False: the cursor tells why (the text ends, or it is no JSON).
bool read_vector(json::Cursor& cursor, VectorText& vector);

/// True for the old system's hashed stand-in for an embedding: 384 numbers, none negative, at most
/// 50 not zero, those small-integer multiples of one value, length 1 or 0. Such vectors were salted
/// per process: noise everywhere else.
[[nodiscard]] bool is_fallback_vector(const std::vector<float>& numbers);

}  // namespace bb5::blackbox5
