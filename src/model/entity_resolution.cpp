#include "model/entity_resolution.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_set>

#include "base/letters.hpp"
#include "base/utf8.hpp"

namespace bb5 {
namespace {

using Tokens = std::vector<std::string>;

// --- types ---

enum class Sort : std::uint8_t {
  vague,
  person,
  organization,
  technology,
  location,
  file,
  project,
  concept_,
  other
};

Sort sort_of(std::string_view type) {
  static const std::map<std::string, Sort, std::less<>> sorts = {
      {"", Sort::concept_},
      {"concept", Sort::concept_},
      {"topic", Sort::concept_},
      {"idea", Sort::concept_},
      {"unknown", Sort::vague},
      {"person", Sort::person},
      {"people", Sort::person},
      {"human", Sort::person},
      {"organization", Sort::organization},
      {"organisation", Sort::organization},
      {"company", Sort::organization},
      {"technology", Sort::technology},
      {"tool", Sort::technology},
      {"software", Sort::technology},
      {"framework", Sort::technology},
      {"library", Sort::technology},
      {"language", Sort::technology},
      {"database", Sort::technology},
      {"location", Sort::location},
      {"place", Sort::location},
      {"city", Sort::location},
      {"country", Sort::location},
      {"file", Sort::file},
      {"document", Sort::file},
      {"path", Sort::file},
      {"project", Sort::project},
      {"repository", Sort::project}};
  const auto found = sorts.find(fold_name(type));
  return found == sorts.end() ? Sort::other : found->second;
}

// --- tokens ---

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_number(const std::string& token) {
  return !token.empty() && is_digit(token.front());
}

/// Words and numbers of a plain text. `C++`, `C#`, `.NET` and `&` keep what makes them others.
Tokens tokens_of(std::string_view plain) {
  Tokens tokens;
  std::string token;
  const auto finish = [&] {
    if (!token.empty()) tokens.push_back(std::move(token));
    token.clear();
  };
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    const bool after_letter = !token.empty() && !is_number(token);
    const bool before_letter = i + 1 < plain.size() && is_letter(plain[i + 1]);
    if (is_letter(c) || is_digit(c)) {
      if (!token.empty() && is_number(token) != is_digit(c)) finish();
      token += c;
    } else if (c == '\'') {
      continue;
    } else if (c == '+' && after_letter) {
      token += "plus";
    } else if (c == '#' && after_letter) {
      token += "sharp";
    } else if (c == '&') {
      finish();
      tokens.emplace_back("and");
    } else if (c == '.' && before_letter && (i == 0 || plain[i - 1] == ' ')) {
      finish();
      token = "dot";
    } else {
      finish();
    }
  }
  finish();
  // `v16` is 16, after a name.
  for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
    if (tokens[i] == "v" && is_number(tokens[i + 1]))
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return tokens;
}

/// One spelling for what British and American English write in two ways.
std::string one_english(std::string token) {
  const auto replace = [&](std::string_view from, std::string_view to, bool only_end) {
    const auto at = only_end
                        ? (token.ends_with(from) ? token.size() - from.size() : std::string::npos)
                        : token.find(from);
    if (at != std::string::npos && at >= 3) token.replace(at, from.size(), to);
  };
  replace("isation", "ization", false);
  replace("organis", "organiz", false);
  if (token.starts_with("organis")) token.replace(0, 7, "organiz");
  replace("our", "or", true);
  replace("ours", "ors", true);
  replace("logue", "log", true);
  return token;
}

Tokens one_english(Tokens tokens) {
  for (std::string& token : tokens) token = one_english(std::move(token));
  return tokens;
}

/// Words that are run together, numbers that are not: `node js`, `nodejs` → `nodejs`; 1.2 is
/// not 12.
Tokens runs_of(const Tokens& tokens) {
  Tokens runs;
  for (const std::string& token : tokens) {
    if (!runs.empty() && !is_number(token) && !is_number(runs.back())) {
      runs.back() += token;
    } else {
      runs.push_back(token);
    }
  }
  return runs;
}

std::string joined(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text.append(text.empty() ? "" : " ").append(token);
  return text;
}

/// The letters and digits from a word on, without what stands between, at most so many.
std::string joined_run(const Tokens& tokens, std::size_t from, std::size_t length) {
  std::string run;
  for (std::size_t i = from; i < tokens.size() && run.size() < length; ++i) run += tokens[i];
  return run.size() > length ? run.substr(0, length) : run;
}

Tokens numbers_of(const Tokens& tokens) {
  Tokens numbers;
  std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(numbers), is_number);
  return numbers;
}

