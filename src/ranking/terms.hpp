#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What texts are compared by. Pure functions, safe to call from several threads at once.
///
/// A word is a run of letters and digits; case, and the marks on Latin, Greek and Cyrillic letters,
/// are taken off (base/letters.hpp), so that of an ASCII text the words are its runs of [a-z0-9]
/// in lower case. Scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer,
/// Burmese) and Korean, which joins particles to words, are cut into pairs of neighbouring
/// characters, and each ideograph is a word too (as Lucene's CJKBigramFilter does it). An
/// identifier (`getUserName`, `HTTPServer`) is a word, followed by its parts.
///
/// A term is what a word and its other forms have in common: irregular forms by a table
/// (english_words.hpp), then the stem of Porter, "An algorithm for suffix stripping" (1980). Words
/// with other letters than a to z are their own terms.
namespace bb5::ranking {

/// All words of the text in its order, stop words among them. Ill-formed UTF-8 parts words.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

/// word: one of words_of().
[[nodiscard]] std::string term_of(std::string_view word);

/// The terms of all words of the text but stop words, in its order.
[[nodiscard]] std::vector<std::string> terms_of(std::string_view text);

/// Each once, in the order in which they come first.
[[nodiscard]] std::vector<std::string> distinct_terms_of(std::string_view text);

}  // namespace bb5::ranking
