#include "ranking/sentences.hpp"

#include <algorithm>
#include <array>

namespace bb5::ranking {
namespace {

constexpr std::string_view spaces = " \t\r\n";
/// Longer ones are sentences that hold a colon.
constexpr std::size_t longest_label = 40;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

/// `Ann: ` of `Ann: I am here.`; empty: there is none.
std::string_view label_of(std::string_view content) {
  const std::size_t colon = content.find(": ");
  if (colon == std::string_view::npos || colon == 0 || colon > longest_label) return {};
  const std::string_view label = content.substr(0, colon + 2);
  return label.find_first_of(".!?\n") == std::string_view::npos ? label : std::string_view();
}

/// Bytes of the mark at `at` that ends a sentence there; 0: none does.
std::size_t end_mark(std::string_view text, std::size_t at) {
  static constexpr auto wide = std::to_array<std::string_view>({"。", "！", "？"});
  for (const std::string_view mark : wide) {
    if (text.substr(at).starts_with(mark)) return mark.size();
  }
  if (text[at] != '.' && text[at] != '!' && text[at] != '?') return 0;
  const bool before_space = at + 1 == text.size() || spaces.find(text[at + 1]) != spaces.npos;
  return before_space ? 1 : 0;  // not within 3.5 or example.org
}

std::vector<std::string_view> cut(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t mark = end_mark(text, at);
    at += std::max<std::size_t>(mark, 1);
    if (mark == 0 && at < text.size()) continue;
    const std::string_view sentence = trimmed(text.substr(begin, at - begin));
    if (!sentence.empty()) sentences.push_back(sentence);
    begin = at;
  }
  return sentences;
}

}  // namespace

std::vector<std::string> sentence_texts(std::string_view content) {
  content = trimmed(content);
  const std::string_view label = label_of(content);
  const auto sentences = cut(content.substr(label.size()));
  if (sentences.empty())
    return content.empty() ? std::vector<std::string>()
                           : std::vector<std::string>{std::string(content)};
  std::vector<std::string> texts;
  for (const std::string_view sentence : sentences)
    texts.push_back(std::string(label).append(sentence));
  return texts;
}

}  // namespace bb5::ranking
