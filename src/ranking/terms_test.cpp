#include "ranking/terms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/date_terms.hpp"
#include "ranking/english_words.hpp"

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WordsOf, AreRunsOfLettersAndDigitsInLowerCase) {
  EXPECT_THAT(words_of("I'm at PostgreSQL-16, isn't it?"),
              ElementsAre("i", "m", "at", "postgresql", "postgre", "sql", "16", "isn", "t", "it"));
  EXPECT_THAT(words_of(" \t?! "), IsEmpty());
  EXPECT_THAT(words_of(""), IsEmpty());
}

TEST(WordsOf, TakesMarksOffLettersAndCutsAsInAsciiBesideThem) {
  EXPECT_THAT(words_of("Café – it’s Müller’s"), ElementsAre("cafe", "it", "s", "muller", "s"));
}

TEST(WordsOf, KeepsWordsOfOtherScripts) {
  EXPECT_THAT(words_of("Привет, мир 2"), ElementsAre("привет", "мир", "2"));
  EXPECT_THAT(words_of("हिन्दी भाषा"), ElementsAre("हिन्दी", "भाषा"));
}

TEST(WordsOf, CutsScriptsWithoutSpacesIntoPairsAndSingleIdeographs) {
  EXPECT_THAT(words_of("東京都"), ElementsAre("東", "東京", "京", "京都", "都"));
  EXPECT_THAT(words_of("カレーx"), ElementsAre("カレ", "レー", "x"));
  EXPECT_THAT(words_of("あ"), ElementsAre("あ"));
  EXPECT_THAT(words_of("黒い猫, 猫"), ElementsAre("黒", "黒い", "い猫", "猫", "猫"));
}

TEST(WordsOf, CutIdentifiersToo) {
  EXPECT_THAT(words_of("getUserName()"), ElementsAre("getusername", "get", "user", "name"));
  EXPECT_THAT(words_of("an HTTPServer_v2"),
              ElementsAre("an", "httpserver", "http", "server", "v2"));
  EXPECT_THAT(words_of("é userId"), ElementsAre("e", "userid", "user", "id"));
  EXPECT_THAT(words_of("NASA iPhone McX A"), ElementsAre("nasa", "iphone", "mcx", "a"));
}

TEST(WordsOf, LetIllFormedBytesPartWords) {
  EXPECT_THAT(words_of("tea\xFF"
                       "cup\xC3"),
              ElementsAre("tea", "cup"));
}

// Examples of the paper.
TEST(TermOf, StemsAsPorterDoes) {
  EXPECT_EQ(term_of("caresses"), "caress");
  EXPECT_EQ(term_of("ponies"), "poni");
  EXPECT_EQ(term_of("motoring"), "motor");
  EXPECT_EQ(term_of("relational"), "relat");
  EXPECT_EQ(term_of("2023"), "2023");
}

TEST(TermOf, KnowsIrregularForms) {
  EXPECT_EQ(term_of("went"), term_of("going"));
  EXPECT_EQ(term_of("bought"), term_of("buying"));
  EXPECT_EQ(term_of("mom"), term_of("mums"));
  EXPECT_EQ(base_form("zebra"), "zebra");
  EXPECT_EQ(base_form(""), "");
}

TEST(TermOf, LeavesOtherLettersAlone) {
  EXPECT_EQ(term_of("домами"), "домами");
}

TEST(TermsOf, LeaveStopWordsOutAndMayBeDistinct) {
  EXPECT_THAT(terms_of("When did the cats go to cats?"), ElementsAre("cat", "go", "cat"));
  EXPECT_THAT(distinct_terms_of("When did the cats go to cats?"), ElementsAre("cat", "go"));
}

TEST(DateTerms, AreWhatTheTextOfTheDateWouldGive) {
  const auto time = parse_time("2023-05-08T23:59:59Z");
  EXPECT_EQ(date_terms(*time), terms_of("8 may 2023"));
  EXPECT_EQ(date_terms(*parse_time("1999-12-31")), terms_of("31 December 1999"));
}

}  // namespace
}  // namespace bb5::ranking
