#include "extractors/rules/entities.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "extractors/rules/topics.hpp"
#include "extractors/rules/vocabulary.hpp"

namespace bb5::rules {
namespace {

using WordSet = std::unordered_set<std::string_view>;

constexpr std::size_t longest_name_words = 4;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return is_upper(c) || is_lower(c);
}

/// `TASK-12`, `TASK-HINDSIGHT-001`, `F-013`, `#7`
bool is_ticket(std::string_view word) {
  if (word.starts_with('#')) return word.size() > 1;
  static const WordSet others = {"utf",   "sha", "iso", "rfc",  "aes",   "gpt", "http",
                                 "covid", "cve", "ipv", "md",   "ascii", "bm",  "fp",
                                 "int",   "q",   "ps",  "usb",  "ieee",  "cp",  "win",
                                 "mp",    "vp",  "tls", "ecma", "x",     "rs"};
  const std::size_t dash = word.find('-');
  const std::size_t last = word.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || last + 1 == word.size()) return false;
  const std::string_view prefix = word.substr(0, dash);
  const std::string_view number = word.substr(last + 1);
  const auto upper_or_digit = [](char c) {
    return is_upper(c) || is_digit(c) || c == '-' || c == '_';
  };
  if (!is_upper(prefix[0]) ||
      !std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(last),
                   upper_or_digit) ||
      !std::all_of(number.begin(), number.end(), is_digit))
    return false;
  if (prefix.size() == 1 && number.size() < 3) return false;
  return !others.contains(to_lower_ascii(prefix));
}

bool is_camel_case(std::string_view word) {
  if (word.size() < 4 || word.starts_with("Mc") || word.starts_with("Mac") ||
      word.starts_with("O'") || word.starts_with("Fitz"))
    return false;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (!is_letter(word[i]) && !is_digit(word[i])) return false;
    if (is_upper(word[i]) && is_lower(word[i - 1])) return true;
  }
  return false;
}

bool is_snake_case(std::string_view word) {
  const std::size_t bar = word.find('_', 1);
  return bar != std::string_view::npos && bar + 1 < word.size() &&
         std::any_of(word.begin(), word.end(), is_letter) &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
         });
}

/// The host of a URL, or nothing for what names no place of its own.
std::string host_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  std::string host = to_lower_ascii(url.substr(0, url.find_first_of("/?#")));
  host = host.substr(host.rfind('@') == std::string::npos ? 0 : host.rfind('@') + 1);
  host = host.substr(0, host.find(':'));
  if (host.starts_with("www.")) host.erase(0, 4);
  if (host.find('.') == std::string::npos || host.starts_with("example.") ||
      host.ends_with(".example") || !is_letter(host.back()) ||
      !std::all_of(host.begin(), host.end(),
                   [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; }))
    return {};
  return host;
}

struct Name {
  std::string text;
  std::string_view type;
};

