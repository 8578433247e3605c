#include "operations/retain/statement_words.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/utf8.hpp"

namespace bb5 {
namespace {

using Rewrite = std::pair<std::string_view, std::string_view>;

/// Say nothing that another wording may not leave out.
constexpr auto empty_words = std::to_array<std::string_view>(
    {"a",         "actually", "already", "also",   "am",        "an",    "and",       "are",
     "basically", "be",       "been",    "being",  "but",       "do",    "currently", "does",
     "is",        "indeed",   "it",      "its",    "now",       "of",    "our",       "please",
     "quite",     "that",     "really",  "simply", "presently", "still", "the",       "there",
     "these",     "this",     "too",     "very",   "we",        "which", "who"});

/// Belong to the word after them: `from A to B` is not `from B to A`.
constexpr auto mark_words = std::to_array<std::string_view>(
    {"about",  "above", "after",  "against", "as",      "at",      "because", "before",
     "behind", "below", "by",     "between", "during",  "for",     "from",    "except",
     "if",     "in",    "into",   "not",     "instead", "off",     "on",      "onto",
     "out",    "over",  "per",    "since",   "than",    "through", "to",      "under",
     "up",     "until", "unless", "via",     "when",    "while",   "with",    "without"});

/// Before a colon at the start: the kind of note. `Idea:` and `TODO:` say more than that.
constexpr auto labels =
    std::to_array<std::string_view>({"decision", "fact", "fyi", "important", "info", "insight",
                                     "learning", "lesson", "note", "remember", "reminder", "tip"});

/// Several words for one or two, or for none.
constexpr auto phrases = std::to_array<Rewrite>(
    {{"at present", ""},        {"at the moment", ""},     {"because of", "because"},
     {"due to", "because"},     {"e mail", "email"},       {"for example", "e.g"},
     {"has to", "must"},        {"have to", "must"},       {"in fact", ""},
     {"in order to", "to"},     {"instead of", "instead"}, {"it turned out that", ""},
     {"it turns out that", ""}, {"just so you know", ""},  {"keep in mind that", ""},
     {"note that", ""},         {"of course", ""},         {"rather than", "instead"},
     {"remember that", ""},     {"right now", ""}});

/// The first is short for the second, or says no other thing. As stem_of leaves them or as written.
constexpr auto same_words = std::to_array<Rewrite>({{"app", "application"},
                                                    {"approx", "about"},
                                                    {"approximately", "about"},
                                                    {"arg", "argument"},
                                                    {"auth", "authentication"},
                                                    {"bigger", "larger"},
                                                    {"cfg", "configuration"},
                                                    {"conf", "configuration"},
                                                    {"config", "configuration"},
                                                    {"db", "database"},
                                                    {"dep", "dependency"},
                                                    {"dev", "development"},
                                                    {"dir", "directory"},
                                                    {"doc", "documentation"},
                                                    {"each", "every"},
                                                    {"env", "environment"},
                                                    {"has", "have"},
                                                    {"js", "javascript"},
                                                    {"k8s", "kubernetes"},
                                                    {"lib", "library"},
                                                    {"max", "maximum"},
                                                    {"min", "minimum"},
                                                    {"msg", "message"},
                                                    {"need", "require"},
                                                    {"no", "not"},
                                                    {"param", "parameter"},
                                                    {"pick", "choose"},
                                                    {"picked", "chose"},
                                                    {"pkg", "package"},
                                                    {"postgres", "postgresql"},
                                                    {"prod", "production"},
                                                    {"quicker", "faster"},
                                                    {"remov", "delete"},
                                                    {"removed", "deleted"},
                                                    {"repo", "repository"},
                                                    {"roughly", "about"},
                                                    {"spec", "specification"},
                                                    {"ts", "typescript"},
                                                    {"var", "variable"},
                                                    {"were", "was"},
                                                    {"one", "1"},
                                                    {"two", "2"},
                                                    {"three", "3"},
                                                    {"four", "4"},
                                                    {"five", "5"},
                                                    {"six", "6"},
                                                    {"seven", "7"},
                                                    {"eight", "8"},
                                                    {"nine", "9"},
                                                    {"ten", "10"},
                                                    {"eleven", "11"},
                                                    {"twelve", "12"}});

/// Short units, as they stand after a number.
constexpr auto units = std::to_array<Rewrite>({{"d", "day"},
                                               {"h", "hour"},
                                               {"hrs", "hour"},
                                               {"kB", "KB"},
                                               {"min", "minute"},
                                               {"mins", "minute"},
                                               {"ms", "millisecond"},
                                               {"s", "second"},
                                               {"sec", "second"},
                                               {"secs", "second"}});

/// Of typesetters, for what is typed.
constexpr auto typeset = std::to_array<Rewrite>(
    {{"‘", "'"},  {"’", "'"},      {"“", " "},      {"”", " "},      {"„", " "},  {"‚", " "},
     {"«", " "},  {"»", " "},      {"–", " "},      {"—", " "},      {"…", " "},  {"•", " "},
     {"−", "-"},  {"\u00A0", " "}, {"\u202F", " "}, {"\u3000", " "}, {"≤", "<="}, {"≥", ">="},
     {"≠", "!="}, {"。", " "},     {"、", " "},     {"，", " "},     {"：", " "}, {"；", " "},
     {"！", " "}, {"（", " "},     {"）", " "},     {"「", " "},     {"」", " "}, {"？", "? "}});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
bool is_letter_or_digit(char c) {
  return is_digit(c) || is_capital(c) || is_small(c) || is_beyond_ascii(c);
}

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::optional<std::string_view> rewritten(std::span<const Rewrite> rewrites,
                                          std::string_view word) {
  const auto found = std::find_if(rewrites.begin(), rewrites.end(),
                                  [&](const Rewrite& of) { return of.first == word; });
  if (found == rewrites.end()) return std::nullopt;
  return found->second;
}

std::string typed(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto found = !is_beyond_ascii(text[at])
                           ? typeset.end()
                           : std::find_if(typeset.begin(), typeset.end(), [&](const Rewrite& of) {
                               return text.substr(at).starts_with(of.first);
                             });
    if (found == typeset.end()) {
      plain += text[at++];
    } else {
      plain += found->second;
      at += found->first.size();
    }
  }
  return plain;
}

std::string folded(std::string_view word) {
  if (std::any_of(word.begin(), word.end(), is_beyond_ascii)) return fold_name(word);
  std::string lower(word);
  for (char& c : lower) {
    if (is_capital(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// Cuts a text into words: in small letters, but units and options as they stand; numbers without
/// thousands separators; signs that count. Hyphens part words, so `two-phase` is `two phase`.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<std::string> read() {
    while (at_ < text_.size()) {
      if (is_letter_or_digit(text_[at_]))
        read_word();
      else if (text_[at_] == '-' && !after_word() && is_word_after_dashes())
        read_option();
      else
        read_sign();
    }
    return std::move(words_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : ' ';
  }
  [[nodiscard]] bool after_word() const { return at_ > 0 && is_letter_or_digit(text_[at_ - 1]); }
  [[nodiscard]] bool is_word_after_dashes() const {
    return is_letter_or_digit(peek(peek(1) == '-' ? 2 : 1));
  }
  [[nodiscard]] bool joins() const {
    const char c = text_[at_];
    if (c == '.' || c == '_' || c == '\'' || c == '@') return is_letter_or_digit(peek(1));
    return c == ':' && is_digit(text_[at_ - 1]) && is_digit(peek(1));
  }
  [[nodiscard]] bool separates_thousands() const {
    return text_[at_] == ',' && is_digit(text_[at_ - 1]) && is_digit(peek(1)) &&
           is_digit(peek(2)) && is_digit(peek(3)) && !is_digit(peek(4));
  }

  void read_word() {
    const std::size_t begin = at_;
    std::string word;
    while (at_ < text_.size()) {
      if (is_letter_or_digit(text_[at_]) || joins())
        word += text_[at_];
      else if (!separates_thousands())
        break;
      ++at_;
    }
    while (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '#')) word += text_[at_++];
    const bool may_be_unit =
        number_end_ != 0 && (begin == number_end_ + 1 && text_[number_end_] == ' ');
    if (may_be_unit && add_unit(word)) return;
    add(word);
  }

  /// `-v` and `-V`, `--force`, `-5`.
  void read_option() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter_or_digit(text_[at_]) || text_[at_] == '-' || joins()))
      ++at_;
    words_.emplace_back(text_.substr(begin, at_ - begin));
    if (is_digit(words_.back().back())) number_end_ = at_;
  }

