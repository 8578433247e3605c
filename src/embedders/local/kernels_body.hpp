#pragma once

#include <cstddef>
#include <cstdint>

#include "embedders/local/kernels.hpp"

/// One text for all instruction sets: the compiler's vector types, as wide as the set's registers.
/// Each kernels_SET.cpp is compiled with its own flags and instantiates its own widths, so no
/// symbol is shared between them; for the same reason nothing of the standard library is called
/// here.
namespace bb5::local {

template <std::size_t lanes>
struct Registers;  // one by one: g++ ignores a vector size that depends on a parameter
template <>
struct Registers<4> {
  using Floats [[gnu::vector_size(16)]] = float;
  using Ints [[gnu::vector_size(16)]] = std::int32_t;
};
template <>
struct Registers<8> {
  using Floats [[gnu::vector_size(32)]] = float;
  using Ints [[gnu::vector_size(32)]] = std::int32_t;
};
template <>
struct Registers<16> {
  using Floats [[gnu::vector_size(64)]] = float;
  using Ints [[gnu::vector_size(64)]] = std::int32_t;
};

/// lanes: floats in a register. tile_rows: rows of a product kept in registers, two of them each.
template <std::size_t lanes, std::size_t tile_rows>
struct KernelsOf {
  using Floats = typename Registers<lanes>::Floats;
  using Ints = typename Registers<lanes>::Ints;

  template <class Vector = Floats>
  static Vector load(const float* from) {
    Vector value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
  }
  template <class Vector>
  static void store(float* to, Vector value) {
    __builtin_memcpy(to, &value, sizeof value);
  }
  template <class Vector = Floats>
  static Vector all(float value) {
    return value - Vector{};
  }

