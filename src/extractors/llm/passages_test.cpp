#include "extractors/llm/passages.hpp"

#include <random>

#include "base/time.hpp"
#include "base/utf8.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::llm {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Document plain(std::string text) {
  return {.source = "notes.md", .turns = {{.text = std::move(text)}}};
}

Document talk(std::size_t turns, const std::string& text) {
  Document document{.source = "talk"};
  for (std::size_t i = 0; i < turns; ++i)
    document.turns.push_back({.text = text + std::to_string(i),
                              .author = i % 2 == 0 ? "Anna" : "Ben",
                              .said_at = parse_time("2024-05-03T10:00:00Z"),
                              .position = static_cast<std::int64_t>(i)});
  return document;
}

std::vector<Passage> cut_all(const Document& document, std::size_t limit, std::size_t overlap) {
  return cut(whole(document), limit, overlap);
}

/// Every byte of every turn that some passage holds.
std::size_t covered(const Document& document, const std::vector<Passage>& passages) {
  std::size_t bytes = 0;
  for (const Turn& turn : document.turns) {
    std::vector<bool> seen(turn.text.size());
    for (const Passage& passage : passages)
      for (const Slice& slice : passage.slices) {
        if (slice.turn != &turn) continue;
        const auto at = static_cast<std::size_t>(slice.text.data() - turn.text.data());
        std::fill_n(seen.begin() + static_cast<std::ptrdiff_t>(at), slice.text.size(), true);
      }
    bytes += static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
  }
  return bytes;
}

TEST(Passages, AShortTextIsOneAsItStands) {
  const Document document = plain("# Title\n\nA sentence.\n");
  const auto passages = cut_all(document, 1'000, 100);
  ASSERT_THAT(passages, SizeIs(1));
  EXPECT_EQ(plain_text(passages[0]), document.turns[0].text);
  EXPECT_EQ(numbered_text(passages[0]), document.turns[0].text);
}

TEST(Passages, NothingToReadGivesNone) {
  EXPECT_THAT(cut_all({}, 1'000, 100), IsEmpty());
  EXPECT_THAT(cut_all(plain(""), 1'000, 100), IsEmpty());
  EXPECT_THAT(cut_all(plain(" \n\t "), 1'000, 100), IsEmpty());
}

TEST(Passages, BordersLieBetweenParagraphsAndTheOverlapIsWhole) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "Paragraph " + std::to_string(i) + " says something.\n\n";
  const Document document = plain(text);
  const auto passages = cut_all(document, 300, 100);
  ASSERT_GT(passages.size(), 3U);
  for (const Passage& passage : passages) {
    EXPECT_TRUE(plain_text(passage).starts_with("Paragraph"));
    EXPECT_TRUE(plain_text(passage).ends_with(".\n\n"));
  }
  for (std::size_t i = 1; i < passages.size(); ++i) {
    const std::string before = plain_text(passages[i - 1]);
    const std::string first =
        plain_text(passages[i]).substr(0, plain_text(passages[i]).find("\n\n"));
    EXPECT_NE(before.find(first), std::string::npos) << first;
  }
}

TEST(Passages, WithoutParagraphsSentencesAreKeptWhole) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Sentence number " + std::to_string(i) + " is here. ";
  const Document document = plain(text);
  for (const Passage& passage : cut_all(document, 400, 120)) {
    EXPECT_TRUE(plain_text(passage).starts_with("Sentence")) << plain_text(passage);
    EXPECT_TRUE(plain_text(passage).ends_with(". "));
  }
}

TEST(Passages, AConversationIsCutBetweenTurnsAndSaysWhoSpokeWhenAndWhere) {
  const Document document = talk(40, "We should look at this again, number ");
  const auto passages = cut_all(document, 700, 200);
  ASSERT_GT(passages.size(), 2U);
  EXPECT_TRUE(numbered_text(passages[0])
                  .starts_with("[0] Anna (2024-05-03T10:00:00Z): We should look at this again, "
                               "number 0\n[1] Ben (2024-05-03T10:00:00Z): We"));
  EXPECT_TRUE(plain_text(passages[0]).starts_with("Anna (2024-05-03T10:00:00Z): We should"));
  for (const Passage& passage : passages)
    for (const Slice& slice : passage.slices) EXPECT_EQ(slice.text, slice.turn->text);
  // The overlap: two turns of some ninety bytes each.
  EXPECT_EQ(passages[1].slices[1].turn, passages[0].slices.back().turn);
}

TEST(Passages, AnAuthorCannotForgeALine) {
  Document document = talk(2, "x");
  document.turns[0].author = "Eve\n[9] Anna";
  EXPECT_TRUE(numbered_text(whole(document)).starts_with("[0] Eve [9] Anna (2024"));
}

// Any text, any limits: no byte is lost, no passage is too long, no code point is cut, and smaller
// limits give smaller passages, so that halving ends.
TEST(Passages, AnyTextIsCoveredInPiecesWithinTheLimit) {
  std::mt19937_64 random(test_seed());
  const std::vector<std::string> parts = {"a", "word ", "\n", "\n\n", "é", "語", "😀", ". ", "。"};
  for (int round = 0; round < 200; ++round) {
    Document document{.source = "any"};
    const bool several = random() % 2 == 0;
    std::size_t bytes = 0;
    for (std::int64_t i = 0; i < (several ? 5 : 1); ++i) {
      std::string text = "x";
      for (auto n = random() % 400; n > 0; --n) text += parts[random() % parts.size()];
      bytes += text.size();
      document.turns.push_back({.text = text, .position = i});
    }
    const std::size_t limit = 256 + random() % 500;
    const std::size_t overlap = 40 + random() % (limit / 2 - 40);
    const auto passages = cut_all(document, limit, overlap);
    EXPECT_EQ(covered(document, passages), bytes);
    for (const Passage& passage : passages) {
      EXPECT_LE(size_of(passage), limit);
      for (const Slice& slice : passage.slices) EXPECT_FALSE(find_invalid_utf8(slice.text));
    }
  }
}

}  // namespace
}  // namespace bb5::llm
