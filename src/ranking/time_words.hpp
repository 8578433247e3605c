#pragma once

#include <span>
#include <string>
#include <string_view>

/// Whether English words speak of a time. Pure functions.
namespace bb5::ranking {

/// words: words_of() a text. True when they say when something was or will be: yesterday, last
/// week, two years ago, since, recently, a month or weekday (not `may`, which is mostly a verb), a
/// year of 1900 to 2099, just got.
[[nodiscard]] bool tells_a_time(std::span<const std::string> words);

/// words: words_of() a question. True when it asks for a time: `when`, `what year`, `how long`.
[[nodiscard]] bool asks_for_a_time(std::span<const std::string> words);

}  // namespace bb5::ranking
