// What docs/performance.md ("Near duplicates") reports, held to a floor.

#include "tools/near_duplicate_pairs.hpp"

#include <fstream>

#include "embedders/local/local_embedder.hpp"
#include "operations/retain/same_statement.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

std::vector<StatementPair> all_pairs() {
  auto pairs = read_statement_pairs(near_duplicates_file);
  EXPECT_THAT(pairs, Succeeds());
  return *pairs;
}

TEST(NearDuplicates, PairsAreManyAndMostAreHard) {
  std::size_t different = 0;
  std::size_t hard = 0;
  std::size_t held_out = 0;
  const auto pairs = all_pairs();
  for (const StatementPair& pair : pairs) {
    EXPECT_NE(pair.left, pair.right);
    different += pair.same ? 0 : 1;
    hard += !pair.same && pair.kind != "topic" ? 1 : 0;
    held_out += pair.held_out ? 1 : 0;
  }
  EXPECT_GE(pairs.size(), 300U);
  EXPECT_GE(pairs.size() - different, 100U);
  EXPECT_GT(hard, different / 2);
  EXPECT_EQ(held_out, pairs.size() / 2);
}

TEST(NearDuplicates, WhatMaySayTheSameHasOneWordKey) {
  std::size_t alike = 0;
  for (const StatementPair& pair : all_pairs()) {
    if (!may_say_the_same(pair.left, pair.right)) continue;
    ++alike;
    EXPECT_EQ(statement_key(pair.left), statement_key(pair.right))
        << pair.left << " | " << pair.right;
  }
  EXPECT_GT(alike, 50U);
}

TEST(NearDuplicates, WordsAloneTellAllDifferentOnesApart) {
  for (const StatementPair& pair : all_pairs()) {
    const bool may = may_say_the_same(pair.left, pair.right);
    EXPECT_TRUE(pair.same || !may) << pair.left << " / " << pair.right;
    EXPECT_EQ(may, may_say_the_same(pair.right, pair.left)) << pair.left << " / " << pair.right;
    EXPECT_TRUE(may_say_the_same(pair.left, pair.left));
  }
}

TEST(NearDuplicates, HeldOutPairsAreMergedRightly) {
  const auto embedder = new_local_embedder();
  if (!embedder && embedder.error().code == Errc::not_found)
    GTEST_SKIP() << "no model: run scripts/setup";
  ASSERT_THAT(embedder, Succeeds());
  const auto pairs = all_pairs();
  const auto cosines = cosines_of(pairs, **embedder);
  ASSERT_THAT(cosines, Succeeds());
  const MergeCounts held_out = count_merges(pairs, *cosines, true, near_duplicate_cosine);
  EXPECT_GE(held_out.precision(), 0.99);
  EXPECT_GE(held_out.recall(), 0.60);
}

TEST(NearDuplicatePairs, CountMergesByLabel) {
  MergeCounts counts;
  EXPECT_EQ(counts.precision(), 1);
  EXPECT_EQ(counts.recall(), 1);
  const StatementPair same{.same = true};
  const StatementPair different{.same = false};
  for (const bool merged : {true, true, true, false}) counts.add(same, merged);
  for (const bool merged : {true, false, false}) counts.add(different, merged);
  EXPECT_EQ(counts.precision(), 0.75);
  EXPECT_EQ(counts.recall(), 0.75);
}

TEST(NearDuplicatePairs, MergeOnlyWhatIsNearAndAgrees) {
  const StatementPair pair{.left = "Ada sleeps", .right = "Ada is sleeping"};
  EXPECT_TRUE(would_merge(pair, 0.9, 0.9));
  EXPECT_FALSE(would_merge(pair, 0.89, 0.9));
  EXPECT_FALSE(would_merge({.left = "Ada sleeps", .right = "Omar sleeps"}, 0.99, 0.9));
}

TEST(NearDuplicatePairs, DamageIsNamedByItsLine) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "pairs.tsv";
  EXPECT_THAT(read_statement_pairs(file), FailsWith(Errc::not_found));
  std::ofstream(file) << "headings\ndevelopment\tsame\tx\ta\tb\nheld_out\tsimilar\tx\ta\tb\n";
  const auto pairs = read_statement_pairs(file);
  ASSERT_THAT(pairs, FailsWith(Errc::corrupt));
  EXPECT_THAT(pairs.error().message, testing::HasSubstr("line 3"));
}

}  // namespace
}  // namespace bb5
