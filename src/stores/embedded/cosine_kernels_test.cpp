#include "stores/embedded/cosine_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "model/cosine.hpp"
#include "stores/embedded/codes_file.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

TEST(CosineKernels, EveryKernelOfThisProcessorGivesTheSameIntegersAsThePlainOne) {
  std::mt19937_64 random(test_seed());
  const NamedKernel plain = available_kernels().back();
  ASSERT_EQ(plain.name, "plain");
  for (const std::size_t width : {32U, 64U, 96U, 384U, 416U, 1536U}) {
    for (const std::size_t rows : {1U, 2U, 3U, 4U, 5U, 7U, 256U}) {
      std::vector<std::int8_t> codes(width * rows);
      std::vector<std::int16_t> query(width);
      for (auto& code : codes)
        code = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
      for (auto& number : query)
        number = static_cast<std::int16_t>(static_cast<int>(random() % 20001) - 10000);
      std::vector<std::int32_t> expected(rows);
      plain.run(codes.data(), rows, width, query.data(), expected.data());
      std::vector<const std::int8_t*> backwards;
      for (std::size_t row = rows; row-- > 0;) backwards.push_back(codes.data() + row * width);
      for (const NamedKernel& kernel : available_kernels()) {
        std::vector<std::int32_t> sums(rows, -1);
        kernel.run(codes.data(), rows, width, query.data(), sums.data());
        EXPECT_EQ(sums, expected) << kernel.name << " " << rows << " x " << width;
        kernel.gather(backwards.data(), rows, width, query.data(), sums.data());
        std::reverse(sums.begin(), sums.end());
        EXPECT_EQ(sums, expected) << kernel.name << " " << rows << " x " << width;
        EXPECT_EQ(kernel.pair(codes.data(), backwards[0], width),
                  plain.pair(codes.data(), backwards[0], width))
            << kernel.name << " " << width;
      }
    }
  }
}

TEST(CosineKernels, TheCodedCosineIsNeverFurtherOffThanItsError) {
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  for (int round = 0; round < 3000; ++round) {
    const std::size_t dimension = 1 + random() % 100;
    std::vector<float> vector = random_vector(random, dimension);
    std::vector<float> query = random_vector(random, dimension);
    // Vectors of all lengths, with outliers, nearly parallel ones, tiny and huge numbers.
    if (round % 3 == 0) vector[random() % dimension] *= 1000;
    if (round % 5 == 0) {
      query = vector;
      query[0] += 1e-4F;
    }
    const float stretch = std::pow(10.0F, static_cast<float>(static_cast<int>(random() % 60) - 30));
    for (float& x : vector) x *= stretch;
    if (std::all_of(vector.begin(), vector.end(), [](float x) { return x == 0; })) continue;

    const std::size_t width = padded_dimension(dimension);
    std::vector<std::int8_t> codes(width, 0);
    const CodedVector coded = encode_vector(vector, codes);
    double square = 0;
    double largest = 0;
    for (const float x : query) {
      square += double{x} * double{x};
      largest = std::max(largest, std::fabs(double{x}));
    }
    const double step = largest / 5000;
    double rest = 0;
    std::vector<std::int16_t> numbers(width, 0);
    for (std::size_t i = 0; i < dimension; ++i) {
      numbers[i] = static_cast<std::int16_t>(std::lround(query[i] / step));
      rest += std::pow(query[i] - step * numbers[i], 2);
    }
    std::int32_t sum = 0;
    dot_kernel()(codes.data(), 1, width, numbers.data(), &sum);
    const double r = std::sqrt(rest / square);
    const double near = step / std::sqrt(square) * coded.factor * sum;
    EXPECT_LE(std::fabs(near - cosine(query, vector)), coded.error * (1 + r) + r)
        << "dimension " << dimension;
  }
}

}  // namespace
}  // namespace bb5::embedded