/// What a piece of inline code names: a path, a ticket, a function, a package; or nothing.
std::optional<Name> name_in_code(std::string_view code) {
  code = trimmed(code);
  while (code.starts_with('$')) code.remove_prefix(1);
  const std::size_t bracket = code.find('(');
  if (bracket != std::string_view::npos && bracket > 0 && code.ends_with(')'))
    code = code.substr(0, bracket);
  if (code.size() < 2 || code.size() > 60) return {};
  if (const auto known = known_name(to_lower_ascii(code));
      known && known->type != "given" && (!known->exact || known->spelling == code))
    return Name{std::string(known->name), known->type};
  if (code.find("://") != std::string_view::npos) return {};
  if (is_ticket(code)) return Name{std::string(code), "task"};
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/' ||
           c == ':' || c == '@' || c == '~' || c == '+';
  };
  if (!std::all_of(code.begin(), code.end(), fits) ||
      !std::any_of(code.begin(), code.end(), is_letter))
    return {};
  const bool has_slash = code.find('/') != std::string_view::npos;
  if (looks_like_path(code) || (has_slash && (code.ends_with('/') || code.starts_with('.')))) {
    while (code.size() > 1 && code.ends_with('/')) code.remove_suffix(1);
    return Name{std::string(code), "file"};
  }
  const char first = code.front();
  const char last = code.back();
  if ((!is_letter(first) && first != '_' && first != '@') || last == ':' || last == '.' ||
      last == '-' || last == '+')
    return {};
  const std::string low = to_lower_ascii(code);
  if (is_code_word(low) || is_stop_word(low)) return {};
  const bool hex = std::all_of(low.begin(), low.end(),
                               [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (hex && std::any_of(low.begin(), low.end(), is_digit)) return {};
  return code.size() < 3 ? std::nullopt : std::optional(Name{std::string(code), "technology"});
}

bool adjacent(const Words& words, std::size_t i) {
  return words[i + 1].begin == words[i].end + 1 && words.text()[words[i].end] == ' ' &&
         !words[i].possessive && !words[i].call;
}

/// Tokens [first, last) in lower case, one space between.
std::string_view joined(const Words& words, std::size_t first, std::size_t last,
                        std::string& buffer) {
  if (last == first + 1) return words.low(first);
  buffer.clear();
  for (std::size_t i = first; i < last; ++i) {
    if (i > first) buffer += ' ';
    buffer += words.low(i);
  }
  return buffer;
}

struct TransparentHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TransparentHash, std::equal_to<>>;

const WordSet organization_endings = {
    "inc",        "corp",       "gmbh",      "ltd",    "llc",  "ag",
    "foundation", "university", "institute", "labs",   "bank", "corporation",
    "company",    "consortium", "ministry",  "agency", "plc"};
const WordSet titles_of_persons = {"mr", "mrs", "ms", "dr", "prof", "herr", "frau"};
const WordSet deeds_of_persons = {
    "said",      "says",     "asked",   "told",   "wrote",    "suggested", "replied",
    "mentioned", "reported", "thinks",  "argued", "proposed", "agreed",    "works",
    "lives",     "joined",   "prefers", "likes",  "loves",    "asks",      "wants"};
const WordSet moves = {"live",    "lives",      "lived",     "living",       "based",
                       "located", "born",       "office",    "headquarters", "headquartered",
                       "moved",   "flew",       "travelled", "traveled",     "trip",
                       "stayed",  "conference", "meetup",    "move",         "flight"};
const WordSet roles = {"user", "assistant", "system", "human", "ai",
                       "bot",  "agent",     "tool",   "model", "unknown"};

}  // namespace

struct EntityFinder::Lexicon {
  struct Candidate {
    std::string name;
    std::string_view type = "concept";
    bool defined = false;    ///< The document says what it means.
    bool title = false;      ///< Only known as the title of a section.
    bool capital = false;    ///< Meant only when written with a capital.
    std::string exact;       ///< Meant only in this spelling, when not empty.
    std::size_t seen = 0;    ///< Times it was seen where only a name stands.
    std::size_t needed = 1;  ///< Mentions from which on it is believed.
    std::size_t entity = none;
  };
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::vector<Candidate> candidates;
  TextMap<std::size_t> by_key;
  TextMap<std::size_t> words_by_first;
  std::vector<ExtractedEntity> entities;
  std::vector<std::size_t> needed_of_entity;
  /// Words that stand in lower case somewhere.
  std::unordered_set<std::string, TransparentHash, std::equal_to<>> lower_words;
  std::size_t inner_words = 0;     ///< Words that do not start a clause…
  std::size_t inner_capitals = 0;  ///< …and those of them that have a capital.

  Candidate& put(std::string_view key, std::string_view name, std::string_view type) {
    const auto [place, added] = by_key.try_emplace(std::string(key), candidates.size());
    if (added) {
      candidates.push_back({.name = std::string(name), .type = type});
      const std::string_view first = key.substr(0, key.find(' '));
      const auto words = static_cast<std::size_t>(std::count(key.begin(), key.end(), ' ')) + 1;
      auto found = words_by_first.find(first);
      if (found == words_by_first.end()) found = words_by_first.emplace(first, 0).first;
      found->second = std::max(found->second, words);
    }
    return candidates[place->second];
  }