std::size_t letters_of(const Tokens& tokens) {
  std::size_t letters = 0;
  for (const std::string& token : tokens) letters += token.size();
  return letters;
}

// --- words that say nothing of which one is meant ---

using Words = std::map<std::string, std::string, std::less<>>;

/// Legal forms, each with its one spelling.
const Words legal_forms = {{"inc", "inc"},   {"incorporated", "inc"},
                           {"corp", "corp"}, {"corporation", "corp"},
                           {"ltd", "ltd"},   {"limited", "ltd"},
                           {"llc", "llc"},   {"gmbh", "gmbh"},
                           {"ag", "ag"},     {"plc", "plc"},
                           {"pbc", "pbc"},   {"sa", "sa"},
                           {"co", "co"},     {"kg", "kg"},
                           {"bv", "bv"}};
const Words titles = {{"mr", ""}, {"mrs", ""}, {"ms", ""}, {"dr", ""}, {"prof", ""}, {"sir", ""}};
const Words technology_words = {
    {"database", ""}, {"library", ""}, {"framework", ""}, {"language", ""}};
const Words project_words = {{"project", ""}, {"repository", ""}, {"repo", ""}};

/// Short names that everybody uses, of technologies.
const Words short_forms = {{"postgresql", "postgres"},
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

/// A name in the forms in which it is compared.
struct Forms {
  std::string plain;
  bool quoted_acronym = false;  ///< The name gives its short form itself: `Long Name (LN)`.
  std::string acronym;          ///< That short form.
  Tokens tokens;
  Tokens core;      ///< Without legal form, titles, words for the type, a leading `the`.
  Tokens stripped;  ///< What was taken off.
};

std::string without_wrapping(std::string text) {
  const auto first = text.find_first_not_of("\"' @#");
  if (first == std::string::npos) return text;
  text.erase(0, first);
  text.erase(text.find_last_not_of("\"' ") + 1);
  for (const std::string_view quote : {"“", "”", "„", "«", "»"}) {
    if (text.starts_with(quote)) text.erase(0, quote.size());
    if (text.ends_with(quote)) text.erase(text.size() - quote.size());
  }
  return text;
}

const std::set<std::string, std::less<>> small_words = {"and", "of", "for", "the", "de", "in"};

std::string initials_of(const Tokens& tokens) {
  std::string initials;
  for (const std::string& token : tokens) {
    if (is_number(token)) return {};
    if (small_words.contains(token)) continue;
    initials += first_code_points(token, 1);
  }
  return initials;
}

/// `Long Name (LN)`: the long name, and LN apart.
void part_acronym(Forms& forms) {
  const auto open = forms.plain.find('(');
  if (open == std::string::npos || open == 0 || !forms.plain.ends_with(')')) return;
  const Tokens inside =
      tokens_of(std::string_view(forms.plain).substr(open + 1, forms.plain.size() - open - 2));
  const Tokens before = tokens_of(std::string_view(forms.plain).substr(0, open));
  if (inside.size() != 1 || inside.front().size() < 2) return;
  const std::string initials = initials_of(before);
  const bool one_word = before.size() == 1 && inside.front().front() == before.front().front();
  if (initials != inside.front() && !one_word) return;
  forms.quoted_acronym = true;
  forms.acronym = inside.front();
  forms.plain.erase(open);
}

void strip(Forms& forms, Sort sort) {
  Tokens& core = forms.core;
  const auto take_last = [&](const Words& words) {
    if (core.size() < 2 || !words.contains(core.back())) return;
    forms.stripped.push_back(words.at(core.back()));
    core.pop_back();
  };
  const auto take_first = [&](const Words& words) {
    while (core.size() > 1 && words.contains(core.front())) core.erase(core.begin());
  };
  if (core.size() > 1 && core.front() == "the" && letters_of(core) >= 3 + 5)
    core.erase(core.begin());
  if (sort == Sort::organization) take_last(legal_forms);
  if (sort == Sort::person) take_first(titles);
  if (sort == Sort::technology) take_last(technology_words);
  if (sort == Sort::project) {
    take_last(project_words);
    take_first(project_words);
  }
  std::erase(forms.stripped, "");
}

/// `Last, First` → `First Last`.
std::string in_order(const std::string& plain) {
  const auto comma = plain.find(", ");
  if (comma == std::string::npos || plain.find(',', comma + 1) != std::string::npos) return plain;
  const std::string rest = plain.substr(comma + 2);
  if (rest.starts_with("jr") || rest.starts_with("sr")) return plain;
  return rest + ' ' + plain.substr(0, comma);
}

Forms forms_of(std::string plain, Sort sort) {
  Forms forms;
  forms.plain = without_wrapping(std::move(plain));
  if (sort == Sort::file) {
    if (forms.plain.starts_with("./")) forms.plain.erase(0, 2);
    return forms;
  }
  if (sort == Sort::person) forms.plain = in_order(forms.plain);
  part_acronym(forms);
  forms.tokens = one_english(tokens_of(forms.plain));
  forms.core = forms.tokens;
  strip(forms, sort);
  return forms;
}

/// The name without dress, with umlauts written out, in Latin letters: those that differ.
std::vector<Forms> all_forms(const NamedEntity& entity) {
  const Sort sort = sort_of(entity.type);
  std::vector<Forms> forms;
  std::set<std::string> seen;
  for (std::string plain : {plain_letters(entity.name), plain_letters_german(entity.name),
                            latin_letters(entity.name)}) {
    if (seen.insert(plain).second) forms.push_back(forms_of(std::move(plain), sort));
  }
  return forms;
}

// --- rules ---

Tokens with_short_forms(Tokens runs) {
  for (std::string& run : runs)
    if (const auto known = short_forms.find(run); known != short_forms.end()) run = known->second;
  return runs;
}

/// `k8s`: first letter, how many are left out, last letter.
bool is_numeronym_of(const Tokens& brief, const Tokens& word) {
  if (brief.size() != 3 || word.size() != 1 || is_number(word.front())) return false;
  const std::string& whole = word.front();
  if (brief[0].size() != 1 || brief[2].size() != 1 || !is_number(brief[1])) return false;
  if (brief[1].size() > 2 || whole.size() < 5) return false;
  return std::to_string(whole.size() - 2) == brief[1] && whole.front() == brief[0].front() &&
         whole.back() == brief[2].front();
}

/// The singular of an English plural; the word itself where it is none.
std::string singular(const std::string& word) {
  const auto cut = [&](std::size_t letters) { return word.substr(0, word.size() - letters); };
  if (word.size() < 5 || word.ends_with("ss") || word.ends_with("ics") || word.ends_with("us"))
    return word;
  if (word.ends_with("ies")) return cut(3) + 'y';
  for (const std::string_view ending : {"xes", "ses", "shes", "ches", "zes"}) {
    if (word.ends_with(ending)) return cut(2);
  }
  return word.ends_with('s') ? cut(1) : word;
}

bool equal_but_plural(Tokens a, Tokens b) {
  if (a.empty() || a.size() != b.size()) return false;
  a.back() = singular(a.back());
  b.back() = singular(b.back());
  return a == b;
}

enum class Slip : std::uint8_t { none, doubled, exchanged, other };

/// How one word becomes the other by one slip of the hand; by more than one: none.
Slip slip_between(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1 || a == b) return Slip::none;
  std::size_t at = 0;
  while (at < a.size() && a[at] == b[at]) ++at;
  if (a.size() + 1 == b.size()) {
    if (a.substr(at) != b.substr(at + 1)) return Slip::none;
    return at > 0 && b[at] == b[at - 1] ? Slip::doubled : Slip::other;
  }
  if (a.substr(at + 1) == b.substr(at + 1)) return Slip::other;
  const bool exchanged = at + 1 < a.size() && a[at] == b[at + 1] && a[at + 1] == b[at] &&
                         a.substr(at + 2) == b.substr(at + 2);
  return exchanged && at > 0 ? Slip::exchanged : Slip::none;
}

