#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bb5::rules {

/// What the word lists say about one word, given in lower case (A–Z).
[[nodiscard]] bool is_stop_word(std::string_view low);  ///< Never a name: articles, months, days…
[[nodiscard]] bool is_past_verb(std::string_view low);  ///< `ran`, `tried`: or ends in `ed`.
[[nodiscard]] bool is_finite_verb(
    std::string_view low);  ///< `is`, `has`, `uses`: makes a sentence.
[[nodiscard]] bool is_preposition(std::string_view low);
[[nodiscard]] bool is_code_word(std::string_view low);  ///< `true`, `int`, `null`: names nothing.

/// A row of known_names.txt.
struct KnownName {
  std::string_view name;  ///< As it is to be written.
  std::string_view type;  ///< technology, organization, location, given (a first name).
  bool exact = false;     ///< Meant only in this spelling: `Go`, not `go`.
  std::string_view spelling;
};

/// The known name that these words (one space between them) spell in lower case (A–Z), or nothing.
[[nodiscard]] std::optional<KnownName> known_name(std::string_view low);
/// How many words the longest known name that starts with this word (in lower case) has; 0: none
/// does.
[[nodiscard]] std::size_t known_name_words(std::string_view low_first_word);
/// The file itself.
[[nodiscard]] std::string_view known_names_text();

}  // namespace bb5::rules
