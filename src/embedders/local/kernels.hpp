#pragma once

#include <cstddef>
#include <span>
#include <string_view>

/// The inner loops of the encoder, one set per instruction set, chosen at run time.
///
/// Activations are matrices of features × tokens: a feature's values for all tokens lie side by
/// side. So every loop here runs over tokens, lane by lane, and none adds across lanes: a weight is
/// read where the file has it and multiplied with many tokens at once, which needs no copy of the
/// weights in another order, and a mean over features is a plain sum of rows.
///
/// Columns are done in whole vectors: up to 15 columns behind the last are read, and those of a
/// result written, with values that mean nothing. Rows must be that much longer.
namespace bb5::local {

/// Columns that a row must have beyond those that count.
inline constexpr std::size_t spare_columns = 16;

/// result(n, t) = (add ? result(n, t) : bias ? bias[n] : 0) + Σ_d factor(n, d) · input(d, t)
struct Product {
  const float* factor = nullptr;  ///< Element (n, d) at n · factor_row + d · factor_step.
  std::size_t factor_row = 0;
  std::size_t factor_step = 1;
  const float* input = nullptr;  ///< depth × columns.
  std::size_t input_stride = 0;
  float* result = nullptr;  ///< rows × columns; overlaps neither factor nor input.
  std::size_t result_stride = 0;
  std::size_t rows = 0;
  std::size_t depth = 0;
  std::size_t columns = 0;
  const float* bias = nullptr;
  bool add = false;
};

/// Pure functions of their arguments: safe to call from several threads at once.
struct Kernels {
  std::string_view name;  ///< `avx512`, `avx2`, `plain`
  void (*multiply)(const Product&) = nullptr;
  /// Each value becomes value · Φ(value), to 2e-7 (Φ by erf, not by the tanh approximation).
  void (*gelu)(float* values, std::size_t rows, std::size_t columns, std::size_t stride) = nullptr;
  /// Each column becomes exp(scale · value) / Σ of the column, to 3e-7 of the value.
  void (*softmax)(float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                  float scale) = nullptr;
  /// Each column becomes (value − mean) / √(variance + 1e-12) · gain[row] + bias[row].
  void (*normalise)(float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                    const float* gain, const float* bias) = nullptr;
};

/// Those that this processor can run, fastest first; `plain` is always among them.
[[nodiscard]] std::span<const Kernels> available_kernels();

}  // namespace bb5::local
