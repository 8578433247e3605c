#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bb5::rules {

/// The text cut behind each sentence, in order; parts are trimmed, none is empty. A blank line ends
/// a sentence too; abbreviations (`e.g.`, `Dr.`, initials) and numbers (`3.5`) do not.
[[nodiscard]] std::vector<std::string_view> split_sentences(std::string_view text);

/// Parts of at most `limit` characters that together hold the whole text but for white space at the
/// cuts: as many whole sentences a part as fit; a longer sentence is cut at a word's end, a longer
/// word anywhere between two characters.
[[nodiscard]] std::vector<std::string_view> split_text(std::string_view text, std::size_t limit);

}  // namespace bb5::rules
