#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

std::vector<std::string> tokens_of(std::string_view text) {
  const Words words(text);
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < words.size(); ++i) tokens.emplace_back(words.raw(i));
  return tokens;
}

using testing::ElementsAre;

TEST(Words, KeepNamesOfThingsWhole) {
  EXPECT_THAT(tokens_of("See src/a/b.cpp, `git push` and well-known Node.js (v1.2)."),
              ElementsAre("See", "src/a/b.cpp", ",", "git push", "and", "well-known", "Node.js",
                          "(", "v1.2", ")", "."));
  EXPECT_THAT(tokens_of("C++ or C#? std::string, TASK-12 fixes #7; ask @alice"),
              ElementsAre("C++", "or", "C#", "?", "std::string", ",", "TASK-12", "fixes", "#7", ";",
                          "ask", "@alice"));
}

TEST(Words, PartWhatASlashJoinsUnlessItIsAPath) {
  EXPECT_THAT(tokens_of("PostgreSQL/Neo4j and/or ./run.sh"),
              ElementsAre("PostgreSQL", "Neo4j", "and", "or", "./run.sh"));
}

TEST(Words, TakeNumbersDatesAndTimesAsOne) {
  EXPECT_THAT(tokens_of("1,080 rows on 2026-02-04 at 03:50, 3.5 %"),
              ElementsAre("1,080", "rows", "on", "2026-02-04", "at", "03:50", ",", "3.5", "%"));
}

TEST(Words, CutAUrlBeforeThePunctuationBehindIt) {
  EXPECT_THAT(tokens_of("(https://a.org/x?y=1)."),
              ElementsAre("(", "https://a.org/x?y=1", ")", "."));
}

TEST(Words, SetThePossessiveAsideAndTheCall) {
  const Words words("Redis's cache calls flush() now");
  EXPECT_EQ(words.raw(0), "Redis");
  EXPECT_TRUE(words[0].possessive);
  EXPECT_EQ(words.raw(3), "flush");
  EXPECT_TRUE(words[3].call);
}

TEST(Words, KnowWhereAClauseStarts) {
  const Words words("The end. Next: it, Then\nLine");
  std::vector<std::string> starts;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i].starts_clause && words[i].kind == Token::Kind::word)
      starts.emplace_back(words.raw(i));
  EXPECT_THAT(starts, ElementsAre("The", "Next", "it", "Line"));
}

TEST(Words, ReadLettersOfAnyScript) {
  EXPECT_THAT(tokens_of("Zürich — 東京です。Ж"), ElementsAre("Zürich", "—", "東京です", "。", "Ж"));
  EXPECT_TRUE(Words("Über")[0].capital);
}

TEST(Text, IsShortenedAtAWordsEndAndSaysSo) {
  EXPECT_EQ(shortened("one two three", 20), "one two three");
  EXPECT_EQ(shortened("one two three", 10), "one two…");
  EXPECT_EQ(count_characters(shortened(std::string(50, 'x'), 10)), 10U);
}

TEST(Text, OfSignsAloneSaysNothing) {
  EXPECT_FALSE(says_something("--- *** 🙂 …"));
  EXPECT_TRUE(says_something("— 7"));
}

}  // namespace
}  // namespace bb5::rules
