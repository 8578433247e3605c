#include "ranking/authors.hpp"

#include <algorithm>
#include <set>

#include <unicode/uchar.h>

#include "base/letters.hpp"
#include "ranking/code_points.hpp"
#include "ranking/english_words.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

/// A name's beginning may stand for it from this length on: `Jo` is too short.
constexpr std::size_t shortest_beginning = 3;

bool parts_names(char32_t character) {
  const auto c = static_cast<UChar32>(character);
  return c == 0xFFFD || u_isspace(c) || (u_ispunct(c) && c != '-') || c == '`';
}

/// Runs between spaces and punctuation, `'` and `’` included, so that `Tim's` gives `Tim`.
template <class Take>
void for_each_run(std::string_view text, const Take& take) {
  std::size_t run = 0;
  for (std::size_t next = 0; next < text.size();) {
    const std::size_t here = next;
    if (!parts_names(next_code_point(text, next))) continue;
    if (here > run) take(text.substr(run, here - run));
    run = next;
  }
  if (run < text.size()) take(text.substr(run));
}

bool starts_as_a_name(std::string_view run) {
  std::size_t next = 0;
  const auto c = static_cast<UChar32>(next_code_point(run, next));
  return u_isalpha(c) && !u_islower(c);
}

struct Matches {
  std::set<std::string_view> whole;
  std::set<std::string_view> beginning;
};

Matches matches(const std::string& name, std::span<const std::string> authors) {
  Matches found;
  for (const std::string& author : authors) {
    for_each_run(author, [&](std::string_view run) {
      const std::string word = plain_letters(run);
      if (word == name)
        found.whole.insert(author);
      else if (name.size() >= shortest_beginning && word.starts_with(name))
        found.beginning.insert(author);
    });
  }
  return found;
}

}  // namespace

std::vector<std::string> names_in(std::string_view question) {
  std::vector<std::string> names;
  for_each_run(question, [&](std::string_view run) {
    if (!starts_as_a_name(run)) return;
    std::string name = plain_letters(run);
    if (is_stop_word(name) || std::find(names.begin(), names.end(), name) != names.end()) return;
    names.push_back(std::move(name));
  });
  return names;
}

std::optional<std::string_view> named_author(std::string_view question,
                                             std::span<const std::string> authors) {
  std::set<std::string_view> named;
  for (const std::string& name : names_in(question)) {
    const Matches found = matches(name, authors);
    named.merge(std::set(found.whole.empty() ? found.beginning : found.whole));
  }
  if (named.size() != 1) return std::nullopt;
  return *named.begin();
}

std::string_view without_author(std::string_view content, std::string_view author) {
  const bool starts = !author.empty() && content.size() > author.size() &&
                      content.starts_with(author) && content[author.size()] == ':';
  return starts ? content.substr(author.size() + 1) : content;
}

}  // namespace bb5::ranking