/// The slip in the one word in which two names differ, and that word's length.
std::pair<Slip, std::size_t> slip_between(const Tokens& a, const Tokens& b) {
  if (a.size() != b.size()) return {Slip::none, 0};
  std::pair<Slip, std::size_t> found{Slip::none, 0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    if (found.second != 0 || is_number(a[i]) || is_number(b[i])) return {Slip::none, 0};
    found = {slip_between(a[i], b[i]), std::min(a[i].size(), b[i].size())};
    if (found.first == Slip::none) return found;
  }
  return found;
}

/// Every word of the shorter name is in the longer one, in order; initials stand for their words.
bool is_part(const Tokens& brief, const Tokens& whole, bool initials) {
  std::size_t at = 0;
  bool full_word = false;
  for (const std::string& word : whole) {
    if (at == brief.size()) break;
    const bool equal = brief[at] == word;
    if (equal || (initials && brief[at].size() == 1 && word.starts_with(brief[at]))) {
      full_word = full_word || (equal && word.size() > 1);
      ++at;
    }
  }
  return at == brief.size() && full_word;
}

struct Pair {
  const Forms& a;
  const Forms& b;
  Sort sort_a;
  Sort sort_b;
  [[nodiscard]] bool both(Sort sort) const { return sort_a == sort && sort_b == sort; }
};

