#include "ranking/term_counts.hpp"

#include "ranking/english_words.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {

TermCounter::TermCounter(std::span<const std::string> wanted) : size_(wanted.size()) {
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted_.emplace(wanted[i], static_cast<int>(i));
}

int TermCounter::look_up(const std::string& word) {
  const auto [found, fresh] = words_.try_emplace(word, not_wanted);
  if (fresh) {
    if (is_stop_word(word)) {
      found->second = stop_word;
    } else if (const auto place = wanted_.find(term_of(word)); place != wanted_.end()) {
      found->second = place->second;
    }
  }
  return found->second;
}

std::size_t TermCounter::add(std::string_view text, std::span<float> counts) {
  std::size_t terms = 0;
  for (const std::string& word : words_of(text)) {
    const int place = look_up(word);
    if (place == stop_word) continue;
    ++terms;
    if (place >= 0) counts[static_cast<std::size_t>(place)] += 1;
  }
  return terms;
}

void TermCounter::add_term(const std::string& term, std::span<float> counts) const {
  if (const auto place = wanted_.find(term); place != wanted_.end())
    counts[static_cast<std::size_t>(place->second)] += 1;
}

}  // namespace bb5::ranking
