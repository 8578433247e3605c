#include "ranking/index_words.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "ranking/authors.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// What a tokenizer may take for one word: a letter or digit on both sides of a mark of paths,
/// addresses or identifiers, or of a capital letter behind a small one. Texts of other scripts are
/// all looked at.
bool is_composed(std::string_view run) {
  if (!is_ascii(run)) return true;
  constexpr std::string_view marks = "/.@:_=-\\#+&?";
  for (std::size_t i = 1; i + 1 < run.size(); ++i) {
    if (!is_letter_or_digit(run[i - 1])) continue;
    if (marks.find(run[i]) != std::string_view::npos && is_letter_or_digit(run[i + 1])) return true;
    const bool hump = run[i] >= 'A' && run[i] <= 'Z';
    if (hump && run[i + 1] >= 'a' && run[i + 1] <= 'z') return true;
    if (hump && run[i - 1] >= 'a' && run[i - 1] <= 'z') return true;
  }
  return false;
}

}  // namespace

std::string extra_words(std::string_view content, std::string_view author) {
  std::string extra;
  const auto add = [&](std::string_view words) {
    if (!extra.empty()) extra += ' ';
    extra += words;
  };
  if (!author.empty() && without_author(content, author).size() == content.size()) {
    for (const std::string& word : words_of(author)) add(word);
  }
  for (std::size_t at = 0; at < content.size();) {
    std::size_t end = at;
    while (end < content.size() && !is_space(content[end])) ++end;
    const std::string_view run = content.substr(at, end - at);
    at = end + 1;
    if (!is_composed(run)) continue;
    const auto words = words_of(run);
    // An index that lowers capitals has it already.
    if (words.size() == 1 && fold_name(run).find(words.front()) != std::string::npos) continue;
    for (const std::string& word : words) add(word);
  }
  return extra;
}

}  // namespace bb5::ranking
