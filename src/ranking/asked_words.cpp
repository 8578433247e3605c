#include "ranking/asked_words.hpp"

#include <algorithm>

#include "ranking/english_words.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool may_have_conditions(std::string_view question) {
  if (question.find('\n') != std::string_view::npos) return false;
  std::size_t words = 0;
  for (std::size_t i = 0; i < question.size(); ++i)
    words += !is_space(question[i]) && (i == 0 || is_space(question[i - 1])) ? 1 : 0;
  return words <= most_words_with_conditions;
}

/// Takes a question apart into plain text, phrases and words that must not be there.
class Parser {
 public:
  explicit Parser(std::string_view question)
      : rest_(question), may_have_conditions_(may_have_conditions(question)) {}

  AskedWords parse() {
    while (!rest_.empty()) {
      const bool is_condition =
          may_have_conditions_ && (take_forbidden() || take_quoted(asked_.required));
      if (!is_condition) take_plain();
    }
    add_terms();
    return std::move(asked_);
  }

 private:
  [[nodiscard]] bool at_beginning_of_word() const { return plain_.empty() || is_space(before_); }

  void take_plain() {
    before_ = rest_.front();
    plain_ += before_;
    rest_.remove_prefix(1);
  }

  bool take_forbidden() {
    if (rest_.size() < 2 || rest_.front() != '-' || !at_beginning_of_word()) return false;
    if (rest_[1] == '"') {
      rest_.remove_prefix(1);
      if (take_quoted(asked_.forbidden)) return true;
      plain_ += '-';
      return false;
    }
    const auto letters = std::find_if_not(rest_.begin() + 1, rest_.end(), is_letter);
    if (letters - rest_.begin() - 1 < shortest_forbidden) return false;
    const auto end = std::find_if(rest_.begin() + 1, rest_.end(), is_space);
    keep({rest_.begin() + 1, end}, asked_.forbidden);
    rest_ = {end, rest_.end()};
    before_ = ' ';
    return true;
  }

  bool take_quoted(std::vector<Phrase>& phrases) {
    if (rest_.front() != '"') return false;
    const std::size_t end = rest_.find('"', 1);
    if (end == std::string_view::npos) return false;
    const std::string_view quoted = rest_.substr(1, end - 1);
    keep(quoted, phrases);
    if (&phrases == &asked_.required) (plain_ += quoted) += ' ';
    rest_.remove_prefix(end + 1);
    before_ = ' ';
    return true;
  }

  /// A phrase of stop words alone would never be found, and says nothing.
  static void keep(std::string_view text, std::vector<Phrase>& phrases) {
    Phrase words = words_of(text);
    if (!std::all_of(words.begin(), words.end(), [](auto& word) { return is_stop_word(word); }))
      phrases.push_back(std::move(words));
  }

  void add_terms() {
    for (const std::string& word : words_of(plain_)) {
      if (is_stop_word(word)) continue;
      std::string term = term_of(word);
      auto place = std::find_if(asked_.terms.begin(), asked_.terms.end(),
                                [&](const AskedTerm& one) { return one.term == term; });
      if (place == asked_.terms.end()) {
        if (asked_.terms.size() == most_asked_terms) return;
        place = asked_.terms.insert(place, {std::move(term), {}});
      }
      for (const std::string_view spelling : spellings_of(word)) {
        if (std::find(place->words.begin(), place->words.end(), spelling) == place->words.end())
          place->words.emplace_back(spelling);
      }
    }
  }

  /// Bytes of letters: shorter ones are options of programs.
  static constexpr std::ptrdiff_t shortest_forbidden = 3;

  std::string_view rest_;
  bool may_have_conditions_;
  std::string plain_;
  char before_ = ' ';
  AskedWords asked_;
};

std::vector<std::string> terms_of_words(const Phrase& words) {
  std::vector<std::string> terms;
  for (const std::string& word : words) {
    if (!is_stop_word(word)) terms.push_back(term_of(word));
  }
  return terms;
}

}  // namespace

AskedWords asked_words(std::string_view question) {
  return Parser(question).parse();
}

AskedTerm asked_term(std::string_view term) {
  AskedTerm asked{std::string(term), {}};
  for (const std::string_view spelling : spellings_of(term)) asked.words.emplace_back(spelling);
  return asked;
}

bool meets_conditions(const AskedWords& asked, std::string_view text) {
  if (!asked.has_conditions()) return true;
  const std::vector<std::string> terms = terms_of(text);
  const auto has = [&](const Phrase& phrase) {
    const auto wanted = terms_of_words(phrase);
    return std::search(terms.begin(), terms.end(), wanted.begin(), wanted.end()) != terms.end();
  };
  return std::all_of(asked.required.begin(), asked.required.end(), has) &&
         std::none_of(asked.forbidden.begin(), asked.forbidden.end(), has);
}

}  // namespace bb5::ranking
