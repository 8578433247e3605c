#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bb5::bench {

/// The least that an exact search over a matrix in memory can do: a pass over int8 codes that keeps
/// the best 40, then their dot products in floats. Nothing else: no filter, no ids, no proof, no
/// file. Kernels for AVX-512 VNNI, AVX-512BW and AVX2 chosen at run time, else plain loops.
class Int8Scan {
 public:
  /// matrix: rows of `dimension` numbers of unit length; used until the end.
  Int8Scan(std::span<const float> matrix, std::size_t dimension);

  /// Row numbers, best first.
  [[nodiscard]] std::vector<std::size_t> nearest(std::span<const float> query, std::size_t k) const;

  static const char* kernel();

 private:
  std::span<const float> matrix_;
  std::size_t dimension_;
  std::size_t width_;  ///< dimension_, up to a multiple of 64.
  std::size_t rows_;
  std::vector<std::int8_t> codes_;
  std::vector<float> scales_;
  std::vector<std::int32_t> corrections_;  ///< 128 × the sum of a row's codes.
};

/// Row numbers by dot products in floats over everything: what recall is measured against.
[[nodiscard]] std::vector<std::size_t> brute_force(std::span<const float> matrix,
                                                   std::span<const float> query, std::size_t k);

}  // namespace bb5::bench
