#include "base/utf8.hpp"

#include <cstdint>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace bb5 {
namespace {

/// Length of the well-formed sequence at the start of `bytes`, 0 when there is none.
std::size_t sequence_length(std::string_view bytes) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned b0 = byte(0);
  if (b0 < 0x80) return 1;
  if (b0 >= 0xC2 && b0 <= 0xDF) return tail(1) ? 2 : 0;
  if (b0 >= 0xE0 && b0 <= 0xEF) {
    const unsigned low = b0 == 0xE0 ? 0xA0U : 0x80U;
    const unsigned high = b0 == 0xED ? 0x9FU : 0xBFU;
    return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
  }
  if (b0 >= 0xF0 && b0 <= 0xF4) {
    const unsigned low = b0 == 0xF0 ? 0x90U : 0x80U;
    const unsigned high = b0 == 0xF4 ? 0x8FU : 0xBFU;
    return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_wtf8_surrogate(std::string_view bytes) noexcept {
  return bytes.size() >= 3 && static_cast<unsigned char>(bytes[0]) == 0xED &&
         static_cast<unsigned char>(bytes[1]) >= 0xA0 &&
         (static_cast<unsigned char>(bytes[2]) & 0xC0) == 0x80;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view bytes) noexcept {
  for (std::size_t at = 0; at < bytes.size();) {
    if (static_cast<unsigned char>(bytes[at]) < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = sequence_length(bytes.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto cp = static_cast<std::uint32_t>(code_point);
  if (cp < 0x80) {
    put(cp);
  } else if (cp < 0x800) {
    put(0xC0 | (cp >> 6));
    put(0x80 | (cp & 0x3F));
  } else if (cp < 0x10000) {
    put(0xE0 | (cp >> 12));
    put(0x80 | ((cp >> 6) & 0x3F));
    put(0x80 | (cp & 0x3F));
  } else {
    put(0xF0 | (cp >> 18));
    put(0x80 | ((cp >> 12) & 0x3F));
    put(0x80 | ((cp >> 6) & 0x3F));
    put(0x80 | (cp & 0x3F));
  }
}

bool is_storable_utf8(std::string_view bytes) noexcept {
  return !find_invalid_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
}

std::string to_storable_utf8(std::string_view wtf8) {
  if (is_storable_utf8(wtf8)) return std::string(wtf8);
  std::string text;
  text.reserve(wtf8.size());
  for (std::size_t at = 0; at < wtf8.size();) {
    const auto rest = wtf8.substr(at);
    const std::size_t length = sequence_length(rest);
    if (rest[0] == '\0') {
      append_utf8(text, 0x2400);
      ++at;
    } else if (length != 0) {
      text += rest.substr(0, length);
      at += length;
    } else {
      append_utf8(text, 0xFFFD);
      at += is_wtf8_surrogate(rest) ? 3 : 1;
    }
  }
  return text;
}

std::string_view first_code_points(std::string_view text, std::size_t count) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && count-- == 0)
      return text.substr(0, at);
  }
  return text;
}

std::string fold_name(std::string_view name) {
  UErrorCode status = U_ZERO_ERROR;
  // Kept here, so that a thread sees what another one made: within ICU, sanitizers see no such
  // order.
  static const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(status);
  auto text = icu::UnicodeString::fromUTF8({name.data(), static_cast<std::int32_t>(name.size())});
  std::int32_t first = 0;
  std::int32_t last = text.length();
  while (first < last && u_isUWhiteSpace(text.char32At(first)) != 0) ++first;
  while (last > first && u_isUWhiteSpace(text.char32At(last - 1)) != 0) --last;
  text = nfc->normalize(icu::UnicodeString(text, first, last - first), status);
  text.foldCase();
  text = nfc->normalize(text, status);
  std::string folded;
  text.toUTF8String(folded);
  return folded;
}

}  // namespace bb5