  // A tile of the result stays in registers while the sums run over the depth.
  template <class Vector, std::size_t rows, std::size_t vectors>
  static void tile(const Product& of, std::size_t row, std::size_t column) {
    constexpr std::size_t width = sizeof(Vector) / sizeof(float);
    Vector sums[rows][vectors];
    float* result = of.result + row * of.result_stride + column;
#pragma GCC unroll 12
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v) {
        if (of.add) {
          sums[r][v] = load<Vector>(result + r * of.result_stride + v * width);
        } else {
          sums[r][v] = all<Vector>(of.bias != nullptr ? of.bias[row + r] : 0.0F);
        }
      }
    }
    const float* factor = of.factor + row * of.factor_row;
    const float* input = of.input + column;
    for (std::size_t left = of.depth; left > 0;) {
      // A cache line of each row of factors, and those that the next rows of tiles will want: into
      // the second level, the first is full of what this tile reads.
      const std::size_t steps = left < 16 ? left : 16;
      left -= steps;
#pragma GCC unroll 12
      for (std::size_t r = 0; r < rows; ++r)
        __builtin_prefetch(factor + (rows + r) * of.factor_row, 0, 2);
      for (std::size_t d = 0; d < steps; ++d) {
        Vector inputs[vectors];
#pragma GCC unroll 2
        for (std::size_t v = 0; v < vectors; ++v) inputs[v] = load<Vector>(input + v * width);
#pragma GCC unroll 12
        for (std::size_t r = 0; r < rows; ++r) {
          const float weight = factor[r * of.factor_row];
#pragma GCC unroll 2
          for (std::size_t v = 0; v < vectors; ++v) sums[r][v] += weight * inputs[v];
        }
        factor += of.factor_step;
        input += of.input_stride;
      }
    }
#pragma GCC unroll 12
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < vectors; ++v)
        store(result + r * of.result_stride + v * width, sums[r][v]);
    }
  }

  template <std::size_t rows>
  static void row_of_tiles(const Product& of, std::size_t row) {
    std::size_t column = 0;
    for (; column + lanes < of.columns; column += 2 * lanes) tile<Floats, rows, 2>(of, row, column);
    if (column >= of.columns) return;
    if constexpr (lanes == 16) {  // half a register is twice as fast
      if (column + lanes / 2 >= of.columns)
        return tile<typename Registers<lanes / 2>::Floats, rows, 1>(of, row, column);
    }
    tile<Floats, rows, 1>(of, row, column);
  }

  static void multiply(const Product& of) {
    std::size_t row = 0;
    for (; row + tile_rows <= of.rows; row += tile_rows) row_of_tiles<tile_rows>(of, row);
    for (; row + 4 <= of.rows; row += 4) row_of_tiles<4>(of, row);
    for (; row < of.rows; ++row) row_of_tiles<1>(of, row);
  }

  // e^x for x in [-87, 0]: 2^n by the exponent's bits, the rest, |r| ≤ ln 2 / 2, by Taylor's
  // series.
  static Floats exp(Floats x) {
    const Floats lowest = all(-87.0F);
    x = x < lowest ? lowest : x;
    const Floats n = (x * 1.44269504F + 12582912.0F) - 12582912.0F;  // rounds to whole numbers
    const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;   // ln 2 in two pieces
    Floats sum = all(1.0F / 5040);
    sum = sum * r + 1.0F / 720;
    sum = sum * r + 1.0F / 120;
    sum = sum * r + 1.0F / 24;
    sum = sum * r + 1.0F / 6;
    sum = sum * r + 0.5F;
    sum = sum * r + 1.0F;
    sum = sum * r + 1.0F;
    const Ints power = (__builtin_convertvector(n, Ints) + 127) << 23;
    return sum * reinterpret_cast<Floats>(power);
  }

  // erf by Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: to 1.5e-7.
  static Floats gelu_of(Floats x) {
    const Floats size = x < 0.0F ? -x : x;
    const Floats z = size * 0.70710678F;
    const Floats t = 1.0F / (z * 0.3275911F + 1.0F);
    Floats sum = all(1.061405429F);
    sum = sum * t - 1.453152027F;
    sum = sum * t + 1.421413741F;
    sum = sum * t - 0.284496736F;
    sum = sum * t + 0.254829592F;
    const Floats tail = sum * t * exp(-z * z);  // 1 - erf(|x| / √2)
    // x·Φ(x) = max(x, 0) - |x|/2 · tail: no cancellation on either side.
    return (x < 0.0F ? Floats{} : x) - size * 0.5F * tail;
  }

  static void gelu(float* values, std::size_t rows, std::size_t columns, std::size_t stride) {
    for (std::size_t row = 0; row < rows; ++row, values += stride)
      for (std::size_t column = 0; column < columns; column += lanes)
        store(values + column, gelu_of(load(values + column)));
  }

  static void softmax(float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                      float scale) {
    for (std::size_t column = 0; column < columns; column += lanes) {
      float* top = values + column;
      Floats highest = load(top);
      for (std::size_t row = 1; row < rows; ++row) {
        const Floats value = load(top + row * stride);
        highest = highest > value ? highest : value;
      }
      Floats sum{};
      for (std::size_t row = 0; row < rows; ++row) {
        const Floats power = exp((load(top + row * stride) - highest) * scale);
        sum += power;
        store(top + row * stride, power);
      }
      const Floats share = 1.0F / sum;
      for (std::size_t row = 0; row < rows; ++row)
        store(top + row * stride, load(top + row * stride) * share);
    }
  }

  static void normalise(float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                        const float* gain, const float* bias) {
    const float one_row = 1.0F / static_cast<float>(rows);
    for (std::size_t column = 0; column < columns; column += lanes) {
      float* top = values + column;
      Floats sum{};
      for (std::size_t row = 0; row < rows; ++row) sum += load(top + row * stride);
      const Floats mean = sum * one_row;
      Floats squares{};
      for (std::size_t row = 0; row < rows; ++row) {
        const Floats away = load(top + row * stride) - mean;
        squares += away * away;
      }
      Floats factor = squares * one_row + 1e-12F;
      for (std::size_t lane = 0; lane < lanes; ++lane)
        factor[lane] = 1.0F / __builtin_sqrtf(factor[lane]);
      for (std::size_t row = 0; row < rows; ++row) {
        const Floats unit = (load(top + row * stride) - mean) * factor;
        store(top + row * stride, unit * gain[row] + bias[row]);
      }
    }
  }

  static constexpr Kernels named(std::string_view name) {
    return {name, multiply, gelu, softmax, normalise};
  }
};

}  // namespace bb5::local
