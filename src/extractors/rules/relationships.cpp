#include "extractors/rules/relationships.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "extractors/rules/vocabulary.hpp"

namespace bb5::rules {
namespace {

using WordSet = std::unordered_set<std::string_view>;

constexpr std::size_t widest_gap = 9;    ///< Tokens between two mentions.
constexpr std::size_t most_fillers = 3;  ///< Words between the verb and what it is about.
constexpr double less_when_supposed = 0.25;

struct Pattern {
  std::string_view words;  ///< Forms of `to be` and `to get` before a participle are left out.
  std::string_view predicate;
  bool turned = false;  ///< The second mention is the subject.
  double confidence = 0.8;
  std::string_view then = {};  ///< A word that must follow, up to four words later: stores … `in`.
};

constexpr Pattern patterns[] = {
    {"uses", "uses", false, 0.85},
    {"use", "uses", false, 0.8},
    {"used", "uses", false, 0.75},
    {"using", "uses", false, 0.7},
    {"utilizes", "uses", false, 0.8},
    {"employs", "uses", false, 0.75},
    {"leverages", "uses", false, 0.8},
    {"used by", "uses", true, 0.85},
    {"powered by", "uses", false, 0.8},
    {"backed by", "uses", false, 0.8},
    {"built on", "uses", false, 0.8},
    {"built with", "uses", false, 0.8},
    {"built on top of", "uses", false, 0.8},
    {"based on", "uses", false, 0.7},
    {"written in", "uses", false, 0.85},
    {"implemented in", "uses", false, 0.8},
    {"runs on", "uses", false, 0.75},
    {"run on", "uses", false, 0.7},
    {"runs with", "uses", false, 0.65},
    {"depends on", "depends_on", false, 0.9},
    {"depend on", "depends_on", false, 0.85},
    {"dependent on", "depends_on", false, 0.85},
    {"relies on", "depends_on", false, 0.85},
    {"rely on", "depends_on", false, 0.8},
    {"requires", "depends_on", false, 0.85},
    {"require", "depends_on", false, 0.8},
    {"needs", "depends_on", false, 0.75},
    {"blocked by", "depends_on", false, 0.8},
    {"required by", "depends_on", true, 0.85},
    {"needed by", "depends_on", true, 0.8},
    {"blocks", "depends_on", true, 0.75},
    {"part of", "part_of", false, 0.9},
    {"a part of", "part_of", false, 0.9},
    {"belongs to", "part_of", false, 0.85},
    {"belong to", "part_of", false, 0.8},
    {"a module of", "part_of", false, 0.9},
    {"a component of", "part_of", false, 0.9},
    {"contains", "part_of", true, 0.75},
    {"includes", "part_of", true, 0.75},
    {"consists of", "part_of", true, 0.85},
    {"comprises", "part_of", true, 0.85},
    {"implements", "implements", false, 0.9},
    {"implement", "implements", false, 0.75},
    {"implemented by", "implements", true, 0.85},
    {"created by", "created_by", false, 0.9},
    {"written by", "created_by", false, 0.9},
    {"built by", "created_by", false, 0.9},
    {"developed by", "created_by", false, 0.9},
    {"designed by", "created_by", false, 0.85},
    {"made by", "created_by", false, 0.85},
    {"authored by", "created_by", false, 0.9},
    {"maintained by", "maintained_by", false, 0.85},
    {"maintains", "maintained_by", true, 0.85},
    {"created", "created_by", true, 0.8},
    {"wrote", "created_by", true, 0.8},
    {"built", "created_by", true, 0.7},
    {"developed", "created_by", true, 0.8},
    {"designed", "created_by", true, 0.75},
    {"replaces", "replaces", false, 0.9},
    {"replaced", "replaces", false, 0.8},
    {"supersedes", "replaces", false, 0.9},
    {"superseded", "replaces", false, 0.8},
    {"replaced by", "replaces", true, 0.9},
    {"replaced with", "replaces", true, 0.85},
    {"superseded by", "replaces", true, 0.9},
    {"extends", "extends", false, 0.85},
    {"inherits from", "extends", false, 0.9},
    {"derives from", "extends", false, 0.85},
    {"wraps", "uses", false, 0.75},
    {"stores", "stores_in", false, 0.85, "in"},
    {"store", "stores_in", false, 0.75, "in"},
    {"stored in", "stores_in", false, 0.85},
    {"kept in", "stores_in", false, 0.8},
    {"saved in", "stores_in", false, 0.8},
    {"saved to", "stores_in", false, 0.8},
    {"persisted in", "stores_in", false, 0.8},
    {"persists to", "stores_in", false, 0.8},
    {"persisted to", "stores_in", false, 0.8},
    {"writes to", "stores_in", false, 0.75},
    {"writes into", "stores_in", false, 0.75},
    {"keeps", "stores_in", false, 0.75, "in"},
    {"connects to", "connects_to", false, 0.85},
    {"connected to", "connects_to", false, 0.8},
    {"connect to", "connects_to", false, 0.75},
    {"talks to", "connects_to", false, 0.8},
    {"communicates with", "connects_to", false, 0.8},
    {"integrates with", "connects_to", false, 0.8},
    {"integrated with", "connects_to", false, 0.75},
    {"reads from", "connects_to", false, 0.75},
    {"queries", "connects_to", false, 0.75},
    {"calls", "calls", false, 0.8},
    {"called by", "calls", true, 0.8},
    {"called from", "calls", true, 0.8},
    {"caused by", "caused_by", false, 0.85},
    {"due to", "caused_by", false, 0.75},
    {"because of", "caused_by", false, 0.75},
    {"triggered by", "caused_by", false, 0.8},
    {"caused", "caused_by", true, 0.8},
    {"causes", "caused_by", true, 0.8},
    {"leads to", "caused_by", true, 0.7},
    {"led to", "caused_by", true, 0.75},
    {"supports", "supports", false, 0.75},
    {"supported by", "supports", true, 0.75},
    {"fixes", "resolves", false, 0.85},
    {"fixed", "resolves", false, 0.75},
    {"closes", "resolves", false, 0.8},
    {"resolves", "resolves", false, 0.85},
    {"fixed by", "resolves", true, 0.85},
    {"fixed in", "resolves", true, 0.8},
    {"an alternative to", "alternative_to", false, 0.8},
    {"works at", "works_at", false, 0.9},
    {"works for", "works_at", false, 0.85},
    {"work at", "works_at", false, 0.85},
    {"work for", "works_at", false, 0.8},
    {"worked at", "works_at", false, 0.75},
    {"employed by", "works_at", false, 0.9},
    {"works with", "works_with", false, 0.75},
    {"work with", "works_with", false, 0.7},
    {"lives in", "lives_in", false, 0.9},
    {"live in", "lives_in", false, 0.85},
    {"living in", "lives_in", false, 0.85},
    {"moved to", "lives_in", false, 0.7},
    {"located in", "located_in", false, 0.85},
    {"based in", "located_in", false, 0.85},
    {"headquartered in", "located_in", false, 0.9},
    {"likes", "likes", false, 0.85},
    {"like", "likes", false, 0.75},
    {"love", "likes", false, 0.8},
    {"loves", "likes", false, 0.85},
    {"enjoys", "likes", false, 0.8},
    {"enjoy", "likes", false, 0.8},
    {"prefers", "prefers", false, 0.9},
    {"prefer", "prefers", false, 0.85},
    {"preferred", "prefers", false, 0.75},
    {"hates", "dislikes", false, 0.85},
    {"hate", "dislikes", false, 0.85},
    {"dislikes", "dislikes", false, 0.85},
    {"knows", "knows", false, 0.75},
    {"met", "knows", false, 0.7},
    {"married to", "married_to", false, 0.9},
};

const std::unordered_multimap<std::string_view, const Pattern*>& patterns_by_first() {
  static const auto index = [] {
    std::unordered_multimap<std::string_view, const Pattern*> made;
    for (const Pattern& pattern : patterns)
      made.emplace(pattern.words.substr(0, pattern.words.find(' ')), &pattern);
    return made;
  }();
  return index;
}

const WordSet denials = {"not",     "never",  "no",      "without",  "instead", "rather", "nor",
                         "neither", "cannot", "hardly",  "unlike",   "avoid",   "avoids", "avoided",
                         "stopped", "stop",   "dropped", "longer",   "except",  "isn",    "don",
                         "refuses", "fails",  "failed",  "rejected", "than"};
const WordSet suppositions = {"could",    "should",     "might",   "may",  "would", "can",   "if",
                              "plan",     "plans",      "planned", "want", "wants", "must",  "will",
                              "consider", "considered", "try",     "try",  "tried", "shall", "to"};
const WordSet forms_of_be = {"is",   "are",   "was", "were", "be",   "been", "being",
                             "gets", "got",   "get", "has",  "have", "had",  "it's",
                             "that", "which", "who", "does", "do",   "did"};
const WordSet adverbs = {"also",    "now",    "still",      "currently", "already", "only",
                         "then",    "always", "mainly",     "mostly",    "usually", "directly",
                         "just",    "often",  "internally", "both",      "really",  "simply",
                         "heavily", "partly", "primarily",  "itself",    "later",   "recently",
                         "finally", "never"};
const WordSet no_fillers = {"and",   "or",    "but", "that", "which",   "when", "because", "if",
                            "while", "where", "who", "so",   "then",    "it",   "they",    "we",
                            "i",     "you",   "he",  "she",  "instead", "not",  "own"};

bool is_denial(std::string_view low) {
  return denials.contains(low) || low.ends_with("n't") || low.ends_with("n\u2019t");
}

bool is_word(const Words& words, std::size_t i) {
  return words[i].kind == Token::Kind::word || words[i].kind == Token::Kind::number ||
         words[i].kind == Token::Kind::code;
}

/// The pattern whose words stand from `at` on, the longest; `at` is moved past them.
const Pattern* pattern_at(const Words& words, std::size_t& at, std::size_t end) {
  const Pattern* best = nullptr;
  std::size_t past = at;
  const auto [from, to] = patterns_by_first().equal_range(words.low(at));
  for (auto place = from; place != to; ++place) {
    const Pattern& pattern = *place->second;
    std::size_t i = at;
    bool fits = true;
    for (std::string_view rest = pattern.words; fits && !rest.empty(); ++i) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      fits = i < end && words.is(i, word);
    }
    if (!fits) continue;
    if (!pattern.then.empty()) {
      std::size_t then = i;
      while (then < end && then < i + 5 && !words.is(then, pattern.then)) ++then;
      if (then >= end || then >= i + 5) continue;
      i = then + 1;
    }
    if (best != nullptr && pattern.words.size() <= best->words.size()) continue;
    best = &pattern;
    past = i;
  }
  at = past;
  return best;
}

class Reader {
 public:
  Reader(const Words& words, const std::vector<Mention>& mentions)
      : words_(words), mentions_(mentions) {}