NameMatch same(std::string reason) {
  return {Sameness::same, std::move(reason)};
}
NameMatch perhaps(std::string reason) {
  return {Sameness::perhaps, std::move(reason)};
}

/// The name alone tells what it names, whatever the type.
bool distinctive(const Tokens& tokens) {
  return tokens.size() > 1;
}

NameMatch equal_letters(const Pair& pair, std::string reason) {
  const bool one_says_little = pair.sort_a != pair.sort_b &&
                               (pair.sort_a == Sort::concept_ || pair.sort_b == Sort::concept_);
  if (one_says_little && !distinctive(pair.a.tokens) && !distinctive(pair.b.tokens))
    return perhaps("type");
  return same(std::move(reason));
}

NameMatch match_acronyms(const Pair& pair) {
  const auto given = [](const Forms& with, const Forms& other) {
    return with.quoted_acronym && other.tokens.size() == 1 && other.tokens.front() == with.acronym;
  };
  if (given(pair.a, pair.b) || given(pair.b, pair.a)) return same("its own short form");
  const auto made = [](const Forms& brief, const Forms& whole) -> std::size_t {
    if (brief.tokens.size() != 1 || whole.tokens.size() < 2) return 0;
    const std::string& acronym = brief.tokens.front();
    return initials_of(whole.tokens) == acronym ? acronym.size() : 0;
  };
  const std::size_t length = std::max(made(pair.a, pair.b), made(pair.b, pair.a));
  if (length >= 4 && pair.sort_a == pair.sort_b) return same("acronym");
  return length >= 2 ? perhaps("acronym") : NameMatch{};
}

