#include "operations/retain/same_statement.hpp"

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(SameStatement, OtherWordsMaySayTheSame) {
  EXPECT_TRUE(
      may_say_the_same("The service runs on PostgreSQL 16.", "Service runs on Postgres 16"));
  EXPECT_TRUE(may_say_the_same("Ada doesn't like it", "Ada does not like it."));
  EXPECT_TRUE(may_say_the_same("**Decision:** retry failed jobs", "We are retrying failed jobs."));
  EXPECT_TRUE(may_say_the_same("", ""));
}

TEST(SameStatement, WithoutWordsThatCountOnlyTheSameTextIsTheSame) {
  EXPECT_TRUE(may_say_the_same("It is.", "It is."));
  EXPECT_FALSE(may_say_the_same("It is.", "We are."));
  EXPECT_FALSE(may_say_the_same("", "!"));
}

TEST(SameStatement, NumbersMustAgree) {
  EXPECT_FALSE(may_say_the_same("It runs on PostgreSQL 15.", "It runs on PostgreSQL 16."));
  EXPECT_FALSE(may_say_the_same("Version 1.2.3 is out", "Version 1.2.4 is out"));
  EXPECT_FALSE(may_say_the_same("Due on 2026-01-02.", "Due on 2026-01-03."));
  EXPECT_FALSE(may_say_the_same("GPT-4 is used", "GPT-4o is used"));
  EXPECT_FALSE(may_say_the_same("5 of 5 passed", "5 passed"));
  EXPECT_FALSE(may_say_the_same("Keep 3 nightly, 2 weekly", "Keep 2 nightly, 3 weekly"));
}

TEST(SameStatement, DenialsMustAgree) {
  EXPECT_FALSE(may_say_the_same("The cache is used.", "The cache is not used."));
  EXPECT_FALSE(may_say_the_same("Tests pass", "Tests never pass"));
  EXPECT_FALSE(may_say_the_same("We do deploy on Friday", "We don’t deploy on Friday"));
  EXPECT_FALSE(may_say_the_same("Use tabs, not spaces", "Use spaces, not tabs"));
}

TEST(SameStatement, EveryWordThatIsNotKnownToBeEmptyMustAgree) {
  EXPECT_FALSE(may_say_the_same("Logging is enabled", "Logging is disabled"));
  EXPECT_FALSE(may_say_the_same("Ada owns billing", "Omar owns billing"));
  EXPECT_FALSE(may_say_the_same("ada drinks tea", "ada drinks coffee"));
  EXPECT_FALSE(may_say_the_same("It is safe", "It is probably safe"));
  EXPECT_FALSE(may_say_the_same("Deploy on Tuesday", "Deploy on Tuesday if tests pass"));
  EXPECT_FALSE(may_say_the_same("Der Dienst läuft", "Der Dienst läuft nicht"));
  EXPECT_FALSE(may_say_the_same("部署在每周二进行。", "部署在每周三进行。"));
}

TEST(SameStatement, CodeMustAgree) {
  EXPECT_FALSE(may_say_the_same("Call `open` first", "Call `close` first"));
  EXPECT_FALSE(may_say_the_same("Call `Open` first", "Call `open` first"));
  EXPECT_TRUE(may_say_the_same("Call `open` at first", "At first call `open`"));
  EXPECT_TRUE(may_say_the_same("Call `open` first", "Call open first"));
  EXPECT_TRUE(may_say_the_same("A lone ` mark", "A lone mark `"));
}

TEST(SameStatement, WhoDoesWhatToWhomMustAgree) {
  EXPECT_FALSE(may_say_the_same("Ada reviews Omar's code", "Omar reviews Ada's code"));
  EXPECT_FALSE(may_say_the_same("Move from A1 to B1", "Move from B1 to A1"));
  EXPECT_FALSE(may_say_the_same("Admins are users", "Users are admins"));
  EXPECT_FALSE(may_say_the_same("Lint first, then test", "Test first, then lint"));
  EXPECT_FALSE(may_say_the_same("The job is run by Ada", "The job is run for Ada"));
}

TEST(SameStatement, APartThatAMarkBeginsMayMove) {
  EXPECT_TRUE(may_say_the_same("After a crash, restart it", "Restart it after a crash"));
  EXPECT_TRUE(may_say_the_same("Deploy to staging on Friday", "Deploy on Friday to staging"));
  EXPECT_TRUE(may_say_the_same("Compile before testing", "Before testing, compile"));
  EXPECT_FALSE(may_say_the_same("Compile before testing", "Test before compiling"));
}

// The price of counting inflection and filler for nothing; docs/performance.md names them.
TEST(SameStatement, WhatIsTakenForTheSameThoughAPersonMightObject) {
  EXPECT_TRUE(may_say_the_same("Delete the branch", "Delete the branches"));
  EXPECT_TRUE(may_say_the_same("It is already done", "It is done"));
  EXPECT_TRUE(
      may_say_the_same("In Berlin Ada leads, at Acme Omar", "Ada leads, at Acme Omar in Berlin"));
}

TEST(SameStatement, WordKeysOfTurnedAndMovedPartsAreEqualAndOfOtherWordsNot) {
  EXPECT_EQ(statement_key("After a crash, restart the worker"),
            statement_key("Restart the worker after a crash"));
  EXPECT_EQ(statement_key("Ada sleeps well"), statement_key("Ada is sleeping well"));
  EXPECT_NE(statement_key("PostgreSQL 15 is used"), statement_key("PostgreSQL 16 is used"));
  EXPECT_NE(statement_key("!!"), statement_key("??")) << "no words: the text itself counts";
}

TEST(SameStatement, TimeIsLinear) {
  std::string quotes;
  std::string words;
  for (int i = 0; i < 100'000; ++i) {
    quotes += " > ";
    words += "on a1 ";
  }
  EXPECT_FALSE(may_say_the_same(quotes + "ends", "ends not" + quotes));
  EXPECT_FALSE(may_say_the_same(words + "ends", "ends " + words));
}

TEST(SameStatement, PartsThatBeginAlikeMustKeepTheirPlaces) {
  EXPECT_FALSE(may_say_the_same("To staging on Monday, to production on Friday",
                                "To staging on Friday, to production on Monday"));
  EXPECT_FALSE(may_say_the_same("In Berlin Ada, in Paris Omar", "Ada in Paris, Omar in Berlin"));
  EXPECT_FALSE(may_say_the_same("Use the old one in staging and the new one in production",
                                "Use the old one in production and the new one in staging"));
}

}  // namespace
}  // namespace bb5