  std::vector<StatedRelationship> run() {
    mark_clauses();
    for (std::size_t m = 0; m + 1 < mentions_.size(); ++m) {
      const Mention& left = mentions_[m];
      const Mention& right = mentions_[m + 1];
      if (right.first < left.last || right.first - left.last > widest_gap) continue;
      if (clause_[left.first] != clause_[right.first] || !may_state_[left.first]) continue;
      if (!read_change(m) && !read_between(m)) continue;
    }
    return std::move(found_);
  }

 private:
  /// Numbers the clauses; those that ask or suppose state nothing.
  void mark_clauses() {
    clause_.resize(words_.size());
    may_state_.resize(words_.size(), true);
    std::size_t clause = 0;
    std::size_t start = 0;
    bool supposed = false;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      clause_[i] = clause;
      if (i == start || words_.is(i, "if") || words_.is(i, "whether"))
        supposed |= words_.is(i, "if") || words_.is(i, "whether") || words_.is(i, "unless");
      const bool ends = words_[i].kind == Token::Kind::symbol && ends_clause(words_.low(i));
      const bool asks = ends && words_.is(i, "?");
      if (supposed || asks)
        for (std::size_t back = start; back <= i; ++back) may_state_[back] = false;
      if (!ends && !(i + 1 < words_.size() && new_line_after(i))) {
        if (supposed) start = i + 1;  // what is behind is marked already
        continue;
      }
      ++clause;
      start = i + 1;
      supposed = false;
    }
  }

