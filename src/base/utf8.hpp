#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bb5 {

/// Offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7), or
/// nothing.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view bytes) noexcept;

/// Appends one code point, surrogates included (then as three bytes, which is WTF-8, not UTF-8).
void append_utf8(std::string& text, char32_t code_point);

/// The same text as every store can hold it: ill-formed bytes and surrogates become U+FFFD, U+0000
/// becomes U+2400. Well-formed text without U+0000 comes back unchanged.
[[nodiscard]] std::string to_storable_utf8(std::string_view wtf8);

/// True when to_storable_utf8 would return the text unchanged.
[[nodiscard]] bool is_storable_utf8(std::string_view bytes) noexcept;

/// The first `count` code points of well-formed UTF-8.
[[nodiscard]] std::string_view first_code_points(std::string_view text, std::size_t count) noexcept;

/// Trimmed of white space, NFC, full case folding (Unicode, by ICU), NFC again: two spellings of
/// one name give the same key. Ill-formed bytes count as U+FFFD.
[[nodiscard]] std::string fold_name(std::string_view name);

}  // namespace bb5
