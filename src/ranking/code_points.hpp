#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <unicode/utf8.h>

namespace bb5::ranking {

/// The code point at `at`, which is moved behind it; U+FFFD where the text is
/// ill-formed. at < text.size() < 2 GiB.
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  auto next = static_cast<std::int32_t>(at);
  UChar32 c = 0;
  U8_NEXT(bytes, next, static_cast<std::int32_t>(text.size()), c);
  at = static_cast<std::size_t>(next);
  return c < 0 ? U'\uFFFD' : static_cast<char32_t>(c);
}

}  // namespace bb5::ranking
