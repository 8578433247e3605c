#include "operations/retain/statement_words.hpp"

#include <gmock/gmock.h>

namespace bb5 {
namespace {

/// Words between spaces, each after its marks: `deploy on|friday`.
std::string read(std::string_view statement) {
  std::string line;
  for (const auto& [word, marks] : words_of(statement)) {
    line.append(line.empty() ? "" : " ").append(marks);
    line.append(marks.empty() ? "" : "|").append(word);
  }
  return line;
}

TEST(StatementWords, LeaveOutWhatSaysNothing) {
  EXPECT_EQ(read("We are really on the main branch now."), "on|main branch");
  EXPECT_EQ(read("Please note that the app is still slow"), "application slow");
  EXPECT_EQ(read(" \n"), "");
}

TEST(StatementWords, LeaveOutMarkdownAndPunctuation) {
  EXPECT_EQ(read("## **Tests** – _first_!"), "test first");
  EXPECT_EQ(read("> - [x] “Tests”, first…"), "test first");
  EXPECT_EQ(read("测试。"), "测试");
}

TEST(StatementWords, AnOpenTaskIsNotADoneOne) {
  EXPECT_EQ(read("- [ ] rotate keys"), "todo rotat key");
  EXPECT_EQ(read("see [1]"), "see 1");
}

TEST(StatementWords, LeaveOutTheKindOfNoteButNotAnIdea) {
  EXPECT_EQ(read("Decision: test"), "test");
  EXPECT_EQ(read("**Lesson:** test"), "test");
  EXPECT_EQ(read("Idea: test"), "idea test");
  EXPECT_EQ(read("Test the decision: go"), "test decision go");
}

TEST(StatementWords, PluralAndProgressAreNoOtherWords) {
  EXPECT_EQ(read("caches caching cache"), "cach cach cach");
  EXPECT_EQ(read("writes writing write"), "write write write");
  EXPECT_EQ(read("policies running boxes"), "policy run box");
  EXPECT_EQ(read("dbs class status"), "databas class status");
}

TEST(StatementWords, ShortWordsKeepWhatTellsThemApart) {
  EXPECT_NE(read("pip"), read("pipe"));
  EXPECT_NE(read("plan"), read("plane"));
  EXPECT_NE(read("Tim"), read("time"));
}

TEST(StatementWords, ThePastIsAnotherWord) {
  EXPECT_NE(read("Ada works"), read("Ada worked"));
  EXPECT_EQ(read("it was slow"), read("they were slow").substr(5));
  EXPECT_NE(read("it was slow"), read("it is slow"));
}

TEST(StatementWords, ShortFormsAreWrittenOut) {
  EXPECT_EQ(read("prod config of the K8s repo"),
            read("production configuration kubernetes repository"));
  EXPECT_EQ(read("three days due to DNS"), read("3 days because of DNS"));
  EXPECT_EQ(read("it won't go, can't go, isn't up"), "will not|go can not|go not up");
}

TEST(StatementWords, MarksBelongToTheWordBehindThem) {
  EXPECT_EQ(read("not from A1 to B1"), "not from|a1 to|b1");
  EXPECT_EQ(read("It has no tests"), "have not|test");
  EXPECT_EQ(read("During the night turn it on"), "during|night turn on");
}

TEST(StatementWords, NumbersInOneSpelling) {
  EXPECT_EQ(read("1,000 at 10:30 in v1.2"), "1000 at|10:30 in|1.2");
  EXPECT_EQ(read("1,2 and -5 and −5"), "1 2 -5 -5");
  EXPECT_EQ(read("2026-01-02"), "2026 01 02");
  EXPECT_EQ(read("90%"), read("90 percent"));
}

TEST(StatementWords, UnitsKeepTheirCase) {
  EXPECT_EQ(read("30s, 30 sec"), read("30 seconds 30 seconds"));
  EXPECT_EQ(read("5 min"), read("five minutes"));
  EXPECT_EQ(read("min 5"), read("minimum 5"));
  EXPECT_EQ(read("4GB"), read("4 GB"));
  EXPECT_NE(read("4 Mb"), read("4 MB"));
  EXPECT_NE(read("$20"), read("20 euros"));
}

TEST(StatementWords, SignsThatCount) {
  EXPECT_EQ(read("x >= 5, x ≥ 5"), "x >= 5 x >= 5");
  EXPECT_NE(read("x < 5"), read("x > 5"));
  EXPECT_EQ(read("Safe? Safe!"), "safe ? safe");
  EXPECT_EQ(read("C++, C#"), "c++ c#");
  EXPECT_EQ(read("~5 s"), read("roughly 5 seconds"));
}

TEST(StatementWords, OptionsStayAsTheyAre) {
  EXPECT_EQ(read("grep -V --no-color x-y"), "grep -V --no-color x y");
}

TEST(StatementWords, NamesOfThingsInCodeStayWhole) {
  EXPECT_EQ(read("user.email in /etc/app_2/config.toml"), "user.email in|etc app_2 config.toml");
}

TEST(StatementWords, OtherLanguagesWordForWord) {
  EXPECT_EQ(read("Über Nacht läuft der Dienst"), "über nacht läuft der dienst");
  EXPECT_EQ(read("Команда использует Rust"), "команда использует rust");
}

TEST(StatementWords, AnyBytesWillDo) {
  EXPECT_NO_THROW((void)read(std::string_view("\xFF\xC3 \0 n't '' -- - ` 5", 20)));
  EXPECT_EQ(read(std::string(100'000, '>')), "");
}

}  // namespace
}  // namespace bb5