NameMatch match_slips(const Pair& pair) {
  const auto [slip, length] = slip_between(pair.a.core, pair.b.core);
  if (slip == Slip::none) return {};
  const bool names_things = pair.both(Sort::technology) || pair.both(Sort::organization) ||
                            pair.both(Sort::location) || pair.both(Sort::project);
  const bool sure = (slip == Slip::doubled || slip == Slip::exchanged) &&
                    ((names_things && length >= 7) || (pair.both(Sort::concept_) && length >= 8));
  if (sure) return same("slip");
  return length >= 4 ? perhaps("one letter") : NameMatch{};
}

NameMatch match_forms(const Pair& pair) {
  const Forms& a = pair.a;
  const Forms& b = pair.b;
  if (pair.both(Sort::file))
    return !a.plain.empty() && a.plain == b.plain ? same("spelling") : NameMatch{};
  if (pair.sort_a == Sort::file || pair.sort_b == Sort::file) return {};
  if (a.tokens.empty() || b.tokens.empty()) return {};
  if (is_numeronym_of(a.tokens, b.tokens) || is_numeronym_of(b.tokens, a.tokens))
    return equal_letters(pair, "numeronym");
  if (numbers_of(a.tokens) != numbers_of(b.tokens)) return {};
  if (runs_of(a.tokens) == runs_of(b.tokens)) return equal_letters(pair, "spelling");
  if (auto match = match_acronyms(pair); match.sameness != Sameness::different) return match;
  if (pair.sort_a != pair.sort_b) {
    return runs_of(a.core) == runs_of(b.core) ? perhaps("type") : NameMatch{};
  }
  if (runs_of(a.core) == runs_of(b.core)) {
    const bool two_forms = !a.stripped.empty() && !b.stripped.empty() && a.stripped != b.stripped;
    return two_forms ? perhaps("legal form") : same("a word that says nothing");
  }
  if (pair.both(Sort::technology) &&
      with_short_forms(runs_of(a.core)) == with_short_forms(runs_of(b.core)))
    return same("short form");
  if (pair.both(Sort::concept_) && equal_but_plural(a.core, b.core)) return same("plural");
  if (auto match = match_slips(pair); match.sameness != Sameness::different) return match;
  const bool initials = pair.both(Sort::person);
  if (is_part(a.core, b.core, initials) || is_part(b.core, a.core, initials))
    return perhaps(initials ? "part of a name" : "part");
  return {};
}

bool types_agree(Sort a, Sort b, const NamedEntity& left, const NamedEntity& right) {
  if (a == Sort::other && b == Sort::other) return fold_name(left.type) == fold_name(right.type);
  const auto says_little = [](Sort sort) { return sort == Sort::vague || sort == Sort::concept_; };
  return a == b || says_little(a) || says_little(b);
}

}  // namespace

NameMatch match_names(const NamedEntity& a, const NamedEntity& b) {
  Sort sort_a = sort_of(a.type);
  Sort sort_b = sort_of(b.type);
  if (!types_agree(sort_a, sort_b, a, b)) return {};
  // A type that is not known is whatever the other one is.
  const NamedEntity left{a.name, sort_a == Sort::vague ? b.type : a.type};
  const NamedEntity right{b.name, sort_b == Sort::vague ? a.type : b.type};
  sort_a = sort_of(left.type);
  sort_b = sort_of(right.type);
  NameMatch best;
  for (const Forms& form_a : all_forms(left)) {
    for (const Forms& form_b : all_forms(right)) {
      NameMatch match = match_forms({form_a, form_b, sort_a, sort_b});
      if (match.sameness > best.sameness) best = std::move(match);
    }
  }
  return best;
}

// --- a bank's entities ---

