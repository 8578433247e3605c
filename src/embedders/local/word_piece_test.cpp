#include "embedders/local/word_piece.hpp"

#include <string>

#include "embedders/local/bert_characters.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5::local {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// A vocabulary small enough to read; the golden test of local_embedder_test.cpp has the real one.
constexpr const char* pieces[] = {
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "a", "b",   "##b", "!",
    ",",     "cafe",  "中",    "文",    "[",      "]",  "mask",  "é",      "ß", "##!", "$"};

std::string small_vocabulary() {
  std::string text;
  for (const char* piece : pieces) text.append(piece).append("\n");
  return text;
}

class SmallWordPiece : public testing::Test {
 protected:
  static WordPiece make() {
    return *WordPiece::over(*Vocabulary::parse(small_vocabulary(), "vocab.txt"), "vocab.txt");
  }
  [[nodiscard]] std::vector<std::string> read(std::string_view text,
                                              std::size_t limit = 256) const {
    std::vector<std::string> tokens;
    for (const auto of : tokenizer_.encode(text, limit))
      tokens.emplace_back(pieces[static_cast<std::size_t>(of)]);
    return tokens;
  }
  WordPiece tokenizer_ = make();
};

TEST_F(SmallWordPiece, NoTextIsTheTwoEnds) {
  EXPECT_THAT(read(""), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_THAT(read(" \t\n\u3000"), ElementsAre("[CLS]", "[SEP]"));
}

TEST_F(SmallWordPiece, TakesTheLongestPieceFromTheLeft) {
  EXPECT_THAT(read("unaffable"), ElementsAre("[CLS]", "un", "##aff", "##able", "[SEP]"));
}

TEST_F(SmallWordPiece, AWordThatThePiecesDoNotCoverIsUnknown) {
  EXPECT_THAT(read("a unaffordable b"), ElementsAre("[CLS]", "a", "[UNK]", "b", "[SEP]"));
}

TEST_F(SmallWordPiece, AccentsAndCaseDoNotCount) {
  EXPECT_THAT(read("CAFÉ Cafe\u0301 cafe"), ElementsAre("[CLS]", "cafe", "cafe", "cafe", "[SEP]"));
}

TEST_F(SmallWordPiece, PunctuationAndAsciiSymbolsAreWords) {
  EXPECT_THAT(read("a!b,$"), ElementsAre("[CLS]", "a", "!", "b", ",", "$", "[SEP]"));
}

TEST_F(SmallWordPiece, IdeographsAreWords) {
  EXPECT_THAT(read("a中文b"), ElementsAre("[CLS]", "a", "中", "文", "b", "[SEP]"));
}

TEST_F(SmallWordPiece, ControlCharactersJoinWhatTheyStandBetween) {
  EXPECT_THAT(read(std::string_view("a\0\x01\u200B\xEF\xBF\xBD"
                                    "b",
                                    10)),
              ElementsAre("[CLS]", "a", "##b", "[SEP]"));
}

TEST_F(SmallWordPiece, IllFormedBytesCountForNothing) {
  EXPECT_THAT(read("a\xFF\xC3"
                   "b\xE4\xB8"),
              ElementsAre("[CLS]", "a", "##b", "[SEP]"));
}

TEST_F(SmallWordPiece, SpecialTokensInTheTextAreThemselves) {
  EXPECT_THAT(read("a[MASK]b [SEP]"), ElementsAre("[CLS]", "a", "[MASK]", "b", "[SEP]", "[SEP]"));
  EXPECT_THAT(read("[mask]"), ElementsAre("[CLS]", "[", "mask", "]", "[SEP]"));
  EXPECT_THAT(read("[[PAD]"), ElementsAre("[CLS]", "[", "[PAD]", "[SEP]"));
}

TEST_F(SmallWordPiece, CutsAtTheLimitAndEndsAllTheSame) {
  EXPECT_THAT(read("a b a b", 4), ElementsAre("[CLS]", "a", "b", "[SEP]"));
  EXPECT_THAT(read("a b", 4), ElementsAre("[CLS]", "a", "b", "[SEP]"));
  EXPECT_THAT(read("unaffable", 4), ElementsAre("[CLS]", "un", "##aff", "[SEP]"));
  EXPECT_THAT(read("a[MASK]", 2), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_THAT(tokenizer_.encode(std::string(1'000'000, '!'), 256), SizeIs(256));
}

TEST_F(SmallWordPiece, AWordOfMoreThanAHundredCharactersIsUnknown) {
  EXPECT_THAT(read("a" + std::string(99, 'b')), SizeIs(102));
  EXPECT_THAT(read("a" + std::string(100, 'b')), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
}

// Where Unicode changed its mind after version 8, which the reference's tables are of: found by
// comparing all code points with it.
TEST(BertCharacters, AreThoseOfUnicode8) {
  EXPECT_TRUE(bert::is_punctuation(0x166D));
  EXPECT_TRUE(bert::is_punctuation(0x111C9));
  EXPECT_FALSE(bert::is_punctuation(0x061D));
  EXPECT_TRUE(bert::is_mark(0x1734));
  for (const char32_t c : {0x1885U, 0x1886U, 0xA9BDU, 0x111C9U}) EXPECT_FALSE(bert::is_mark(c));
  EXPECT_FALSE(bert::is_mark(0x1ACF));    // Unicode 14
  EXPECT_FALSE(bert::is_removed(0x8E2));  // Unicode 9
}

TEST(Vocabulary, NumbersPiecesByTheirLines) {
  const auto vocabulary = Vocabulary::parse("one\r\n##two\n#\n##\nlast", "vocab.txt");
  ASSERT_THAT(vocabulary, Succeeds());
  EXPECT_EQ(vocabulary->size(), 5U);
  EXPECT_EQ(vocabulary->start("one"), 0);
  EXPECT_EQ(vocabulary->continuation("two"), 1);
  EXPECT_EQ(vocabulary->start("two"), Vocabulary::none);
  EXPECT_EQ(vocabulary->start("##"), 3);
  EXPECT_EQ(vocabulary->start("last"), 4);
  EXPECT_EQ(vocabulary->continuation(""), Vocabulary::none);
}

TEST(Vocabulary, StaysInPlaceWhenItMoves) {
  auto vocabulary = Vocabulary::parse("a\nb\n", "vocab.txt");
  const Vocabulary moved = std::move(*vocabulary);
  EXPECT_EQ(moved.start("b"), 1);
}

TEST(Vocabulary, DamageIsNamed) {
  const auto empty_line = Vocabulary::parse("a\n\nb\n", "words");
  ASSERT_THAT(empty_line, FailsWith(Errc::corrupt));
  EXPECT_EQ(empty_line.error().message, "words is damaged: line 2 is empty");
  const auto twice = Vocabulary::parse("a\nb\na\n", "words");
  ASSERT_THAT(twice, FailsWith(Errc::corrupt));
  EXPECT_EQ(twice.error().message, "words is damaged: line 3 repeats a");
  const auto none = WordPiece::over(*Vocabulary::parse("", "words"), "words");
  ASSERT_THAT(none, FailsWith(Errc::corrupt));
  EXPECT_EQ(none.error().message, "words is damaged: it lacks [PAD]");
}

}  // namespace
}  // namespace bb5::local
