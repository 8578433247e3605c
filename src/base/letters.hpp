#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bb5 {

/// Letters without what only dresses them: compatibility forms resolved (NFKC), case folded, the
/// marks of Latin, Greek and Cyrillic letters taken off (é → e, ø → o, ł → l), `™®©` removed, all
/// apostrophes `'`. Marks that make another letter in other scripts (か, が) stay.
[[nodiscard]] std::string plain_letters(std::string_view utf8);

/// The same, with ä, ö, ü written ae, oe, ue.
[[nodiscard]] std::string plain_letters_german(std::string_view utf8);

/// plain_letters() with Cyrillic and Greek written in Latin letters, by ICU's tables.
[[nodiscard]] std::string latin_letters(std::string_view utf8);

/// plain_letters(), plain_letters_german(), latin_letters(): those that differ, in this order.
[[nodiscard]] std::vector<std::string> plain_spellings(std::string_view utf8);

/// Of ASCII they are one, and that quickly: writes it to `plain`. False, and `plain` means nothing,
/// when there are other characters.
[[nodiscard]] bool plain_ascii(std::string_view text, std::string& plain);

}  // namespace bb5