namespace {

/// What two names have in common at least when match_names() says anything of them.
std::set<std::string> block_keys(const Entity& entity) {
  std::set<std::string> keys;
  for (const Forms& forms : all_forms({entity.name, entity.type})) {
    if (sort_of(entity.type) == Sort::file) {
      keys.insert("file " + forms.plain);
      continue;
    }
    if (forms.tokens.empty()) continue;
    const Tokens runs = runs_of(forms.core);
    keys.insert(joined(runs_of(forms.tokens)));
    keys.insert(joined(runs));
    keys.insert(joined(with_short_forms(runs)));
    // For slips and plurals: the beginning, for parts of names the words.
    keys.insert("beginning " + std::string(first_code_points(forms.core.front(), 4)));
    for (const std::string& token : forms.core)
      if (token.size() >= 3 && !small_words.contains(token)) keys.insert("word " + token);
    if (forms.tokens.size() > 1) keys.insert("acronym " + initials_of(forms.tokens));
    if (forms.tokens.size() == 1) keys.insert("acronym " + forms.tokens.front());
    if (forms.quoted_acronym) keys.insert("acronym " + forms.acronym);
    if (forms.tokens.size() == 1 && forms.tokens.front().size() >= 5) {
      const std::string& word = forms.tokens.front();
      keys.insert("numeronym " + word.substr(0, 1) + ' ' + std::to_string(word.size() - 2) + ' ' +
                  word.back());
    }
    if (forms.tokens.size() == 3) keys.insert("numeronym " + joined(forms.tokens));
  }
  return keys;
}

/// A word that more entities share than this is no hint.
constexpr std::size_t largest_block = 200;

/// True when `a` is the one to keep.
bool better(const Entity& a, const Entity& b) {
  const auto rank = [](const Entity& entity) {
    const Sort sort = sort_of(entity.type);
    return std::tuple(entity.placeholder, -entity.mention_count,
                      sort == Sort::vague || sort == Sort::concept_, !entity.first_seen,
                      entity.first_seen.value_or(Timestamp{}), std::string_view(entity.key));
  };
  return rank(a) < rank(b);
}

}  // namespace

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The name as all_forms() writes it. Of plain ASCII that is one text, had without ICU.
std::vector<std::string> plain_texts(const std::string& name) {
  if (!is_ascii(name))
    return {plain_letters(name), plain_letters_german(name), latin_letters(name)};
  std::string plain = name;
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '`') c = '\'';
  }
  return {plain};
}

/// Calls `take` with beginnings of words and other marks of which names that are `same` share one:
/// fewer bytes than block_keys(), and no rule but those that say `same`.
template <class Take>
void for_marks(const Entity& entity, Take take) {
  constexpr std::size_t length = 4;
  for (const std::string& plain : plain_texts(entity.name)) {
    const Tokens tokens = tokens_of(plain);
    const std::string initials = initials_of(tokens);
    if (initials.size() >= length) take("acronym " + initials);
    if (tokens.size() == 1) {
      const std::string& word = tokens.front();
      take("acronym " + word);
      if (word.size() >= 5) take(word.substr(0, 1) + std::to_string(word.size() - 2) + word.back());
    }
    if (tokens.size() == 3) take(joined_run(tokens, 0, std::string::npos));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      take(joined_run(tokens, i, length));
      if (i == 0 && tokens[i].size() < length) take(tokens[i]);
      for (const std::string& run : {tokens[i], joined_run(tokens, i, 32)})
        if (const auto known = short_forms.find(run); known != short_forms.end())
          take(known->second.substr(0, length));
    }
  }
}

}  // namespace

void keep_alike(std::vector<Entity>& entities, const std::set<std::string>& keys) {
  std::unordered_set<std::string> marks;
  for (const Entity& entity : entities) {
    if (keys.contains(entity.key))
      for_marks(entity, [&](std::string mark) { marks.insert(std::move(mark)); });
  }
  std::erase_if(entities, [&](const Entity& entity) {
    bool alike = keys.contains(entity.key);
    for_marks(entity, [&](const std::string& mark) { alike = alike || marks.contains(mark); });
    return !alike;
  });
}

