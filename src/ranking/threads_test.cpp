#include "ranking/threads.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/meaning.hpp"

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;

Passage turn(std::int64_t seq, std::string_view thread, std::int64_t position,
             std::string_view author = "", std::optional<double> cosine = {}) {
  return {.seq = seq, .author = author, .thread = thread, .position = position, .cosine = cosine};
}

std::vector<std::pair<int, std::size_t>> window(const Threads& threads, std::size_t passage) {
  std::vector<std::pair<int, std::size_t>> found;
  for (const auto& near : threads.window(passage)) found.emplace_back(near.distance, near.passage);
  return found;
}

TEST(Threads, FindWhoStandsBesideWhomInWhateverOrderTheyCome) {
  const Passage passages[] = {turn(3, "a", 12), turn(1, "a", 10), turn(2, "a", 11),
                              turn(4, "b", 11), turn(5, "a", 16), turn(6, "a", 15)};
  const Threads threads(passages);
  EXPECT_THAT(window(threads, 1), ElementsAre(Pair(1, 2), Pair(2, 0)));
  EXPECT_THAT(window(threads, 0), ElementsAre(Pair(-2, 1), Pair(-1, 2), Pair(3, 5), Pair(4, 4)));
  EXPECT_THAT(window(threads, 3), IsEmpty());
  EXPECT_THAT(threads.before(0), Optional(2u));
  EXPECT_EQ(threads.before(1), std::nullopt);
  EXPECT_EQ(threads.before(5), std::nullopt);
}

TEST(Threads, TakeTheFirstOfSeveralInOnePlace) {
  const Passage passages[] = {turn(9, "a", 2), turn(5, "a", 2), turn(1, "a", 1)};
  EXPECT_THAT(window(Threads(passages), 2), ElementsAre(Pair(1, 1)));
}

TEST(Threads, NeedNeighboursAndTalkNeedsTwoAuthors) {
  const Passage passages[] = {turn(1, "talk", 1, "Ann"), turn(2, "talk", 2, "Bob"),
                              turn(3, "page", 1, "Ann"), turn(4, "page", 2, "Ann"),
                              turn(5, "alone", 1),       turn(6, "far", 1),
                              turn(7, "far", 6),         {.seq = 8, .thread = "talk"}};
  const Threads threads(passages);
  EXPECT_TRUE(threads.is_talk(0) && threads.is_threaded(0));
  EXPECT_TRUE(!threads.is_talk(2) && threads.is_threaded(2));
  for (const std::size_t alone : {4u, 5u, 6u, 7u})
    EXPECT_FALSE(threads.is_threaded(alone) || threads.is_talk(alone)) << alone;
}

TEST(Threads, BearPositionsAtTheEndsOfTheirRange) {
  using Limits = std::numeric_limits<std::int64_t>;
  const Passage passages[] = {turn(1, "a", Limits::max()), turn(2, "a", Limits::min())};
  const Threads threads(passages);
  EXPECT_FALSE(threads.is_threaded(1));
  EXPECT_FALSE(threads.is_threaded(0));
}

TEST(Meaning, IsTheMeanOfWhatIsKnownAroundWeightedByDistance) {
  const Passage passages[] = {turn(1, "a", 1, "", 0.8), turn(2, "a", 2, "", 0.4), turn(3, "a", 3)};
  const Threads threads(passages);
  EXPECT_NEAR(*meaning(passages, threads, 0), (0.8 + 0.25 * 0.4) / 1.25, 1e-12);
  EXPECT_NEAR(*meaning(passages, threads, 1), (0.4 + 0.25 * 0.8) / 1.25, 1e-12);
  EXPECT_NEAR(*meaning(passages, threads, 2), (0.1 * 0.8 + 0.25 * 0.4) / 0.35, 1e-12);
}

TEST(Meaning, OfAPassageAloneIsItsBestSentenceElseItsOwn) {
  const Passage passages[] = {
      {.seq = 1, .cosine = 0.3, .sentence_cosine = 0.6}, {.seq = 2, .cosine = 0.3}, {.seq = 3}};
  const Threads threads(passages);
  EXPECT_EQ(meaning(passages, threads, 0), 0.6);
  EXPECT_EQ(meaning(passages, threads, 1), 0.3);
  EXPECT_EQ(meaning(passages, threads, 2), std::nullopt);
}

}  // namespace
}  // namespace bb5::ranking
