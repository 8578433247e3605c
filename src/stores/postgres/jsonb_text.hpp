#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Metadata is text to us (order of keys, spelling of numbers) and jsonb to those who query it.
/// jsonb keeps neither: it sorts keys by length and bytes, drops all but the last of equal keys,
/// rewrites numbers and knows no NaN, no U+0000 and no half surrogate pair. So the exact text
/// stands beside it wherever the two would differ.
namespace bb5::postgres {

/// What jsonb makes of a JSON text.
struct JsonbForm {
  /// The text to send, equal in meaning as far as jsonb can go: NaN and infinities become null,
  /// numbers out of numeric's range their text, U+0000 U+2400, lone surrogates U+FFFD. Nothing: the
  /// text is no JSON, nests deeper than 512 or is too large.
  std::optional<std::string> text;
  /// canonical_text() of what the server holds then gives the original back, byte for byte.
  bool reproduces = false;
};
[[nodiscard]] JsonbForm to_jsonb(std::string_view json);

[[nodiscard]] bool jsonb_reproduces(std::string_view metadata);

/// The server's spelling of a jsonb value in ours: no white space between tokens, ASCII only
/// (\uXXXX in lower case).
[[nodiscard]] std::string canonical_text(std::string_view jsonb);

}  // namespace bb5::postgres
