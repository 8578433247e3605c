#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bb5::ranking {

/// The words of a question that may name somebody: with a capital first letter, or of a script
/// without capitals; no stop words. As plain_letters() writes them, each once.
[[nodiscard]] std::vector<std::string> names_in(std::string_view question);

/// The one author whom the question names; nothing: none, or several. A word of names_in() names
/// the authors of whose names it is a word, else those of whose names it begins a word, with three
/// letters or more (Mel for Melanie).
[[nodiscard]] std::optional<std::string_view> named_author(std::string_view question,
                                                           std::span<const std::string> authors);

/// The content without `AUTHOR:` at its start, if it has that.
[[nodiscard]] std::string_view without_author(std::string_view content, std::string_view author);

}  // namespace bb5::ranking
