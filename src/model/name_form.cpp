#include "model/name_form.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/utf8.hpp"

namespace bb5 {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr auto letter_table = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = (c >= 'a' && c <= 'z') || c >= 0x80;
  return table;
}();
bool is_letter(char c) {
  return letter_table[static_cast<unsigned char>(c)];
}

/// Folding leaves such a text as it is.
bool is_folded(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && static_cast<unsigned char>(c) < 0x7F && (c < 'A' || c > 'Z');
  });
}

/// One spelling, of the letters from `begin` on, for what British and American English write in two
/// ways.
void write_in_one_english(std::string& letters, std::size_t begin) {
  constexpr std::size_t least = 3;  // letters before what is replaced
  const std::size_t size = letters.size() - begin;
  if (size < least + 3) return;
  const auto put = [&](std::size_t at, std::string_view from, std::string_view to) {
    if (at != std::string::npos && at >= begin + least) letters.replace(at, from.size(), to);
  };
  const auto put_last = [&](std::string_view from, std::string_view to) {
    if (letters.size() >= begin + from.size() && letters.ends_with(from))
      put(letters.size() - from.size(), from, to);
  };
  if (size >= least + 7) {
    put(letters.find("isation", begin), "isation", "ization");
    put(letters.find("organis", begin), "organis", "organiz");
  }
  if (letters[begin] == 'o' && letters.compare(begin, 7, "organis") == 0)
    letters.replace(begin, 7, "organiz");
  if (letters.back() != 'r' && letters.back() != 's' && letters.back() != 'e') return;
  put_last("our", "or");
  put_last("ours", "ors");
  put_last("logue", "log");
}

// --- words that say nothing of which one is meant ---

using Spellings = std::map<std::string_view, std::string_view>;
using WordSet = std::set<std::string_view>;

/// Legal forms, each with its one spelling.
const Spellings& legal_forms() {
  static const Spellings forms = {{"inc", "inc"},   {"incorporated", "inc"},
                                  {"corp", "corp"}, {"corporation", "corp"},
                                  {"ltd", "ltd"},   {"limited", "ltd"},
                                  {"llc", "llc"},   {"gmbh", "gmbh"},
                                  {"ag", "ag"},     {"plc", "plc"},
                                  {"pbc", "pbc"},   {"sa", "sa"},
                                  {"co", "co"},     {"kg", "kg"},
                                  {"bv", "bv"}};
  return forms;
}
const WordSet& titles() {
  static const WordSet words = {"mr", "mrs", "ms", "dr", "prof", "sir"};
  return words;
}
const WordSet& technology_words() {
  static const WordSet words = {"database", "library", "framework", "language"};
  return words;
}
const WordSet& project_words() {
  static const WordSet words = {"project", "repository", "repo"};
  return words;
}

/// Short names that everybody uses, of technologies.
const Spellings& short_forms() {
  static const Spellings forms = {{"postgresql", "postgres"},
                                  {"mongodb", "mongo"},
                                  {"influxdb", "influx"},
                                  {"arangodb", "arango"},
                                  {"scylladb", "scylla"},
                                  {"cockroachdb", "cockroach"},
                                  {"timescaledb", "timescale"},
                                  {"nodejs", "node"},
                                  {"reactjs", "react"},
                                  {"vuejs", "vue"},
                                  {"nextjs", "next"},
                                  {"nuxtjs", "nuxt"},
                                  {"expressjs", "express"},
                                  {"emberjs", "ember"},
                                  {"golang", "go"},
                                  {"js", "javascript"},
                                  {"ts", "typescript"},
                                  {"vscode", "visualstudiocode"}};
  return forms;
}

std::string_view without_wrapping(std::string_view text) {
  const auto first = text.find_first_not_of("\"' @#");
  if (first == std::string_view::npos) return text;
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of("\"' ") + 1);
  if ((static_cast<unsigned char>(text.front()) | static_cast<unsigned char>(text.back())) < 0x80)
    return text;
  for (const std::string_view quote : {"“", "”", "„", "«", "»"}) {
    if (text.starts_with(quote)) text.remove_prefix(quote.size());
    if (text.ends_with(quote)) text.remove_suffix(quote.size());
  }
  return text;
}

