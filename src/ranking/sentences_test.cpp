#include "ranking/sentences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SentenceTexts, AreCutBehindEndMarksBeforeSpace) {
  EXPECT_THAT(sentence_texts("Tea at 3.30! See example.org. And\nthen?  "),
              ElementsAre("Tea at 3.30!", "See example.org.", "And\nthen?"));
  EXPECT_THAT(sentence_texts("茶です。雨。"), ElementsAre("茶です。", "雨。"));
}

TEST(SentenceTexts, BearTheLabelOfTheContent) {
  EXPECT_THAT(sentence_texts("Ann: Yes. At four."), ElementsAre("Ann: Yes.", "Ann: At four."));
  EXPECT_THAT(sentence_texts("Yes. He said: at four."), ElementsAre("Yes.", "He said: at four."));
  EXPECT_THAT(sentence_texts("All that we decided on in the meeting of Monday: tea. Cake."),
              ElementsAre("All that we decided on in the meeting of Monday: tea.", "Cake."));
}

TEST(SentenceTexts, OfOneSentenceIsTheContentAndOfNothingNothing) {
  EXPECT_THAT(sentence_texts("  Ann: tea  "), ElementsAre("Ann: tea"));
  EXPECT_THAT(sentence_texts("Ann: "), ElementsAre("Ann:"));
  EXPECT_THAT(sentence_texts(" \n"), IsEmpty());
  EXPECT_THAT(sentence_texts("?!"), ElementsAre("?!"));
}

}  // namespace
}  // namespace bb5::ranking
