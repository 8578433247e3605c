#include "model/cosine.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(Cosine, IsSummedInOrderInFloat64) {
  const std::vector<float> a = {1e8F, 1, -1e8F};
  const std::vector<float> b = {1e8F, 1, 1e8F};
  double dot = 0;
  double aa = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    dot += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
  }
  EXPECT_EQ(cosine(a, b), dot / (std::sqrt(aa) * std::sqrt(aa)));
  EXPECT_EQ(cosine(a, std::vector<float>{0, 0, 0}), 0);
}

TEST(Cosine, StaysWithinOneWhateverRoundingDoes) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> vector(24);
  int beyond = 0;
  for (int round = 0; round < 1'000; ++round) {
    double square = 0;
    for (float& x : vector) {
      x = normal(random);
      square += double{x} * double{x};
    }
    std::vector<float> opposite;
    for (const float x : vector) opposite.push_back(-x);
    beyond += square / (std::sqrt(square) * std::sqrt(square)) > 1 ? 1 : 0;
    EXPECT_LE(cosine(vector, vector), 1);
    EXPECT_GE(cosine(vector, opposite), -1);
  }
  EXPECT_GT(beyond, 0) << "no vector of these tests anything";
}

}  // namespace
}  // namespace bb5
