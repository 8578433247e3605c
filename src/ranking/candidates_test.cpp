#include "ranking/candidates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/memory.hpp"

namespace bb5::ranking {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

MemoryId id(int number) {
  return memory_id_of(std::to_string(number));
}

std::vector<MemoryId> ids(int first, int last) {
  std::vector<MemoryId> made;
  for (int i = first; i <= last; ++i) made.push_back(id(i));
  return made;
}

/// One thread of memories 0 to 999; remembers what it was asked.
class OneThread final : public ThreadNeighbours {
 public:
  Result<std::vector<Neighbour>> near(std::span<const Reach> memories) const override {
    asked.assign(memories.begin(), memories.end());
    ++calls;
    if (fails) return Error{Errc::unavailable, "gone"};
    std::vector<Neighbour> found;
    for (const Reach& memory : memories) {
      for (int i = 0; i < 1000; ++i) {
        if (id(i) == memory.id) add_around(memory, i, found);
      }
    }
    return found;
  }
  mutable std::vector<Reach> asked;
  mutable int calls = 0;
  bool fails = false;

 private:
  static void add_around(const Reach& memory, int place, std::vector<Neighbour>& found) {
    for (int other = std::max(0, place - memory.positions);
         other <= std::min(999, place + memory.positions); ++other) {
      if (other != place) found.push_back({memory.id, id(other), std::abs(other - place)});
    }
  }
};

TEST(SelectCandidates, TakesTheArmsAndWhoStandsTwoBesideTheirBest) {
  const OneThread thread;
  const auto selection = select_candidates(ids(500, 500), ids(700, 700), thread);
  ASSERT_TRUE(selection);
  EXPECT_THAT(selection->candidates, SizeIs(10));
  EXPECT_EQ(selection->candidates[0], id(500));
  EXPECT_EQ(selection->candidates[1], id(700));
  EXPECT_THAT(selection->candidates, Contains(id(502)));
  EXPECT_THAT(selection->candidates, Not(Contains(id(503))));
  EXPECT_THAT(selection->context, SizeIs(16));
  EXPECT_THAT(selection->context, Contains(id(506)));
  EXPECT_EQ(thread.calls, 1);
}

TEST(SelectCandidates, GivesEachCandidateItsWholeWindowAndNobodyTwice) {
  std::vector<MemoryId> words;
  for (int i = 0; i < 100; ++i) words.push_back(id(i * 8));
  const OneThread thread;
  const auto selection = select_candidates(words, ids(3, 4), thread);
  ASSERT_TRUE(selection);
  std::vector<MemoryId> all = selection->candidates;
  all.insert(all.end(), selection->context.begin(), selection->context.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  EXPECT_THAT(all, Contains(id(99 * 8 + 4)));  // the hundredth hit's window
  EXPECT_THAT(all, Not(Contains(id(101 * 8))));
  EXPECT_THAT(selection->candidates, Contains(id(49 * 8 + 2)));
  EXPECT_THAT(selection->candidates, Not(Contains(id(50 * 8 + 2))));
}

TEST(SelectCandidates, ReachesFurtherFromAHitThatIsAmongTheBestOfEitherArm) {
  auto meaning = ids(800, 899);
  const OneThread thread;
  const auto selection = select_candidates(ids(899, 899), meaning, thread);
  ASSERT_TRUE(selection);
  EXPECT_THAT(thread.asked, SizeIs(100));
  EXPECT_EQ(thread.asked.front(), (Reach{id(899), 6}));
  EXPECT_EQ(thread.asked.back(), (Reach{id(898), 4}));
}

TEST(SelectCandidates, OfNothingIsNothingAndErrorsArePassedOn) {
  OneThread thread;
  const auto none = select_candidates({}, {}, thread);
  ASSERT_TRUE(none);
  EXPECT_THAT(none->candidates, IsEmpty());
  EXPECT_THAT(none->context, IsEmpty());
  thread.fails = true;
  const auto failed = select_candidates(ids(1, 1), {}, thread);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace bb5::ranking
