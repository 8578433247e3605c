#include "model/kept_apart.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

KeptApart apart(const std::string& a, const std::string& b) {
  return {.a = a, .b = b, .reason = "a test"};
}
EntityMerge merge(const std::string& from, const std::string& into) {
  return {.from_key = from, .into_key = into, .name = from, .reason = "resolver: spelling"};
}
std::vector<std::string> from_keys(const std::vector<EntityMerge>& merges) {
  std::vector<std::string> keys;
  for (const EntityMerge& merge : merges) keys.push_back(merge.from_key);
  return keys;
}

TEST(KeptApart, TheOrderOfTheTwoMeansNothing) {
  EXPECT_EQ(*kept_apart("t:b", "t:a", "why", {}), *kept_apart("t:a", "t:b", "why", {}));
  EXPECT_EQ(kept_apart("t:b", "t:a", "why", {})->a, "t:a");
}

TEST(KeptApart, AreTwoEntities) {
  EXPECT_THAT(kept_apart("t:a", "t:a", "", {}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(kept_apart("t:a", "b", "", {}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(kept_apart(":a", "t:b", "", {}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(kept_apart("t:a", "t:\xFF", "", {}), FailsWith(Errc::invalid_argument));
}

TEST(KeptApart, OneThatIsHeldStaysAsItWasRecorded) {
  const KeptApart held[] = {apart("t:a", "t:b")};
  KeptApart again = apart("t:b", "t:a");
  again.reason = "another";
  const KeptApart more[] = {again, apart("t:a", "t:c")};
  EXPECT_THAT(with_apart(held, more), HasValue(ElementsAre(held[0], apart("t:a", "t:c"))));
}

TEST(KeptApart, WhatIsMergedIsNoLongerApart) {
  const KeptApart held[] = {apart("t:a", "t:b"), apart("t:a", "t:d")};
  const EntityMerge chain[] = {merge("t:a", "t:c"), merge("t:b", "t:c")};
  EXPECT_THAT(still_apart(held, EntityMerges(chain)), ElementsAre(held[1]));
}

TEST(Mergeable, JoinsNothingThatIsKeptApart) {
  const KeptApart held[] = {apart("t:a", "t:b")};
  const EntityMerge proposed[] = {merge("t:b", "t:a"), merge("t:c", "t:a")};
  EXPECT_THAT(from_keys(mergeable({}, proposed, held)), ElementsAre("t:c"));
  EXPECT_THAT(from_keys(mergeable({}, proposed, {})), ElementsAre("t:b", "t:c"));
}

TEST(Mergeable, AlsoNotOverOthers) {
  const KeptApart held[] = {apart("t:a", "t:b")};
  const EntityMerge both[] = {merge("t:a", "t:c"), merge("t:b", "t:c")};
  EXPECT_THAT(from_keys(mergeable({}, both, held)), ElementsAre("t:a"));
  const EntityMerges merges{std::span<const EntityMerge>(both, 1)};
  EXPECT_THAT(mergeable(merges, std::span(both).last(1), held), IsEmpty());
  const EntityMerge longer[] = {merge("t:a", "t:x"), merge("t:x", "t:y"), merge("t:y", "t:b")};
  EXPECT_THAT(from_keys(mergeable({}, longer, held)), ElementsAre("t:a", "t:x"));
  const EntityMerge alias[] = {merge(":b", "t:c")};
  EXPECT_THAT(mergeable(EntityMerges(alias), std::span(both).first(1), held), IsEmpty());
}

TEST(Mergeable, LeavesOutWhatSomebodyElseHasMergedMeanwhile) {
  const EntityMerge held[] = {merge("t:a", "t:b")};
  const EntityMerge proposed[] = {merge("t:a", "t:c"), merge("t:b", "t:a"), merge("t:d", "t:b")};
  const auto merges = mergeable(EntityMerges(held), proposed, {});
  EXPECT_THAT(from_keys(merges), ElementsAre("t:d"));
  EXPECT_THAT(with_merges(EntityMerges(held), merges), HasValue(SizeIs(2)));
}

}  // namespace
}  // namespace bb5
