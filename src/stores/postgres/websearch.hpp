#pragma once

#include <span>
#include <string>
#include <vector>

#include "ranking/asked_words.hpp"

/// What is asked for, as websearch_to_tsquery() reads it: it takes any text, and says nothing of
/// stop words. Words are of letters and digits, so none is an operator but `or`, which is a stop
/// word.
namespace bb5::postgres {

/// One text a term: `taught or teach`.
[[nodiscard]] std::vector<std::string> websearch_terms(std::span<const ranking::AskedTerm> terms);

/// One text a phrase: `"in a row"`.
[[nodiscard]] std::vector<std::string> websearch_phrases(std::span<const ranking::Phrase> phrases);

}  // namespace bb5::postgres