  /// A name of which one sight is enough. What was only a guess so far takes its type.
  Candidate& put_sure(std::string_view key, std::string_view name, std::string_view type) {
    Candidate& candidate = put(key, name, type);
    if (candidate.needed > 1 && candidate.type == "concept") {
      candidate.type = type;
      candidate.name = name;
      candidate.needed = 1;
      candidate.title = false;
    }
    return candidate;
  }

  void put_guess(std::string_view key, std::string_view name) {
    Candidate& candidate = put(key, name, "concept");
    if (candidate.defined) return;
    if (candidate.seen++ == 0 && candidate.name == name && candidate.type == "concept") {
      candidate.needed = 2;
      candidate.capital = true;
    }
  }

  // ---- first reading ------------------------------------------------------------------------

  void read(const Words& words) {
    for (std::size_t i = 0; i < words.size();) i = read_at(words, i);
  }

  std::size_t read_at(const Words& words, std::size_t i) {
    const Token& token = words[i];
    switch (token.kind) {
      case Token::Kind::code:
        if (const auto name = name_in_code(words.raw(i))) {
          Candidate& candidate = put_sure(words.low(i), name->text, name->type);
          if (!known_name(words.low(i))) candidate.exact = name->text;  // `Relay` is no relay
          if (candidate.seen++ == 0 && is_plain_word(name->text)) candidate.needed = 2;
        }
        return i + 1;
      case Token::Kind::url:
        if (const std::string host = host_of(words.raw(i)); !host.empty())
          put_sure(words.low(i), host, "technology");
        return i + 1;
      case Token::Kind::handle:
        put_sure(words.low(i), words.raw(i), "person");
        return i + 1;
      case Token::Kind::word:
        return read_word(words, i);
      case Token::Kind::number:
      case Token::Kind::symbol:
        return i + 1;
    }
    return i + 1;
  }

  std::size_t read_word(const Words& words, std::size_t i) {
    const Token& token = words[i];
    const std::string_view raw = words.raw(i);
    if (!token.capital && raw.size() < 30) lower_words.emplace(words.low(i));
    if (!token.starts_clause) {
      ++inner_words;
      inner_capitals += token.capital ? 1 : 0;
    }
    if (const std::size_t last = read_known(words, i); last > i) return last;
    if (raw.find('@') != std::string_view::npos) return i + 1;  // an address
    if (is_ticket(raw)) {
      put_sure(words.low(i), raw, "task");
    } else if (looks_like_path(raw)) {
      put_sure(words.low(i), raw, "file");
    } else if (token.call || is_camel_case(raw) || is_snake_case(raw) ||
               raw.find("::") != std::string_view::npos) {
      if (raw.size() > 4 && raw.size() <= 80 && !is_stop_word(words.low(i)))
        put_sure(words.low(i), raw, "technology");
    } else if (token.capital) {
      return read_proper_name(words, i);
    } else if (const std::size_t dash = raw.find('-'); dash != std::string_view::npos) {
      read_known_start(words.low(i).substr(0, dash), raw.substr(0, dash));
    }
    return i + 1;
  }

  /// `recall`: may be a command, may be any word.
  static bool is_plain_word(std::string_view name) {
    return !known_name(name) && std::all_of(name.begin(), name.end(), is_lower);
  }

  /// `Redis-backed` names Redis.
  bool read_known_start(std::string_view low, std::string_view raw) {
    const auto known = known_name(low);
    if (!known || known->type == "given" || (known->exact && known->spelling != raw)) return false;
    put_known(low, *known);
    return true;
  }

  void put_known(std::string_view key, const KnownName& known) {
    Candidate& candidate = put_sure(key, known.name, known.type);
    if (known.exact) candidate.exact = known.spelling;
  }