/// `Last, First` → `First Last`.
void put_in_order(std::string& plain) {
  const auto comma = plain.find(", ");
  if (comma == std::string::npos || plain.find(',', comma + 1) != std::string::npos) return;
  const std::string rest = plain.substr(comma + 2);
  if (rest.starts_with("jr") || rest.starts_with("sr")) return;
  plain = rest + ' ' + plain.substr(0, comma);
}

/// Calls `take(begin, end)` for each run: words between numbers, or one number.
template <class Take>
void for_runs(const NameWords& words, WordRange range, Take take) {
  for (std::size_t begin = range.begin; begin < range.end;) {
    std::size_t end = begin + 1;
    while (end < range.end && !words.is_number(begin) && !words.is_number(end)) ++end;
    take(begin, end);
    begin = end;
  }
}

}  // namespace

TypeSort sort_of_type(std::string_view type) {
  static const std::map<std::string_view, TypeSort> sorts = {
      {"", TypeSort::concept_},
      {"concept", TypeSort::concept_},
      {"topic", TypeSort::concept_},
      {"idea", TypeSort::concept_},
      {"unknown", TypeSort::vague},
      {"person", TypeSort::person},
      {"people", TypeSort::person},
      {"human", TypeSort::person},
      {"organization", TypeSort::organization},
      {"organisation", TypeSort::organization},
      {"company", TypeSort::organization},
      {"technology", TypeSort::technology},
      {"tool", TypeSort::technology},
      {"software", TypeSort::technology},
      {"framework", TypeSort::technology},
      {"library", TypeSort::technology},
      {"language", TypeSort::technology},
      {"database", TypeSort::technology},
      {"location", TypeSort::location},
      {"place", TypeSort::location},
      {"city", TypeSort::location},
      {"country", TypeSort::location},
      {"file", TypeSort::file},
      {"document", TypeSort::file},
      {"path", TypeSort::file},
      {"project", TypeSort::project},
      {"repository", TypeSort::project}};
  if (!is_folded(type)) {
    const std::string folded = fold_name(type);
    const auto found = sorts.find(folded);
    return found == sorts.end() ? TypeSort::other : found->second;
  }
  const auto found = sorts.find(type);
  return found == sorts.end() ? TypeSort::other : found->second;
}

// --- words ---

void NameWords::read(std::string_view plain) {
  letters_.clear();
  words_.clear();
  begin_ = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    const bool reading = letters_.size() > begin_;
    const bool number = reading && is_digit(letters_[begin_]);
    if (is_letter(c) || is_digit(c)) {
      if (reading && number != is_digit(c)) finish();
      std::size_t end = i + 1;
      if (is_digit(c)) {
        while (end < plain.size() && is_digit(plain[end])) ++end;
      } else {
        while (end < plain.size() && is_letter(plain[end])) ++end;
      }
      letters_.append(plain, i, end - i);
      i = end - 1;
    } else if (c == '\'') {
      continue;
    } else if (c == '+' && reading && !number) {
      letters_ += "plus";
    } else if (c == '#' && reading && !number) {
      letters_ += "sharp";
    } else {
      finish();
      if (c == '&') {
        letters_ += "and";
        finish();
      } else if (c == '.' && i + 1 < plain.size() && is_letter(plain[i + 1]) &&
                 (i == 0 || plain[i - 1] == ' ')) {
        letters_ += "dot";
      }
    }
  }
  finish();
}

void NameWords::finish() {
  if (letters_.size() == begin_) return;
  const bool number = is_digit(letters_[begin_]);
  if (number && words_.size() > 1 && (*this)[words_.size() - 1] == "v") words_.pop_back();
  if (!number) write_in_one_english(letters_, begin_);
  words_.push_back({begin_, letters_.size() - begin_, number});
  begin_ = letters_.size();
}

