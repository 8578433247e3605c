#pragma once

#include <string_view>
#include <vector>

namespace bb5::ranking {

/// Words that say nothing of what a text is about. Lower case.
[[nodiscard]] bool is_stop_word(std::string_view word);

/// The word of which this one is a form that no suffix tells (went, children), or the other
/// spelling of it (mom, mum); else the word itself. Lower case.
[[nodiscard]] std::string_view base_form(std::string_view word);

/// The word, its base form where that is another, and all words of that base form. None twice.
[[nodiscard]] std::vector<std::string_view> spellings_of(std::string_view word);

}  // namespace bb5::ranking
