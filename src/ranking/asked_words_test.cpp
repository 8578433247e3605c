#include "ranking/asked_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/english_words.hpp"

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> terms(const AskedWords& asked) {
  std::vector<std::string> found;
  for (const AskedTerm& one : asked.terms) found.push_back(one.term);
  return found;
}

TEST(AskedWords, AreTheTermsEachOnceWithTheirSpellings) {
  const auto asked = asked_words("Why was the cache cached, caches?");
  EXPECT_THAT(asked.terms, ElementsAre(AskedTerm{"cach", {"cache", "cached", "caches"}}));
  EXPECT_FALSE(asked.has_conditions());
  EXPECT_THAT(asked_words("is it?").terms, IsEmpty());
}

TEST(AskedWords, KnowIrregularFormsOfAWord) {
  const auto asked = asked_words("taught").terms;
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_THAT(asked[0].words, ElementsAre("taught", "teach"));
  EXPECT_THAT(spellings_of("go"), ElementsAre("go", "goes", "gone", "went"));
  EXPECT_THAT(spellings_of("tea"), ElementsAre("tea"));
}

TEST(AskedWords, TakeQuotesForConditionsAndWordsToo) {
  const auto asked = asked_words(R"(why "Connection pool" slow "" "the")");
  EXPECT_THAT(terms(asked), ElementsAre("connect", "pool", "slow"));
  EXPECT_THAT(asked.required, ElementsAre(Phrase{"connection", "pool"}));
  EXPECT_THAT(asked_words(R"(an "open quote)").required, IsEmpty());
}

TEST(AskedWords, TakeAMinusForACondition) {
  const auto asked = asked_words(R"(pool -redis -"in memory" -5 Jean-Luc a - b)");
  EXPECT_THAT(terms(asked), ElementsAre("pool", "5", "jean", "luc", "b"));
  EXPECT_THAT(asked.forbidden, ElementsAre(Phrase{"redis"}, Phrase{"in", "memory"}));
  EXPECT_THAT(asked_words("-\"open").forbidden, IsEmpty());
  EXPECT_THAT(asked_words("-").terms, IsEmpty());
}

TEST(AskedWords, LeaveTheOptionsOfProgramsAlone) {
  const auto asked = asked_words("what does rm -rf --force -x do");
  EXPECT_THAT(asked.forbidden, IsEmpty());
  EXPECT_THAT(terms(asked), ElementsAre("rm", "rf", "forc", "x"));
}

TEST(AskedWords, TakeNoConditionsFromSomebodysText) {
  const char* lines = "It says:\n\"connection refused\" -again";
  EXPECT_FALSE(asked_words(lines).has_conditions());
  EXPECT_THAT(terms(asked_words(lines)), ElementsAre("sai", "connect", "refus", "again"));
  std::string text = "\"pool\" -redis";
  for (std::size_t i = 2; i < most_words_with_conditions; ++i) text += " word";
  EXPECT_TRUE(asked_words(text).has_conditions());
  EXPECT_FALSE(asked_words(text + " more").has_conditions());
}

TEST(AskedWords, AreNotMoreThanADocumentHas) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += " w" + std::to_string(i);
  EXPECT_THAT(asked_words(text).terms, SizeIs(most_asked_terms));
}

TEST(MeetsConditions, ComparesByTerms) {
  const auto asked = asked_words(R"("state of the art" -"two writers")");
  EXPECT_TRUE(meets_conditions(asked, "It is state-of-the-art."));
  EXPECT_FALSE(meets_conditions(asked, "The art of a state"));
  EXPECT_FALSE(meets_conditions(asked, "State of the art, with two writers"));
  EXPECT_TRUE(meets_conditions(asked_words("anything"), ""));
}

}  // namespace
}  // namespace bb5::ranking