  void read_sign() {
    const char c = text_[at_];
    if (c == '<' || c == '>' || c == '=' || c == '!') return read_comparison();
    if (c == ':' && words_.size() == 1 && is_one_of(labels, words_[0])) words_.clear();
    if (c == '\n') words_before_line_ = words_.size();
    if (c == '%') words_.emplace_back("percent");
    if (c == '~') words_.emplace_back("about");
    if (c == '$' && is_digit(peek(1))) words_.emplace_back("dollar");
    if (c == '?' && !is_letter_or_digit(peek(1))) words_.emplace_back("?");
    if (c == '[' && peek(2) == ']') return read_box();
    ++at_;
  }

  /// `[ ]` is a task still open; `[x]` says no more than the task as a statement; `[1]` is a word.
  void read_box() {
    if (peek(1) == ' ') words_.emplace_back("todo");
    at_ += peek(1) == 'x' || peek(1) == 'X' || peek(1) == ' ' ? 3 : 1;
  }

  /// `<`, `>=`, `==`, `!=`; neither the mark of a quotation nor an exclamation.
  void read_comparison() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_not_of("<>=!", at_), text_.size());
    const std::string_view sign = text_.substr(begin, at_ - begin);
    const bool exclaims = sign.find_first_not_of('!') == std::string_view::npos;
    const bool quotes = sign.find_first_not_of('>') == std::string_view::npos &&
                        words_.size() == words_before_line_;
    if (!exclaims && !quotes) words_.emplace_back(sign);
  }

  /// In small letters, MB would be Mb.
  bool add_unit(std::string_view word) {
    const auto unit = rewritten(units, word);
    if (!unit && word.size() > 3) return false;
    words_.emplace_back(unit.value_or(word));
    return true;
  }

  void add(std::string_view raw) {
    const auto number = std::min(raw.find_first_not_of("0123456789."), raw.size());
    if (is_digit(raw[0]) && number < raw.size()) {
      const std::string_view rest = raw.substr(number);
      const bool bytes = rest.size() <= 3 && (rest.back() == 'B' || rest.back() == 'b');
      if (bytes || rewritten(units, rest)) {
        words_.emplace_back(raw.substr(0, number));
        add_unit(rest);
        return;
      }
    }
    std::string word = folded(raw);
    if (word.size() > 1 && word[0] == 'v' && is_digit(word[1])) word.erase(0, 1);
    if (is_digit(word[0])) number_end_ = at_;
    add_contraction(word);
  }

  void add_contraction(std::string_view word) {
    const auto without = [&](std::size_t count) { return word.substr(0, word.size() - count); };
    if (word == "cannot") return add_both("can", "not");
    if (word == "can't") return add_both("can", "not");
    if (word == "won't") return add_both("will", "not");
    if (word.ends_with("n't")) return add_both(without(3), "not");
    if (word.ends_with("'ll")) return add_both(without(3), "will");
    if (word.ends_with("'ve")) return add_both(without(3), "have");
    if (word.ends_with("'re")) word = without(3);
    if (word.ends_with("'s") || word.ends_with("'m")) word = without(2);
    words_.emplace_back(word);
  }
  void add_both(std::string_view first, std::string_view second) {
    words_.emplace_back(first);
    words_.emplace_back(second);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t number_end_ = 0;  ///< Where the latest number ended; 0: there was none.
  std::size_t words_before_line_ = 0;
  std::vector<std::string> words_;
};

