#include "ranking/time_words.hpp"

#include <gtest/gtest.h>

#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

bool tells(const char* text) {
  return tells_a_time(words_of(text));
}
bool asks(const char* text) {
  return asks_for_a_time(words_of(text));
}

TEST(TellsATime, ByWordsAndPhrases) {
  for (const char* text :
       {"I went yesterday.", "Last week was fun", "We left two years ago", "I have run since then",
        "for three months", "a few days in Rome", "a couple of weeks", "See you in March!",
        "on Friday", "this weekend", "It was 2019", "I just got a dog", "Recently"})
    EXPECT_TRUE(tells(text)) << text;
}

TEST(TellsATime, NotByWordsThatOnlyLookLikeIt) {
  for (const char* text : {"I may come", "It costs 3000", "the last page", "for two people",
                           "a couple of friends", "days", "just a dog", ""})
    EXPECT_FALSE(tells(text)) << text;
}

TEST(AsksForATime, ByItsFirstWordsOrHowLong) {
  for (const char* text : {"When did she go?", "What year was it?", "Which day?", "In which month?",
                           "For how long?", "Was it in what year?"})
    EXPECT_TRUE(asks(text)) << text;
  for (const char* text : {"What did she say when she went?", "How are you?", "Which dog?", ""})
    EXPECT_FALSE(asks(text)) << text;
}

}  // namespace
}  // namespace bb5::ranking