  static bool ends_clause(std::string_view symbol) {
    return symbol == "." || symbol == "!" || symbol == "?" || symbol == ";" || symbol == ":" ||
           symbol == "\u2014" || symbol == "\u2013" || symbol == "|" || symbol == "\u3002" ||
           symbol == "(" || symbol == ")" || symbol == "\u2192" || symbol == "=" || symbol == ">";
  }

  [[nodiscard]] bool new_line_after(std::size_t i) const {
    const std::size_t end = words_[i].end;
    return words_.text().substr(end, words_[i + 1].begin - end).find('\n') !=
           std::string_view::npos;
  }

  /// `moved from A to B`, `replaced A with B`, `chose A over B`.
  bool read_change(std::size_t m) {
    static const WordSet moving = {"migrated",  "moved",     "switched", "ported",
                                   "migrate",   "move",      "switch",   "moving",
                                   "migrating", "switching", "upgraded", "converted"};
    static const WordSet replacing = {"replaced",  "replace", "replaces",
                                      "replacing", "swapped", "swap"};
    static const WordSet choosing = {"chose",     "choose", "chosen", "prefer",   "preferred",
                                     "prefers",   "picked", "pick",   "selected", "select",
                                     "recommend", "favor",  "favour", "use",      "used",
                                     "choosing",  "picking"};
    const Mention& left = mentions_[m];
    const Mention& right = mentions_[m + 1];
    if (left.first == 0 || right.first == left.last) return false;
    std::size_t before = left.first - 1;
    if (before > 0 && (words_.is(before, "the") || words_.is(before, "a"))) --before;
    const std::string_view between = words_.low(left.last);
    const std::size_t width = right.first - left.last;
    if (is_denied_before(before)) return false;
    if (between == "to" && width <= 2 && words_.is(before, "from") && before > 0 &&
        verb_within(before, moving, 4)) {
      add(right.entity, "replaces", left.entity, 0.85);
      return true;
    }
    if ((between == "with" || between == "by") && width <= 2 &&
        replacing.contains(words_.low(before))) {
      add(right.entity, "replaces", left.entity, 0.85);
      return true;
    }
    const bool over = (between == "over" && width <= 2) ||
                      (width <= 3 && (between == "instead" || between == "rather") &&
                       (words_.is(left.last + 1, "of") || words_.is(left.last + 1, "than")));
    if (over && choosing.contains(words_.low(before))) {
      add(left.entity, "preferred_over", right.entity, 0.8);
      return true;
    }
    return false;
  }