/// How many words from `at` the phrase takes; 0: it does not stand there.
std::size_t length_at(const std::vector<std::string>& words, std::size_t at,
                      std::string_view phrase) {
  std::size_t length = 0;
  while (!phrase.empty()) {
    const std::string_view word = phrase.substr(0, phrase.find(' '));
    if (at + length == words.size() || words[at + length] != word) return 0;
    phrase.remove_prefix(std::min(word.size() + 1, phrase.size()));
    ++length;
  }
  return length;
}

std::vector<std::string> without_phrases(const std::vector<std::string>& words) {
  std::vector<std::string> shorter;
  for (std::size_t at = 0; at < words.size();) {
    std::size_t length = 0;
    for (const auto& [phrase, instead] : phrases) {
      length = length_at(words, at, phrase);
      if (length == 0) continue;
      if (!instead.empty()) shorter.emplace_back(instead);
      break;
    }
    if (length == 0) shorter.push_back(words[at]);
    at += std::max<std::size_t>(length, 1);
  }
  return shorter;
}

bool is_vowel(char c) {
  return std::string_view("aeiouy").find(c) != std::string_view::npos;
}

/// Porter's m: how often a consonant follows a vowel.
int measure_of(std::string_view word) {
  int measure = 0;
  for (std::size_t i = 1; i < word.size(); ++i)
    measure += is_vowel(word[i - 1]) && !is_vowel(word[i]) ? 1 : 0;
  return measure;
}

