#include "extractors/rules/sentences.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/utf8.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

// Sorted; without the dot at the end.
constexpr std::array<std::string_view, 28> abbreviations = {
    "al",   "approx", "bzw", "ca",   "cf", "dr",  "e.g", "ed", "eq", "etc",
    "fig",  "i.e",    "inc", "incl", "jr", "mr",  "mrs", "ms", "no", "nr",
    "prof", "resp",   "sec", "sr",   "st", "usw", "vs",  "z.b"};

bool ends_abbreviation(std::string_view text, std::size_t dot) {
  std::size_t start = dot;
  while (start > 0 && dot - start < 8) {
    const char c = text[start - 1];
    if (c == ' ' || c == '\n' || c == '\t' || c == '(' || c == '"') break;
    --start;
  }
  const std::string word = to_lower_ascii(text.substr(start, dot - start));
  if (word.size() == 1 && text[start] >= 'A' && text[start] <= 'Z') return text[start] != 'I';
  return std::binary_search(abbreviations.begin(), abbreviations.end(), std::string_view(word));
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Where the sentence that ends with the mark at `at` ends, or 0 when none ends there.
std::size_t sentence_end(std::string_view text, std::size_t at) {
  static constexpr std::string_view wide[] = {"\u3002", "\uFF01", "\uFF1F", "\u0964"};
  for (const std::string_view mark : wide)
    if (text.substr(at).starts_with(mark)) return at + mark.size();
  const char c = text[at];
  const bool ellipsis = text.substr(at).starts_with("\u2026");
  if (c != '.' && c != '!' && c != '?' && !ellipsis) return 0;
  std::size_t end = at + (ellipsis ? 3 : 1);
  while (end < text.size() &&
         std::string_view(".!?\"')]*").find(text[end]) != std::string_view::npos)
    ++end;
  if (text.substr(end).starts_with("\u201D")) end += 3;
  if (end < text.size() && !is_blank(text[end])) return 0;
  if (c == '.' && ends_abbreviation(text, at)) return 0;
  std::size_t next = end;
  while (next < text.size() && is_blank(text[next])) ++next;
  // `approx. five`, `v1. and`: a sentence does not go on in lower case
  if (c != '!' && c != '?' && next < text.size() && text[next] >= 'a' && text[next] <= 'z')
    return 0;
  return end;
}

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t start = 0;
  const auto cut = [&](std::size_t end) {
    const std::string_view sentence = trimmed(text.substr(start, end - start));
    if (!sentence.empty()) sentences.push_back(sentence);
    start = end;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' && at + 1 < text.size() && text[at + 1] == '\n') {
      cut(at);
    } else if (c == '.' || c == '!' || c == '?' || static_cast<unsigned char>(c) >= 0xE0) {
      if (const std::size_t end = sentence_end(text, at)) {
        cut(end);
        at = end - 1;
      }
    }
  }
  cut(text.size());
  return sentences;
}

std::vector<std::string_view> split_text(std::string_view text, std::size_t limit) {
  std::vector<std::string_view> parts;
  const char* part_start = nullptr;
  const char* part_end = nullptr;
  std::size_t part_characters = 0;
  const auto finish = [&] {
    if (part_start != nullptr) {
      const std::string_view part =
          trimmed({part_start, static_cast<std::size_t>(part_end - part_start)});
      if (!part.empty()) parts.push_back(part);
    }
    part_start = nullptr;
    part_characters = 0;
  };
  for (std::string_view sentence : split_sentences(text)) {
    std::size_t characters = count_characters(sentence);
    const auto gap = [&] {  // white space between the part and this sentence
      return count_characters({part_end, static_cast<std::size_t>(sentence.data() - part_end)});
    };
    if (part_start != nullptr) part_characters += gap();
    if (part_start != nullptr && part_characters + characters > limit) finish();
    while (characters > limit) {
      std::string_view piece = first_code_points(sentence, limit);
      const std::size_t space = piece.find_last_of(" \n\t");
      if (space != std::string_view::npos && space > piece.size() / 2)
        piece = piece.substr(0, space);
      parts.push_back(trimmed(piece));
      sentence = trimmed(sentence.substr(piece.size()));
      characters = count_characters(sentence);
    }
    if (sentence.empty()) continue;
    if (part_start == nullptr) part_start = sentence.data();
    part_end = sentence.data() + sentence.size();
    part_characters += characters;
  }
  finish();
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return parts;
}

}  // namespace bb5::rules
