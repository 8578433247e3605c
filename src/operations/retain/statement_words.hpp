#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bb5 {

/// A word that carries meaning, in one spelling of many.
struct StatementWord {
  std::string word;   ///< Folded, without plural -s and -ing, written out: `dbs` is `database`.
  std::string marks;  ///< Words before it that say what it is there for: `from`, `not in`.
  bool operator==(const StatementWord&) const = default;
};

/// What a statement says, word by word. Left out: Markdown, punctuation, articles, `is` and `are`,
/// filler (`currently`, `note that`), a label (`Decision:`). Kept, since it changes what is said:
/// the past (`used`, `was`), modal words, quantity, numbers, signs (`<`, `?`, the minus of `-5`),
/// the case of units and of options. The lists are of English; of other languages every word
/// counts as it stands.
[[nodiscard]] std::vector<StatementWord> words_of(std::string_view statement);

}  // namespace bb5
