#pragma once

#include <string>
#include <string_view>

namespace bb5::ranking {

/// The words of words_of() that an index with a tokenizer of its own would miss, with spaces
/// between them: pairs of ideographs, letters without accents, parts of identifiers
/// (`getUserName`), of paths and addresses (`src/main.cpp`), and the author's name where the text
/// does not start with it. Mostly empty. Words, not terms: the index has its own stems.
[[nodiscard]] std::string extra_words(std::string_view content, std::string_view author);

}  // namespace bb5::ranking
