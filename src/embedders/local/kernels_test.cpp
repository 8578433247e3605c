#include "embedders/local/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace bb5::local {

static void PrintTo(const Kernels& kernels, std::ostream* out) {
  *out << kernels.name;
}

namespace {

/// A matrix with room behind each row, filled at random.
struct Matrix {
  std::size_t rows, columns, stride;
  std::vector<float> values;

  Matrix(std::size_t row_count, std::size_t column_count, std::mt19937_64& random, float spread = 1)
      : rows(row_count),
        columns(column_count),
        stride(column_count + spare_columns),
        values(rows * stride) {
    std::normal_distribution<float> normal(0, spread);
    for (float& value : values) value = normal(random);
  }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return values[row * stride + column];
  }
};

class KernelsTest : public testing::TestWithParam<Kernels> {
 protected:
  std::mt19937_64 random_{test_seed()};
};

TEST_P(KernelsTest, MultipliesAsTheFormulaSays) {
  for (const std::size_t rows : {1U, 3U, 12U, 29U}) {
    for (const std::size_t depth : {1U, 16U, 33U}) {
      for (const std::size_t columns : {1U, 8U, 9U, 16U, 17U, 24U, 40U, 65U}) {
        const Matrix factor(rows, depth, random_);
        const Matrix input(depth, columns, random_);
        const Matrix bias(1, rows, random_);
        for (const bool add : {false, true}) {
          Matrix result(rows, columns, random_);
          const Matrix before = result;
          GetParam().multiply({.factor = factor.values.data(),
                               .factor_row = factor.stride,
                               .input = input.values.data(),
                               .input_stride = input.stride,
                               .result = result.values.data(),
                               .result_stride = result.stride,
                               .rows = rows,
                               .depth = depth,
                               .columns = columns,
                               .bias = bias.values.data(),
                               .add = add});
          for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t column = 0; column < columns; ++column) {
              double sum = add ? before.at(row, column) : bias.at(0, row);
              for (std::size_t d = 0; d < depth; ++d)
                sum += factor.at(row, d) * input.at(d, column);
              ASSERT_NEAR(result.at(row, column), sum, 2e-5)
                  << rows << ' ' << depth << ' ' << columns;
            }
          }
        }
      }
    }
  }
}

TEST_P(KernelsTest, MultipliesATransposedFactorWithoutBias) {
  const Matrix factor(20, 30, random_);  // used as 30 × 20
  const Matrix input(20, 21, random_);
  Matrix result(30, 21, random_);
  GetParam().multiply({.factor = factor.values.data(),
                       .factor_row = 1,
                       .factor_step = factor.stride,
                       .input = input.values.data(),
                       .input_stride = input.stride,
                       .result = result.values.data(),
                       .result_stride = result.stride,
                       .rows = 30,
                       .depth = 20,
                       .columns = 21});
  for (std::size_t row = 0; row < 30; ++row) {
    for (std::size_t column = 0; column < 21; ++column) {
      double sum = 0;
      for (std::size_t d = 0; d < 20; ++d) sum += factor.at(d, row) * input.at(d, column);
      ASSERT_NEAR(result.at(row, column), sum, 2e-5);
    }
  }
}

TEST_P(KernelsTest, GeluIsThatOfErf) {
  std::vector<float> values;
  for (int i = -6400; i < 6400; ++i) values.push_back(static_cast<float>(i) / 400);
  for (const float far : {-1e30F, -60.0F, -20.0F, 0.0F, -0.0F, 1e-30F, 60.0F, 1e30F})
    values.insert(values.end(), 16, far);
  std::vector<float> results = values;
  ASSERT_EQ(results.size() % 32, 0U);
  GetParam().gelu(results.data(), results.size() / 32, 30, 32);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 32 >= 30) continue;  // spare columns
    const double x = values[i];
    const double expected = x / 2 * std::erfc(-x / std::sqrt(2.0));
    ASSERT_NEAR(results[i], expected, 4e-7 * std::max(1.0, std::abs(x))) << x;
  }
}

TEST_P(KernelsTest, SoftmaxIsASharePerColumn) {
  for (const float spread : {1.0F, 30.0F, 1000.0F}) {
    Matrix values(37, 21, random_, spread);
    const Matrix before = values;
    GetParam().softmax(values.values.data(), values.rows, values.columns, values.stride, 0.25F);
    for (std::size_t column = 0; column < values.columns; ++column) {
      double highest = before.at(0, column);
      for (std::size_t row = 0; row < values.rows; ++row)
        highest = std::max(highest, before.at(row, column));
      double sum = 0;
      for (std::size_t row = 0; row < values.rows; ++row)
        sum += std::exp((before.at(row, column) - highest) * 0.25);
      for (std::size_t row = 0; row < values.rows; ++row) {
        const double expected = std::exp((before.at(row, column) - highest) * 0.25) / sum;
        // The difference itself is rounded before it is raised.
        ASSERT_NEAR(values.at(row, column), expected, 4e-7 + expected * 1e-7 * double{spread});
      }
    }
  }
}

TEST_P(KernelsTest, NormalisesEachColumn) {
  Matrix values(48, 19, random_, 3.0F);
  const Matrix before = values;
  const Matrix gain(1, 48, random_);
  const Matrix bias(1, 48, random_);
  GetParam().normalise(values.values.data(), values.rows, values.columns, values.stride,
                       gain.values.data(), bias.values.data());
  for (std::size_t column = 0; column < values.columns; ++column) {
    double mean = 0;
    for (std::size_t row = 0; row < 48; ++row) mean += before.at(row, column) / 48;
    double variance = 0;
    for (std::size_t row = 0; row < 48; ++row)
      variance += (before.at(row, column) - mean) * (before.at(row, column) - mean) / 48;
    for (std::size_t row = 0; row < 48; ++row) {
      const double expected =
          (before.at(row, column) - mean) / std::sqrt(variance + 1e-12) * gain.at(0, row) +
          bias.at(0, row);
      ASSERT_NEAR(values.at(row, column), expected, 5e-6);
    }
  }
}

TEST(AvailableKernels, EndWithThePlainOnes) {
  ASSERT_FALSE(available_kernels().empty());
  EXPECT_EQ(available_kernels().back().name, "plain");
}

INSTANTIATE_TEST_SUITE_P(All, KernelsTest,
                         testing::ValuesIn(available_kernels().begin(), available_kernels().end()),
                         [](const auto& kernels) { return std::string(kernels.param.name); });

}  // namespace
}  // namespace bb5::local