  [[nodiscard]] bool verb_within(std::size_t end, const WordSet& verbs, std::size_t most) const {
    for (std::size_t back = 1; back <= most && back <= end; ++back)
      if (verbs.contains(words_.low(end - back))) return true;
    return false;
  }

  /// `do not replace A with B`
  [[nodiscard]] bool is_denied_before(std::size_t verb) const {
    for (std::size_t back = 1; back <= 3 && back <= verb; ++back) {
      if (words_[verb - back].kind == Token::Kind::symbol) return false;
      if (is_denial(words_.low(verb - back))) return true;
    }
    return false;
  }

  bool read_between(std::size_t m) {
    const Mention& left = mentions_[m];
    const Mention& right = mentions_[m + 1];
    // `A works at B and lives in C`: A is the subject of both
    const bool goes_on = words_.is(left.last, "and") && last_object_ == m && m > 0;
    if (!goes_on && !is_relative_comma(left.last) && !is_subject(m)) return false;
    bool supposed = false;
    for (std::size_t i = left.last; i < right.first; ++i) {
      if (is_relative_comma(i)) continue;
      if (!is_word(words_, i) || is_denial(words_.low(i))) return false;
      if (suppositions.contains(words_.low(i)) && i < left.last + 3) supposed = true;
    }
    std::size_t at = left.last;
    if (is_relative_comma(at) || goes_on) ++at;
    while (at < right.first && at < left.last + 4 &&
           (forms_of_be.contains(words_.low(at)) || adverbs.contains(words_.low(at)) ||
            suppositions.contains(words_.low(at))))
      ++at;
    if (at >= right.first) return false;
    const std::size_t verb = at;
    const Pattern* pattern = pattern_at(words_, at, right.first);
    if (pattern == nullptr || at > right.first || right.first - at > most_fillers) return false;
    // `X is used Y` is no sentence; `was built by` was taken above, `was created` alone says
    // nothing
    const bool passive = verb > left.last && is_be(words_.low(verb - 1)) &&
                         pattern->words.find(' ') == std::string_view::npos &&
                         pattern->words.ends_with("ed");
    if (passive) return false;
    for (std::size_t i = at; i < right.first; ++i) {
      const std::string_view low = words_.low(i);
      if (is_preposition(low) || no_fillers.contains(low) || is_finite_verb(low)) return false;
    }
    const bool to_infinitive = supposed && verb > left.last && words_.is(verb - 1, "to");
    const double confidence =
        pattern->confidence - (supposed || to_infinitive ? less_when_supposed : 0.0);
    add_lists(goes_on ? last_subject_ : m, m + 1, *pattern, confidence);
    return true;
  }

