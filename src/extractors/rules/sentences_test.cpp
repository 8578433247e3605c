#include "extractors/rules/sentences.hpp"

#include <random>

#include "extractors/rules/words.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::rules {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(Sentences, EndAtTheirMarks) {
  EXPECT_THAT(split_sentences("One. Two! Three? Four"),
              ElementsAre("One.", "Two!", "Three?", "Four"));
}

TEST(Sentences, DoNotEndAtAbbreviationsNumbersAndInitials) {
  EXPECT_THAT(split_sentences("Use a store, e.g. SQLite 3.40, as J. Smith and Dr. Wu do. Good."),
              ElementsAre("Use a store, e.g. SQLite 3.40, as J. Smith and Dr. Wu do.", "Good."));
}

TEST(Sentences, EndAtABlankLineAndAtWideMarks) {
  EXPECT_THAT(split_sentences("no mark\n\nhere"), ElementsAre("no mark", "here"));
}

TEST(Sentences, PartsHoldWholeSentencesAsFarAsTheyFit) {
  EXPECT_THAT(split_text("Aaaa. Bbbb. Cccc.", 11), ElementsAre("Aaaa. Bbbb.", "Cccc."));
  EXPECT_THAT(split_text("aaaa bbbb cccc", 9), ElementsAre("aaaa bbbb", "cccc"));
  EXPECT_THAT(split_text(std::string(25, 'x'), 10), SizeIs(3));
}

TEST(Sentences, OfAPartLoseNothingButWhiteSpace) {
  std::mt19937_64 random(test_seed());
  static constexpr std::string_view pieces[] = {"a", "word ", ". ",    "\n\n", "! ",
                                                "ü", "。",    "e.g. ", "  ",   "3.5"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = random() % 40; count > 0; --count)
      text += pieces[random() % std::size(pieces)];
    const std::size_t limit = 1 + random() % 20;
    SCOPED_TRACE(text);
    std::string joined;
    for (const std::string_view part : split_text(text, limit)) {
      EXPECT_LE(count_characters(part), limit);
      EXPECT_FALSE(part.empty());
      joined += part;
    }
    const auto dense = [](std::string from) {
      std::erase_if(from, [](char c) { return c == ' ' || c == '\n'; });
      return from;
    };
    EXPECT_EQ(dense(joined), dense(text));
  }
}

}  // namespace
}  // namespace bb5::rules
