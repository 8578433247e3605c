#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The inner loops of exact search: integer dot products of coded vectors with a query.
namespace bb5::embedded {

/// Codes are padded with zeros to a multiple of this many numbers.
inline constexpr std::size_t code_alignment = 32;

[[nodiscard]] constexpr std::size_t padded_dimension(std::size_t dimension) {
  return (dimension + code_alignment - 1) / code_alignment * code_alignment;
}

/// sums[i] = Σ codes[i·width + j] · query[j] for each of `rows` rows that lie one after the other.
/// width: a multiple of code_alignment. The caller sees to it that no sum of absolute products
/// passes 2³¹ − 1; then every kernel gives the same integers.
using DotKernel = void (*)(const std::int8_t* codes, std::size_t rows, std::size_t width,
                           const std::int16_t* query, std::int32_t* sums);

struct NamedKernel {
  std::string_view name;  ///< `avx512bw`, `avx2`, `plain`
  DotKernel run = nullptr;
};

/// Those that this processor can run, fastest first; `plain` is always among them.
[[nodiscard]] std::span<const NamedKernel> available_kernels();

/// The fastest one.
[[nodiscard]] inline DotKernel dot_kernel() {
  return available_kernels().front().run;
}

}  // namespace bb5::embedded