EntityResolver::EntityResolver(std::span<const Entity> entities, ResolverOptions options)
    : entities_(entities), options_(std::move(options)) {
  for (std::size_t i = 0; i < entities_.size(); ++i)
    for (const std::string& key : block_keys(entities_[i])) blocks_[key].push_back(i);
}

std::set<std::size_t> EntityResolver::candidates_of(std::size_t entity) const {
  std::set<std::size_t> candidates;
  for (const std::string& key : block_keys(entities_[entity])) {
    const auto& block = blocks_.at(key);
    if (block.size() <= largest_block) candidates.insert(block.begin(), block.end());
  }
  candidates.erase(entity);
  return candidates;
}

NameMatch EntityResolver::match(const Entity& a, const Entity& b) const {
  NameMatch match = match_names({a.name, a.type}, {b.name, b.type});
  if (match.sameness != Sameness::perhaps || !options_.closeness) return match;
  const auto closeness = options_.closeness(a, b);
  if (closeness && *closeness >= options_.confirm_from) {
    match.sameness = Sameness::same;
    match.reason += ", confirmed by what is said of both";
  }
  return match;
}

std::vector<ResolvedPair> EntityResolver::pairs() const {
  std::set<std::string> all;
  for (const Entity& entity : entities_) all.insert(entity.key);
  return pairs_of(all);
}

std::vector<ResolvedPair> EntityResolver::pairs_of(const std::set<std::string>& keys) const {
  std::map<std::pair<std::size_t, std::size_t>, NameMatch> found;  // (from, into)
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    if (!keys.contains(entities_[i].key)) continue;
    for (const std::size_t other : candidates_of(i)) {
      const bool keep = better(entities_[i], entities_[other]);
      const std::pair place(keep ? other : i, keep ? i : other);
      if (found.contains(place)) continue;
      NameMatch match = this->match(entities_[i], entities_[other]);
      if (match.sameness != Sameness::different) found.emplace(place, std::move(match));
    }
  }
  const auto same_thing = [&](std::size_t a, std::size_t b) {
    const auto pair =
        found.find(better(entities_[a], entities_[b]) ? std::pair(b, a) : std::pair(a, b));
    return pair != found.end() && pair->second.sameness == Sameness::same;
  };
  std::map<std::size_t, std::vector<std::size_t>> targets;
  for (const auto& [pair, match] : found)
    if (match.sameness == Sameness::same) targets[pair.first].push_back(pair.second);
  std::map<std::size_t, std::size_t> chosen;
  std::set<std::size_t> ambiguous;
  for (const auto& [from, into] : targets) {
    std::size_t best = into.front();
    for (const std::size_t other : into)
      if (better(entities_[other], entities_[best])) best = other;
    const bool one = std::all_of(into.begin(), into.end(), [&](std::size_t other) {
      return other == best || same_thing(other, best);
    });
    if (one) {
      chosen[from] = best;
    } else {
      ambiguous.insert(from);
    }
  }
  std::vector<ResolvedPair> pairs;
  for (auto& [pair, match] : found) {
    const auto [from, into] = pair;
    if (match.sameness == Sameness::same && ambiguous.contains(from))
      match = perhaps("several that are meant: " + match.reason);
    if (match.sameness == Sameness::same && chosen.at(from) != into) continue;
    pairs.push_back({&entities_[from], &entities_[into], std::move(match)});
  }
  std::sort(pairs.begin(), pairs.end(), [](const ResolvedPair& a, const ResolvedPair& b) {
    return std::tuple(-static_cast<int>(a.match.sameness), std::string_view(a.from->key),
                      std::string_view(a.into->key)) <
           std::tuple(-static_cast<int>(b.match.sameness), std::string_view(b.from->key),
                      std::string_view(b.into->key));
  });
  return pairs;
}

}  // namespace bb5
