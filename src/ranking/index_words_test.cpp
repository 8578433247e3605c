#include "ranking/index_words.hpp"

#include <gtest/gtest.h>

namespace bb5::ranking {
namespace {

TEST(ExtraWords, OfPlainTextAreNone) {
  EXPECT_EQ(extra_words("We chose PostgreSQL's, since 16 is out. Why? (Ask me.)", ""),
            "postgresql postgre sql s");
  EXPECT_EQ(extra_words("We chose it, since 16 is out. Why? (Ask me.)", ""), "");
  EXPECT_EQ(extra_words("", ""), "");
}

TEST(ExtraWords, AreThePartsOfWhatIsComposed) {
  EXPECT_EQ(extra_words("see src/main.cpp and getUserName()", ""),
            "src main cpp getusername get user name");
  EXPECT_EQ(extra_words("it is 3.5 now", ""), "3 5");
}

TEST(ExtraWords, ArePairsOfIdeographs) {
  EXPECT_EQ(extra_words("in 東京 today", ""), "東 東京 京");
  EXPECT_EQ(extra_words("a café. Привет, мир!", ""), "cafe");
}

TEST(ExtraWords, NameTheAuthorWhoDoesNotStandInTheText) {
  EXPECT_EQ(extra_words("I like tea", "Ann Lee"), "ann lee");
  EXPECT_EQ(extra_words("Ann Lee: I like tea", "Ann Lee"), "");
}

}  // namespace
}  // namespace bb5::ranking
