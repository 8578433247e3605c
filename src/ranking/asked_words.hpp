#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What a question asks an index of words for. Pure functions.
namespace bb5::ranking {

/// A term, and the words that may stand for it in a text: an index with stems of its own is asked
/// for those.
struct AskedTerm {
  std::string term;                ///< Of terms.hpp.
  std::vector<std::string> words;  ///< As asked, then the irregular forms; none twice.
  bool operator==(const AskedTerm&) const = default;
};

/// Words that stand one after the other, stop words among them.
using Phrase = std::vector<std::string>;

struct AskedWords {
  std::vector<AskedTerm> terms;   ///< Any of them makes a match, more make a better one.
  std::vector<Phrase> required;   ///< `"in quotes"`: every match has all of these. None is empty.
  std::vector<Phrase> forbidden;  ///< `-word`, `-"in quotes"`: no match has any of these.

  [[nodiscard]] bool has_conditions() const { return !required.empty() || !forbidden.empty(); }
};

/// A question of more different words than this is a document; the words behind are left out.
inline constexpr std::size_t most_asked_terms = 1000;

/// A question of more words than this, or of several lines, is somebody's text: its quotes and
/// dashes are no conditions.
inline constexpr std::size_t most_words_with_conditions = 40;

/// Words in quotes are among the terms too. A `-` counts at the beginning of a word of three
/// letters or more: not in `Jean-Luc`, not in `-5`, not in the option `-rf`. A quote that is never
/// closed is none. Stop words are no terms.
[[nodiscard]] AskedWords asked_words(std::string_view question);

/// The words with that term which no suffix tells: `go` for went, gone, goes. The term itself
/// first.
[[nodiscard]] AskedTerm asked_term(std::string_view term);

/// True when the text has all that is required and nothing that is forbidden, its words compared by
/// their terms, stop words left out of phrases.
[[nodiscard]] bool meets_conditions(const AskedWords& asked, std::string_view text);

}  // namespace bb5::ranking
