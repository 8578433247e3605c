#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace bb5 {
namespace {

using namespace std::string_literals;

TEST(Utf8, FindsTheFirstByteThatIsNotWellFormed) {
  EXPECT_EQ(find_invalid_utf8("plain, ü, 漢, 😀"), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("ab\xFFz"), 2u);
  EXPECT_EQ(find_invalid_utf8("\xC0\x80"), 0u);           // overlong
  EXPECT_EQ(find_invalid_utf8("x\xED\xA0\x80"), 1u);      // surrogate
  EXPECT_EQ(find_invalid_utf8("x\xF4\x90\x80\x80"), 1u);  // past U+10FFFF
  EXPECT_EQ(find_invalid_utf8("x\xE6\xBC"), 1u);          // cut
}

TEST(Utf8, StorableTextKeepsWhatItCanAndMarksTheRest) {
  EXPECT_EQ(to_storable_utf8("a\0b"s), "a\u2400b");
  EXPECT_EQ(to_storable_utf8("a\xED\xA0\x80z"), "a\uFFFDz");
  EXPECT_EQ(to_storable_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(to_storable_utf8("漢😀"), "漢😀");
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(first_code_points("漢字ab", 3), "漢字a");
  EXPECT_EQ(first_code_points("ab", 5), "ab");
  EXPECT_EQ(first_code_points("ab", 0), "");
}

TEST(FoldName, MakesSpellingsOfOneNameEqual) {
  EXPECT_EQ(fold_name("PostgreSQL"), fold_name(" postgresql\u00A0\n"));
  EXPECT_EQ(fold_name("Stra\u00DFe"), fold_name("STRASSE"));
  EXPECT_EQ(fold_name("Caf\u00E9"), fold_name("CAFE\u0301"));  // composed and decomposed
  EXPECT_NE(fold_name("Redis 6"), fold_name("Redis 7"));
  EXPECT_EQ(fold_name("  \t"), "");
}

}  // namespace
}  // namespace bb5