// --- a name ---

void NameForm::read(std::string_view text, TypeSort sort) {
  plain = without_wrapping(text);
  acronym.clear();
  if (sort == TypeSort::file) {
    if (plain.starts_with("./")) plain.erase(0, 2);
    words.read({});
  } else {
    if (sort == TypeSort::person) put_in_order(plain);
    part_acronym();
    words.read(plain);
  }
  strip_as(sort);
}

void NameForm::part_acronym() {
  if (!plain.ends_with(')')) return;
  const auto open = plain.find('(');
  if (open == std::string::npos || open == 0) return;
  NameWords inside;
  inside.read(std::string_view(plain).substr(open + 1, plain.size() - open - 2));
  NameWords before;
  before.read(std::string_view(plain).substr(0, open));
  if (inside.size() != 1 || inside[0].size() < 2 || before.empty()) return;
  const bool one_word = before.size() == 1 && inside[0].front() == before[0].front();
  if (initials_of(before) != inside[0] && !one_word) return;
  acronym = inside[0];
  plain.erase(open);
}

void NameForm::strip_as(TypeSort sort) {
  core = words.all();
  legal_form = {};
  const auto last_in = [&](const WordSet& set) {
    return core.size() > 1 && set.contains(words[core.end - 1]);
  };
  const auto first_in = [&](const WordSet& set) {
    return core.size() > 1 && set.contains(words[core.begin]);
  };
  if (core.size() > 1 && words[0] == "the") {
    std::size_t letters = 0;
    for (std::size_t i = 0; i < words.size(); ++i) letters += words[i].size();
    if (letters >= 3 + 5) ++core.begin;
  }
  if (sort == TypeSort::organization && core.size() > 1) {
    const auto form = legal_forms().find(words[core.end - 1]);
    if (form != legal_forms().end()) {
      legal_form = form->second;
      --core.end;
    }
  }
  if (sort == TypeSort::person)
    while (first_in(titles())) ++core.begin;
  if (sort == TypeSort::technology && last_in(technology_words())) --core.end;
  if (sort == TypeSort::project) {
    if (last_in(project_words())) --core.end;
    while (first_in(project_words())) ++core.begin;
  }
}

// --- what is made of words ---

void append_runs(const NameWords& words, WordRange range, std::string& text) {
  for_runs(words, range, [&](std::size_t begin, std::size_t end) {
    if (begin != range.begin) text += ' ';
    for (std::size_t i = begin; i < end; ++i) text += words[i];
  });
}

void append_short_runs(const NameWords& words, WordRange range, std::string& text) {
  for_runs(words, range, [&](std::size_t begin, std::size_t end) {
    if (begin != range.begin) text += ' ';
    const std::size_t run = text.size();
    for (std::size_t i = begin; i < end; ++i) text += words[i];
    const auto known = short_forms().find(std::string_view(text).substr(run));
    if (known != short_forms().end()) text.replace(run, std::string::npos, known->second);
  });
}

std::string initials_of(const NameWords& words) {
  std::string initials;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words.is_number(i)) return {};
    if (!is_small_word(words[i])) initials += first_code_points(words[i], 1);
  }
  return initials;
}

bool is_small_word(std::string_view word) {
  static const WordSet words = {"and", "of", "for", "the", "de", "in"};
  return word.size() <= 3 && words.contains(word);
}

std::string singular(std::string_view word) {
  const auto cut = [&](std::size_t letters) {
    return std::string(word.substr(0, word.size() - letters));
  };
  if (word.size() < 5 || word.ends_with("ss") || word.ends_with("ics") || word.ends_with("us"))
    return std::string(word);
  if (word.ends_with("ies")) return cut(3) + 'y';
  for (const std::string_view ending : {"xes", "ses", "shes", "ches", "zes"}) {
    if (word.ends_with(ending)) return cut(2);
  }
  return word.ends_with('s') ? cut(1) : std::string(word);
}

}  // namespace bb5