  /// Past the known name that starts at i; i when none does. First names are read elsewhere.
  std::size_t read_known(const Words& words, std::size_t i) {
    std::size_t most = std::min(known_name_words(words.low(i)), words.size() - i);
    std::string buffer;
    for (std::size_t reach = 1; reach < most; ++reach)
      if (!adjacent(words, i + reach - 1)) most = reach;
    for (std::size_t count = most; count > 0; --count) {
      const std::string_view low = joined(words, i, i + count, buffer);
      const auto known = known_name(low);
      if (!known || known->type == "given") continue;
      const std::size_t begin = words[i].begin;
      const std::string_view raw = words.text().substr(begin, words[i + count - 1].end - begin);
      if (known->exact && raw != known->spelling) continue;
      // a word that is also English is no name at the start of a sentence: `Go there.`
      if (known->exact && count == 1 && words[i].starts_clause && known->type != "location" &&
          is_common_at_start(words, i))
        continue;
      put_known(low, *known);
      return i + count;
    }
    return i;
  }

  /// `Go on`, `Rest assured`: followed by a word in lower case that is no verb.
  static bool is_common_at_start(const Words& words, std::size_t i) {
    if (i + 1 >= words.size() || words[i + 1].kind != Token::Kind::word) return false;
    return !words[i + 1].capital && !is_finite_verb(words.low(i + 1)) && !words.is(i + 1, "and");
  }

  static bool is_known_thing(const Words& words, std::size_t i) {
    const auto known = known_name(words.low(i));
    return known && known->type != "given" && (!known->exact || known->spelling == words.raw(i));
  }

  /// Past the words with capitals that start at i.
  static std::size_t end_of_capitals(const Words& words, std::size_t i) {
    std::size_t last = i;
    while (last < words.size() && last - i < longest_name_words &&
           words[last].kind == Token::Kind::word && words[last].capital &&
           (last == i || (adjacent(words, last - 1) && !words[last].starts_clause &&
                          !is_known_thing(words, last))) &&
           !is_stop_word(words.low(last)))
      ++last;
    return last;
  }

  static bool is_given_name(const Words& words, std::size_t i) {
    const auto known = known_name(words.low(i));
    return known && known->type == "given" && known->spelling == words.raw(i);
  }

  std::size_t read_proper_name(const Words& words, std::size_t i) {
    std::size_t last = end_of_capitals(words, i);
    if (last == i) return i + 1;
    const std::string_view before = i > 0 ? words.low(i - 1) : std::string_view();
    const std::string_view before_dot =
        before == "." && i > 1 ? words.low(i - 2) : std::string_view();
    std::string buffer;
    const auto key = [&] { return joined(words, i, last, buffer); };
    const auto name = [&] {
      return words.text().substr(words[i].begin, words[last - 1].end - words[i].begin);
    };
    if (last > i + 1 && organization_endings.contains(words.low(last - 1))) {
      put_sure(key(), name(), "organization").capital = true;
    } else if (is_given_name(words, i) || titles_of_persons.contains(before) ||
               titles_of_persons.contains(before_dot)) {
      last = std::min(last, i + 2);
      if (last == i + 2 && known_name(words.low(i + 1)) && !is_given_name(words, i + 1))
        last = i + 1;
      put_sure(key(), name(), "person").capital = true;
    } else if (last == i + 2 && deeds_of_persons.contains(words.low(last)) &&
               !words[i].starts_clause) {
      put_sure(key(), name(), "person").capital = true;
    } else if ((before == "in" || before == "to" || before == "from") && i > 1 &&
               moves.contains(words.low(i - 2))) {
      put_sure(key(), name(), "location").capital = true;
    } else if ((before == "at" || before == "for") && i > 1 &&
               (words.is(i - 2, "works") || words.is(i - 2, "work") || words.is(i - 2, "worked"))) {
      put_sure(key(), name(), "organization").capital = true;
    } else if (!words[i].starts_clause && is_name_like(name())) {
      put_guess(key(), name());
    }
    return last;
  }

