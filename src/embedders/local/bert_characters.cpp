#include "embedders/local/bert_characters.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <unicode/uchar.h>

namespace bb5::local::bert {
namespace {

UChar32 icu(char32_t c) {
  return static_cast<UChar32>(c);
}

bool known_to_unicode_8(char32_t c) {
  UVersionInfo since;
  u_charAge(icu(c), since);
  return since[0] <= 8;
}

}  // namespace

bool is_white_space(char32_t c) {
  return c < 0x80 ? c == ' ' || (c >= '\t' && c <= '\r') : u_isUWhiteSpace(icu(c)) != 0;
}

bool is_removed(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  if (c == 0xFFFD) return true;
  switch (u_charType(icu(c))) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_PRIVATE_USE_CHAR:
    case U_SURROGATE:
      return known_to_unicode_8(c);
    default:
      return false;
  }
}

bool is_ideograph(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> blocks[] = {
      {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
      {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return c >= 0x3400 && std::any_of(std::begin(blocks), std::end(blocks), [&](const auto& block) {
           return c >= block.first && c <= block.second;
         });
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  // CANADIAN SYLLABICS CHI SIGN, a symbol since Unicode 12; SHARADA SANDHI MARK, a mark since 11.
  if (c == 0x166D || c == 0x111C9) return true;
  return u_ispunct(icu(c)) != 0 && known_to_unicode_8(c);
}

bool is_mark(char32_t c) {
  if (c < 0x300) return false;
  if (c == 0x1734) return true;  // HANUNOO SIGN PAMUDPOD, a spacing mark since Unicode 14
  // Became marks in Unicode 9 (two of Mongolian) and 11 (of Javanese and Sharada).
  if (c == 0x1885 || c == 0x1886 || c == 0xA9BD || c == 0x111C9) return false;
  return u_charType(icu(c)) == U_NON_SPACING_MARK && known_to_unicode_8(c);
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  return static_cast<char32_t>(u_tolower(icu(c)));
}

}  // namespace bb5::local::bert