  /// `A, which uses B`
  [[nodiscard]] bool is_relative_comma(std::size_t i) const {
    return words_.is(i, ",") &&
           (words_.is(i + 1, "which") || words_.is(i + 1, "that") || words_.is(i + 1, "who"));
  }

  static bool is_be(std::string_view low) {
    return low == "is" || low == "are" || low == "was" || low == "were" || low == "be" ||
           low == "been";
  }

  /// Not the end of `tests for X`, not `X's tests`.
  [[nodiscard]] bool is_subject(std::size_t m) const {
    const Mention& left = mentions_[m];
    if (words_[left.last - 1].possessive) return false;
    std::size_t before = left.first;
    while (before > 0 && (words_.is(before - 1, "the") || words_.is(before - 1, "a") ||
                          words_.is(before - 1, "our") || words_.is(before - 1, "an")))
      --before;
    return before == 0 || clause_[before - 1] != clause_[left.first] ||
           !is_preposition(words_.low(before - 1));
  }

  /// True when only `,`, `and`, `or` and articles stand between two mentions.
  [[nodiscard]] bool in_one_list(const Mention& left, const Mention& right) const {
    if (right.first <= left.last || right.first - left.last > 3 ||
        clause_[left.first] != clause_[right.first])
      return false;
    bool joined = false;
    for (std::size_t i = left.last; i < right.first; ++i) {
      const std::string_view low = words_.low(i);
      const bool joins = low == "," || low == "and" || low == "or" || low == "&";
      // `used by A and by B`
      const bool small = low == "the" || low == "a" || low == "an" || (low == "by" && joined);
      if (!joins && !small) return false;
      joined |= joins;
    }
    return joined;
  }

  void add_lists(std::size_t subject, std::size_t object, const Pattern& pattern,
                 double confidence) {
    std::vector<std::size_t> lefts = {subject};
    for (std::size_t i = subject;
         i > 0 && lefts.size() < 8 && in_one_list(mentions_[i - 1], mentions_[i]); --i)
      if (is_subject(i - 1))
        lefts.push_back(i - 1);
      else
        break;
    std::vector<std::size_t> rights = {object};
    for (std::size_t i = object; i + 1 < mentions_.size() && rights.size() < 8 &&
                                 in_one_list(mentions_[i], mentions_[i + 1]);
         ++i) {
      // `A uses B and C depends on D`: C starts a clause of its own
      const std::string_view next = words_.low(mentions_[i + 1].last);
      if (is_finite_verb(next) || patterns_by_first().contains(next)) break;
      rights.push_back(i + 1);
    }
    last_subject_ = subject;
    last_object_ = rights.back();
    for (const std::size_t left : lefts)
      for (const std::size_t right : rights)
        add(pattern.turned ? mentions_[right].entity : mentions_[left].entity, pattern.predicate,
            pattern.turned ? mentions_[left].entity : mentions_[right].entity, confidence);
  }

  void add(std::size_t subject, std::string_view predicate, std::size_t object, double confidence) {
    if (subject == object) return;
    found_.push_back({subject, predicate, object, confidence});
  }

  const Words& words_;
  const std::vector<Mention>& mentions_;
  std::vector<std::size_t> clause_;
  std::vector<bool> may_state_;
  std::vector<StatedRelationship> found_;
  std::size_t last_subject_ = 0;  ///< Mentions of the relationship read last.
  std::size_t last_object_ = 0;
};

}  // namespace

std::vector<StatedRelationship> relationships_in(const Words& words,
                                                 const std::vector<Mention>& mentions) {
  if (mentions.size() < 2) return {};
  return Reader(words, mentions).run();
}

}  // namespace bb5::rules
