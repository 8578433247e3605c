#include "ranking/authors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

const std::vector<std::string> authors = {"Melanie", "Jon", "Jonathan Doe", "Åsa", "Ann", "李"};

TEST(NamesIn, AreCapitalisedWordsOnceAndNoStopWords) {
  EXPECT_THAT(names_in("What did Mel's friend Åsa tell Mel’s mum?"), ElementsAre("mel", "asa"));
  EXPECT_THAT(names_in("what did she say"), IsEmpty());
}

TEST(NamedAuthor, IsNamedByNameOrItsBeginning) {
  EXPECT_THAT(named_author("What did Melanie buy?", authors),
              Optional(std::string_view("Melanie")));
  EXPECT_THAT(named_author("What did Mel buy?", authors), Optional(std::string_view("Melanie")));
  EXPECT_THAT(named_author("Where is Doe?", authors), Optional(std::string_view("Jonathan Doe")));
  EXPECT_THAT(named_author("Did ASA call?", authors), Optional(std::string_view("Åsa")));
  EXPECT_THAT(named_author("李 说了什么", authors), Optional(std::string_view("李")));
}

TEST(NamedAuthor, IsTheOneOfThatNameRatherThanOneWhoseNameItBegins) {
  EXPECT_THAT(named_author("Who is Jon?", authors), Optional(std::string_view("Jon")));
}

TEST(NamedAuthor, IsNobodyWhenSeveralOrNoneAreNamed) {
  EXPECT_EQ(named_author("Did Melanie meet Jon?", authors), std::nullopt);
  EXPECT_EQ(named_author("Did Me go?", authors), std::nullopt);
  EXPECT_EQ(named_author("did melanie go?", authors), std::nullopt);
  EXPECT_EQ(named_author("Did Rome fall?", authors), std::nullopt);
  EXPECT_EQ(named_author("", authors), std::nullopt);
  EXPECT_EQ(named_author("Mel?", {}), std::nullopt);
}

TEST(WithoutAuthor, TakesOffOnlyTheAuthorAndItsColon) {
  EXPECT_EQ(without_author("Jon: tea", "Jon"), " tea");
  EXPECT_EQ(without_author("Jon likes: tea", "Jon"), "Jon likes: tea");
  EXPECT_EQ(without_author("Jonas: tea", "Jon"), "Jonas: tea");
  EXPECT_EQ(without_author(": tea", ""), ": tea");
}

}  // namespace
}  // namespace bb5::ranking
