#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bb5 {

/// A text without the secrets that were in it.
struct MaskedText {
  std::string text;
  std::map<std::string, std::int64_t>
      found;  ///< How many of each kind: `github token`, `password`.
  bool operator==(const MaskedText&) const = default;
};

/// Puts `[secret: KIND]` in the place of each private key, service key or token of a known shape,
/// JSON web token, bearer token, password in a URL, and value given to a name such as `password` or
/// `api_key`. Placeholders (`<your key>`, `${TOKEN}`, `***`) stay. Linear in the text's length; a
/// text that was masked has no secrets left.
[[nodiscard]] MaskedText mask_secrets(std::string_view text);

}  // namespace bb5
