#pragma once

#include <string_view>

namespace bb5::ranking {

/// Words that say nothing of what a text is about. Lower case.
[[nodiscard]] bool is_stop_word(std::string_view word);

/// The word of which this one is a form that no suffix tells (went, children), or the other
/// spelling of it (mom, mum); else the word itself. Lower case.
[[nodiscard]] std::string_view base_form(std::string_view word);

}  // namespace bb5::ranking