  /// Not `User-defined`, not one letter.
  static bool is_name_like(std::string_view name) {
    if (count_characters(name) < 3 || count_characters(name) > 60) return false;
    for (std::size_t i = 0; i + 1 < name.size(); ++i)
      if (name[i] == '-' && is_lower(name[i + 1])) return false;
    return name.find_first_of("@/") == std::string_view::npos;
  }

  void read_term(std::string_view term, bool title, std::size_t most_words) {
    const Words words(term);
    if (words.size() == 0 || words.size() > most_words || term.size() > 40) return;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].kind != Token::Kind::word && words[i].kind != Token::Kind::number) return;
      if (i + 1 < words.size() && !adjacent(words, i)) return;
    }
    if (words[0].kind != Token::Kind::word || is_stop_word(words.low(0)) ||
        is_stop_word(words.low(words.size() - 1)) || words.raw(0).size() < 3 ||
        (words.size() == 1 && (is_code_word(words.low(0)) || is_finite_verb(words.low(0)))) ||
        read_heading(term).topic != Topic::none)
      return;
    std::string buffer;
    const std::string_view key = joined(words, 0, words.size(), buffer);
    if (const auto known = known_name(key); known) return;
    Candidate& candidate = put(key, term, "concept");
    if (candidate.name == term && candidate.type == "concept" && candidate.seen == 0) {
      candidate.defined |= !title;
      candidate.title = title && !candidate.defined && candidate.needed < 2;
      candidate.needed = 2;
    }
  }

  // ---- between ------------------------------------------------------------------------------

  void settle() {
    // In German every noun has a capital, in some texts every word: then it says nothing.
    const bool capitals_mean_names = inner_capitals * 5 <= inner_words;
    for (auto& [key, index] : by_key) {
      Candidate& candidate = candidates[index];
      if (candidate.seen == 0 || candidate.needed < 2 || candidate.type != "concept") continue;
      // `FULL` is no name where `full` is a word
      if (!capitals_mean_names || lower_words.contains(key)) candidate.needed = none;
    }
    join_first_names();
  }

  /// `Alice` means `Alice Johnson` where only one Alice has a surname.
  void join_first_names() {
    TextMap<std::size_t> full_names;
    for (const auto& [key, index] : by_key) {
      const std::size_t space = key.find(' ');
      if (candidates[index].type != "person" || space == std::string::npos) continue;
      const auto [place, added] = full_names.try_emplace(key.substr(0, space), index);
      if (!added) place->second = none;
    }
    for (const auto& [first, index] : full_names) {
      const auto found = by_key.find(first);
      if (index != none && found != by_key.end() && candidates[found->second].type == "person")
        found->second = index;
    }
  }

  // ---- second reading -----------------------------------------------------------------------

  std::size_t entity_of(Candidate& candidate) {
    if (candidate.entity == none) {
      // two spellings of one name (`Postgres`, `PostgreSQL`) are one entity
      const auto [place, added] = entity_by_name.try_emplace(candidate.name, entities.size());
      if (added) {
        entities.push_back(
            {.name = candidate.name, .type = std::string(candidate.type), .mentions = 0});
        needed_of_entity.push_back(candidate.needed);
      }
      candidate.entity = place->second;
      std::size_t& needed = needed_of_entity[candidate.entity];
      needed = std::min(needed, candidate.needed);
    }
    return candidate.entity;
  }

  std::vector<Mention> mentions_in(const Words& words, std::size_t body) {
    std::vector<Mention> mentions;
    for (std::size_t i = 0; i < words.size();) {
      const std::size_t last = mention_at(words, i, body, mentions);
      i = std::max(last, i + 1);
    }
    return mentions;
  }

  std::size_t mention_at(const Words& words, std::size_t i, std::size_t body,
                         std::vector<Mention>& mentions) {
    if (words[i].kind == Token::Kind::symbol || words[i].kind == Token::Kind::number) return i;
    const auto reach = words_by_first.find(words.low(i));
    std::size_t most =
        reach == words_by_first.end() ? 0 : std::min(reach->second, words.size() - i);
    for (std::size_t count = 1; count < most; ++count)
      if (!adjacent(words, i + count - 1)) most = count;
    std::string buffer;
    for (std::size_t count = most; count > 0; --count) {
      const auto found = by_key.find(joined(words, i, i + count, buffer));
      if (found == by_key.end()) continue;
      Candidate& candidate = candidates[found->second];
      if (candidate.title && words[i].begin < body) continue;
      if (candidate.needed == none || !is_meant(words, i, i + count, candidate)) continue;
      add(candidate, i, i + count, mentions);
      return i + count;
    }
    const std::size_t dash = words.low(i).find('-');
    if (words[i].kind == Token::Kind::word && dash != std::string_view::npos) {
      const auto found = by_key.find(words.low(i).substr(0, dash));
      if (found != by_key.end()) {
        Candidate& candidate = candidates[found->second];
        const std::string_view raw = words.raw(i).substr(0, dash);
        if (candidate.type == "technology" && (candidate.exact.empty() || candidate.exact == raw)) {
          add(candidate, i, i + 1, mentions);
          return i + 1;
        }
      }
    }
    return i;
  }

  bool is_meant(const Words& words, std::size_t first, std::size_t last,
                const Candidate& candidate) const {
    const std::string_view raw =
        words.text().substr(words[first].begin, words[last - 1].end - words[first].begin);
    if (words[first].kind == Token::Kind::code) return true;
    if (!candidate.exact.empty() && raw != candidate.exact) return false;
    if (!candidate.exact.empty() && last == first + 1 && words[first].starts_clause &&
        candidate.type != "location" && candidate.type != "person" &&
        is_common_at_start(words, first))
      return false;
    if (candidate.capital && !words[first].capital) return false;
    // a name in code (`recall`) that is an English word too is meant only as code
    if (candidate.type == "technology" && candidate.exact.empty() && last == first + 1 &&
        words[first].kind == Token::Kind::word && !words[first].call &&
        std::all_of(candidate.name.begin(), candidate.name.end(), is_lower) &&
        !known_name(words.low(first)))
      return false;
    return true;
  }

  void add(Candidate& candidate, std::size_t first, std::size_t last,
           std::vector<Mention>& mentions) {
    const std::size_t entity = entity_of(candidate);
    ++entities[entity].mentions;
    mentions.push_back({entity, first, last});
  }

  TextMap<std::size_t> entity_by_name;
};

