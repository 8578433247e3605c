#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The inner loops of vector search: integer dot products of coded vectors.
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

/// The same for rows that lie anywhere.
using GatherKernel = void (*)(const std::int8_t* const* codes, std::size_t rows, std::size_t width,
                              const std::int16_t* query, std::int32_t* sums);

/// Σ a[j] · b[j] of two coded vectors: codes are at least −127, so no sum leaves 32 bits.
using PairKernel = std::int32_t (*)(const std::int8_t* a, const std::int8_t* b, std::size_t width);

struct NamedKernel {
  std::string_view name;  ///< `avx512vnni`, `avx512bw`, `avx2`, `neon`, `plain`
  DotKernel run = nullptr;
  GatherKernel gather = nullptr;
  PairKernel pair = nullptr;
};

/// Those that this processor can run, fastest first; `plain` is always among them.
[[nodiscard]] std::span<const NamedKernel> available_kernels();

/// The fastest one.
[[nodiscard]] inline DotKernel dot_kernel() {
  return available_kernels().front().run;
}

}  // namespace bb5::embedded
