#include "base/letters.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

namespace bb5 {
namespace {

icu::UnicodeString unicode(std::string_view utf8) {
  return icu::UnicodeString::fromUTF8({utf8.data(), static_cast<std::int32_t>(utf8.size())});
}

std::string utf8_of(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

/// What a code point without a mark to take off is written as; the code point itself mostly.
void append_plain(icu::UnicodeString& out, UChar32 c) {
  switch (c) {
    case U'ø':
      out.append(u'o');
      break;
    case U'ł':
      out.append(u'l');
      break;
    case U'đ':
    case U'ð':
      out.append(u'd');
      break;
    case U'ı':
      out.append(u'i');
      break;
    case U'æ':
      out.append(u"ae", 2);
      break;
    case U'œ':
      out.append(u"oe", 2);
      break;
    case U'þ':
      out.append(u"th", 2);
      break;
    case U'’':
    case U'‘':
    case U'`':
    case U'ʼ':
      out.append(u'\'');
      break;
    default:
      out.append(c);
  }
}

icu::UnicodeString plain(icu::UnicodeString text) {
  UErrorCode status = U_ZERO_ERROR;
  for (const char16_t sign : {u'™', u'®', u'©'}) text.findAndReplace(sign, icu::UnicodeString());
  text = icu::Normalizer2::getNFKCInstance(status)->normalize(text, status);
  text.foldCase();
  text = icu::Normalizer2::getNFDInstance(status)->normalize(text, status);
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (c >= 0x300 && c <= 0x36F) continue;
    append_plain(out, c);
  }
  return icu::Normalizer2::getNFCInstance(status)->normalize(out, status);
}

/// One for the process; transliterating does not change it.
const icu::Transliterator* to_latin() {
  static const std::unique_ptr<icu::Transliterator> latin = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::Transliterator> made(
        icu::Transliterator::createInstance("Cyrillic-Latin; Greek-Latin", UTRANS_FORWARD, status));
    return U_SUCCESS(status) ? std::move(made) : nullptr;
  }();
  return latin.get();
}

constexpr auto plain_of_ascii = [] {
  std::array<char, 256> plain{};
  for (std::size_t c = 0; c < plain.size(); ++c) plain[c] = static_cast<char>(c);
  for (std::size_t c = 'A'; c <= 'Z'; ++c) plain[c] = static_cast<char>(c - 'A' + 'a');
  plain['`'] = '\'';
  return plain;
}();

bool is_umlaut_or_its_mark(UChar32 c) {
  return c == 0x308 || c == U'ä' || c == U'ö' || c == U'ü' || c == U'Ä' || c == U'Ö' || c == U'Ü';
}

bool is_cyrillic_or_greek(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  return script == USCRIPT_CYRILLIC || script == USCRIPT_GREEK;
}

template <class Test>
bool any_of(const icu::UnicodeString& text, Test test) {
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
    if (test(text.char32At(i))) return true;
  return false;
}

}  // namespace

std::string plain_letters(std::string_view utf8) {
  return utf8_of(plain(unicode(utf8)));
}

std::string plain_letters_german(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  auto text = icu::Normalizer2::getNFKCInstance(status)->normalize(unicode(utf8), status);
  text.foldCase();
  for (const auto& [umlaut, letters] :
       {std::pair(u"ä", u"ae"), std::pair(u"ö", u"oe"), std::pair(u"ü", u"ue")})
    text.findAndReplace(icu::UnicodeString(umlaut), icu::UnicodeString(letters));
  return utf8_of(plain(text));
}

std::string latin_letters(std::string_view utf8) {
  auto text = unicode(utf8);
  if (to_latin() != nullptr) to_latin()->transliterate(text);
  return utf8_of(plain(text));
}

std::vector<std::string> plain_spellings(std::string_view utf8) {
  std::string plain;
  if (plain_ascii(utf8, plain)) return {plain};
  std::vector<std::string> spellings = {plain_letters(utf8)};
  const auto add = [&](std::string spelling) {
    if (std::find(spellings.begin(), spellings.end(), spelling) == spellings.end())
      spellings.push_back(std::move(spelling));
  };
  const icu::UnicodeString text = unicode(utf8);
  if (any_of(text, is_umlaut_or_its_mark)) add(plain_letters_german(utf8));
  if (any_of(text, is_cyrillic_or_greek)) add(latin_letters(utf8));
  return spellings;
}

bool plain_ascii(std::string_view text, std::string& plain) {
  plain.resize(text.size());
  unsigned char all = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
    plain[i] = plain_of_ascii[static_cast<unsigned char>(c)];
  }
  return all < 0x80;
}

}  // namespace bb5