EntityFinder::EntityFinder() : lexicon_(std::make_unique<Lexicon>()) {}
EntityFinder::~EntityFinder() = default;

void EntityFinder::read(const Words& words) {
  lexicon_->read(words);
}

void EntityFinder::read_author(std::string_view name) {
  name = trimmed(name);
  const std::string low = to_lower_ascii(name);
  if (name.empty() || roles.contains(low)) return;
  lexicon_->put_sure(low, name, "person").capital = name.front() >= 'A' && name.front() <= 'Z';
}

void EntityFinder::read_term(std::string_view term) {
  lexicon_->read_term(term, false, longest_name_words);
}

void EntityFinder::read_title(std::string_view title) {
  lexicon_->read_term(title, true, 3);
}

void EntityFinder::settle() {
  lexicon_->settle();
}

std::vector<Mention> EntityFinder::mentions_in(const Words& words, std::size_t body) {
  return lexicon_->mentions_in(words, body);
}

std::optional<std::size_t> EntityFinder::author(std::string_view name) {
  const auto found = lexicon_->by_key.find(to_lower_ascii(trimmed(name)));
  if (found == lexicon_->by_key.end()) return {};
  auto& candidate = lexicon_->candidates[found->second];
  if (candidate.type != "person") return {};
  return lexicon_->entity_of(candidate);
}

const std::vector<ExtractedEntity>& EntityFinder::entities() const noexcept {
  return lexicon_->entities;
}

bool EntityFinder::is_believed(std::size_t entity) const {
  const std::size_t needed = lexicon_->needed_of_entity[entity];
  return static_cast<std::size_t>(lexicon_->entities[entity].mentions) >= needed;
}

}  // namespace bb5::rules