/// Like `mak` and `run`: what ends so has an -e of its own (`pipe` is not `pip`).
bool is_short(std::string_view word) {
  if (word.size() < 3 || measure_of(word) != 1) return false;
  const std::string_view end = word.substr(word.size() - 3);
  return !is_vowel(end[0]) && is_vowel(end[1]) && !is_vowel(end[2]) && end[2] != 'w' &&
         end[2] != 'x';
}

/// Without plural -s, -ing, and the -e that both may hide: steps 1 and 5a of M. F. Porter, "An
/// algorithm for suffix stripping", 1980, less -ed: the past is another time.
std::string stem_of(std::string word) {
  if (!std::all_of(word.begin(), word.end(), is_small)) return word;
  const auto ends = [&](std::string_view end) { return word.ends_with(end); };
  if (word.size() > 4 && ends("ies"))
    word.replace(word.size() - 3, 3, "y");
  else if (word.size() > 2 && ends("s") && !ends("ss") && !ends("us") && !ends("is"))
    word.pop_back();
  if (word.size() > 4 && ends("ing") && word.find_first_of("aeiouy") < word.size() - 3) {
    word.resize(word.size() - 3);
    const char last = word.back();
    if (word.size() > 2 && last == word[word.size() - 2] && last != 'l' && last != 's')
      word.pop_back();
    else if (is_short(word))
      word += 'e';
  }
  if (ends("e")) {
    const auto root = std::string_view(word).substr(0, word.size() - 1);
    if (measure_of(root) > 1 || (measure_of(root) == 1 && !is_short(root))) word.pop_back();
  }
  return word;
}

std::string spelt_one_way(std::string word) {
  for (int round = 0; round < 2; ++round) {  // as it is written, then as its stem
    if (const auto other = rewritten(same_words, word)) word = *other;
    word = stem_of(std::move(word));
  }
  return word;
}

}  // namespace

std::vector<StatementWord> words_of(std::string_view statement) {
  const std::string plain = typed(statement);
  std::vector<StatementWord> words;
  std::string marks;
  for (std::string& read : without_phrases(Reader(plain).read())) {
    if (read.empty() || is_one_of(empty_words, read)) continue;
    const std::string_view mark = rewritten(same_words, read).value_or(read);
    if (is_one_of(mark_words, mark))
      marks.append(marks.empty() ? "" : " ").append(mark);
    else
      words.push_back({spelt_one_way(std::move(read)), std::exchange(marks, {})});
  }
  if (!marks.empty()) words.push_back({std::move(marks), {}});
  return words;
}

}  // namespace bb5
