#include "ranking/soft_terms.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/word_table.hpp"

namespace bb5::ranking {
namespace {

using testing::IsEmpty;

class Given final : public WordNeighbours {
 public:
  explicit Given(std::vector<WordNeighbour> near) : near_(std::move(near)) {}
  std::vector<WordNeighbour> nearest(const std::string&) const override { return near_; }

 private:
  std::vector<WordNeighbour> near_;
};

TEST(SoftTerms, AreNearRareAndNobodysName) {
  const Given near({{"puppi", 1},
                    {"cat", 0.6},
                    {"animal", 0.5},
                    {"ann", 0.4},
                    {"12", 0.3},
                    {"ox", 0.3},
                    {"far", 0.2}});
  CorpusStatistics held{.memories = 100};
  for (const auto& near_word : near.nearest("dog")) held.holding[near_word.term] = 1;
  CorpusStatistics statistics = held;
  statistics.holding["animal"] = 11;
  statistics.holding["cat"] = 10;
  const std::vector<std::string> authors = {"ann"};
  const auto soft = soft_terms("dog", near, statistics, authors);
  ASSERT_EQ(soft.size(), 2u);
  EXPECT_EQ(soft[0].term, "puppi");
  EXPECT_NEAR(soft[0].weight, 0.7, 1e-12);
  EXPECT_EQ(soft[1].term, "cat");
  EXPECT_NEAR(soft[1].weight, 0.7 * (0.6 - 0.2) / 0.8, 1e-12);
  EXPECT_THAT(soft_terms("ann", near, statistics, authors), IsEmpty());
  statistics.holding.erase("puppi");
  EXPECT_EQ(soft_terms("dog", near, statistics, authors).size(), 1u) << "nobody holds it";
}

TEST(WordTable, PutsWordsOfOneTermTogetherAndFindsTheNearest) {
  const SurfaceWord words[] = {{"dogs", 3, {1, 0.1f, 0}},     {"dog", 1, {1, 0, 0.1f}},
                               {"puppy", 1, {0.9f, 0.2f, 0}}, {"rain", 2, {0, 1, 0}},
                               {"snow", 2, {0, 0.9f, 0.3f}},  {"the", 50, {1, 0, 0}}};
  const WordTable table(words);
  EXPECT_EQ(table.size(), 4u);
  const auto near = table.nearest("dog");
  ASSERT_EQ(near.size(), 1u);
  EXPECT_EQ(near[0].term, "puppi");
  EXPECT_GT(near[0].cosine, 0.9);
  EXPECT_LE(near[0].cosine, 1.0001);
  EXPECT_THAT(table.nearest("cat"), IsEmpty());
}

TEST(WordTable, FindsNeighboursOfAWordThatItLacksByItsVector) {
  const SurfaceWord words[] = {{"dog", 1, {1, 0}}, {"rain", 1, {0, 1}}};
  const WordTable table(words);
  const float hound[] = {0.9f, 0.1f};
  const auto near = table.nearest_to(hound, "hound");
  ASSERT_EQ(near.size(), 1u);
  EXPECT_EQ(near[0].term, "dog");
}

TEST(WordTable, OfNothingOrOfOneWordHasNoNeighbours) {
  EXPECT_THAT(WordTable({}).nearest("dog"), IsEmpty());
  const SurfaceWord one[] = {{"dog", 1, {1, 0}}};
  EXPECT_THAT(WordTable(one).nearest("dog"), IsEmpty());
}

}  // namespace
}  // namespace bb5::ranking
