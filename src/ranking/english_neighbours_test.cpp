#include "ranking/english_neighbours.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> terms_near(const char* word) {
  std::vector<std::string> terms;
  for (const auto& near : english_neighbours().nearest(term_of(word))) terms.push_back(near.term);
  return terms;
}

TEST(EnglishNeighbours, MeanNearlyTheSame) {
  EXPECT_THAT(terms_near("dog"), Contains(term_of("puppy")));
  EXPECT_THAT(terms_near("car"), Contains(term_of("vehicle")));
  EXPECT_THAT(terms_near("database"), Contains(term_of("sql")));
  EXPECT_THAT(terms_near("qwxyz"), IsEmpty());
}

TEST(EnglishNeighbours, ComeNearestFirstAndNeverTheTermItself) {
  for (const char* word : {"happy", "teach", "harbour", "memory", "january"}) {
    const auto near = english_neighbours().nearest(term_of(word));
    EXPECT_LE(near.size(), table_neighbours);
    for (std::size_t i = 0; i < near.size(); ++i) {
      EXPECT_NE(near[i].term, term_of(word));
      EXPECT_GT(near[i].cosine, 0);
      EXPECT_LE(near[i].cosine, i == 0 ? 1 : near[i - 1].cosine);
    }
  }
}

/// Two words mean the same here, and a third is unknown to the table.
class Few final : public WordNeighbours {
 public:
  std::vector<WordNeighbour> nearest(const std::string& term) const override {
    if (term == "dog") return {{"hound", 0.6}, {"wolf", 0.5}};
    if (term == "hound") return {{"dog", 0.6}};
    return {};
  }
};

TEST(EnglishNeighbours, AreReadAsTheyWereWritten) {
  const std::string bytes = write_neighbours({"hound", "dog", "rain"}, Few());
  const auto table = read_neighbours(bytes);
  ASSERT_TRUE(table);
  const auto near = (*table)->nearest("dog");
  ASSERT_EQ(near.size(), 1U);
  EXPECT_EQ(near[0].term, "hound");
  EXPECT_NEAR(near[0].cosine, 0.6, 1 / 255.0);
  EXPECT_THAT((*table)->nearest("rain"), IsEmpty());
  EXPECT_THAT((*table)->nearest("cat"), IsEmpty());
}

TEST(EnglishNeighbours, OfDamagedBytesAreNone) {
  const std::string bytes = write_neighbours({"hound", "dog", "rain"}, Few());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(read_neighbours(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(read_neighbours(bytes + "x"));
  std::string beyond = bytes;
  beyond[beyond.size() - 3] = '\x7f';
  EXPECT_FALSE(read_neighbours(beyond)) << "a neighbour that is no term";
}

}  // namespace
}  // namespace bb5::ranking
