#include "model/entity_resolution.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

#include "base/letters.hpp"
#include "base/utf8.hpp"
#include "model/name_form.hpp"
#include "model/name_keys.hpp"

namespace bb5 {
namespace {

// --- what the rules compare ---

using Tokens = std::vector<std::string>;

/// A name in the form in which it is compared, and what the rules make of it, made once.
struct Forms {
  std::string plain;
  std::string acronym;  ///< The short form that the name gives itself.
  Tokens tokens;
  Tokens core;             ///< Without legal form, titles, words for the type, a leading `the`.
  std::string legal_form;  ///< That was taken off.
  std::string numbers;
  std::string initials;
  std::string runs;  ///< Of tokens…
  std::string core_runs;
  std::string short_core_runs;
};

bool is_number(const std::string& token) {
  return !token.empty() && token.front() >= '0' && token.front() <= '9';
}

Forms forms_of(std::string_view plain, TypeSort sort) {
  NameForm form;
  form.read(plain, sort);
  Forms forms{.plain = form.plain,
              .acronym = form.acronym,
              .tokens = {},
              .core = {},
              .legal_form = std::string(form.legal_form),
              .numbers = {},
              .initials = initials_of(form.words),
              .runs = {},
              .core_runs = {},
              .short_core_runs = {}};
  for (std::size_t i = 0; i < form.words.size(); ++i) {
    forms.tokens.emplace_back(form.words[i]);
    if (i >= form.core.begin && i < form.core.end) forms.core.emplace_back(form.words[i]);
    if (form.words.is_number(i)) forms.numbers.append(form.words[i]).append(" ");
  }
  append_runs(form.words, form.words.all(), forms.runs);
  append_runs(form.words, form.core, forms.core_runs);
  append_short_runs(form.words, form.core, forms.short_core_runs);
  return forms;
}

/// An entity as the rules see it. Its forms are made when they are asked for first.
class Named {
 public:
  explicit Named(const NamedEntity& entity) : name_(entity.name), sort_(sort_of_type(entity.type)) {
    if (sort_ == TypeSort::other) other_type_ = fold_name(entity.type);
  }

  [[nodiscard]] TypeSort sort() const { return sort_; }
  /// Of a type that no rule knows: which one it is.
  [[nodiscard]] const std::string& other_type() const { return other_type_; }

  /// In each of its spellings, as an entity of that sort.
  const std::vector<Forms>& forms(TypeSort sort) {
    for (const auto& [made_as, forms] : made_)
      if (made_as == sort) return *forms;
    auto forms = std::make_unique<std::vector<Forms>>();
    for (const std::string& plain : plain_spellings(name_)) forms->push_back(forms_of(plain, sort));
    return *made_.emplace_back(sort, std::move(forms)).second;
  }

 private:
  std::string name_;
  TypeSort sort_;
  std::string other_type_;
  std::vector<std::pair<TypeSort, std::unique_ptr<std::vector<Forms>>>> made_;
};

// --- rules ---

/// `k8s`: first letter, how many are left out, last letter.
bool is_numeronym_of(const Tokens& brief, const Tokens& word) {
  if (brief.size() != 3 || word.size() != 1 || is_number(word.front())) return false;
  const std::string& whole = word.front();
  if (brief[0].size() != 1 || brief[2].size() != 1 || !is_number(brief[1])) return false;
  if (brief[1].size() > 2 || whole.size() < 5) return false;
  return std::to_string(whole.size() - 2) == brief[1] && whole.front() == brief[0].front() &&
         whole.back() == brief[2].front();
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
  TypeSort sort_a;
  TypeSort sort_b;
  [[nodiscard]] bool both(TypeSort sort) const { return sort_a == sort && sort_b == sort; }
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
  const bool one_says_little = pair.sort_a != pair.sort_b && (pair.sort_a == TypeSort::concept_ ||
                                                              pair.sort_b == TypeSort::concept_);
  if (one_says_little && !distinctive(pair.a.tokens) && !distinctive(pair.b.tokens))
    return perhaps("type");
  return same(std::move(reason));
}

NameMatch match_acronyms(const Pair& pair) {
  const auto given = [](const Forms& with, const Forms& other) {
    return !with.acronym.empty() && other.tokens.size() == 1 &&
           other.tokens.front() == with.acronym;
  };
  if (given(pair.a, pair.b) || given(pair.b, pair.a)) return same("its own short form");
  const auto made = [](const Forms& brief, const Forms& whole) -> std::size_t {
    if (brief.tokens.size() != 1 || whole.tokens.size() < 2) return 0;
    const std::string& acronym = brief.tokens.front();
    return whole.initials == acronym ? acronym.size() : 0;
  };
  const std::size_t length = std::max(made(pair.a, pair.b), made(pair.b, pair.a));
  if (length >= 4 && pair.sort_a == pair.sort_b) return same("acronym");
  return length >= 2 ? perhaps("acronym") : NameMatch{};
}

NameMatch match_slips(const Pair& pair) {
  const auto [slip, length] = slip_between(pair.a.core, pair.b.core);
  if (slip == Slip::none) return {};
  const bool names_things = pair.both(TypeSort::technology) || pair.both(TypeSort::organization) ||
                            pair.both(TypeSort::location) || pair.both(TypeSort::project);
  const bool sure =
      (slip == Slip::doubled || slip == Slip::exchanged) &&
      ((names_things && length >= 7) || (pair.both(TypeSort::concept_) && length >= 8));
  if (sure) return same("slip");
  return length >= 4 ? perhaps("one letter") : NameMatch{};
}

NameMatch match_forms(const Pair& pair) {
  const Forms& a = pair.a;
  const Forms& b = pair.b;
  if (pair.both(TypeSort::file))
    return !a.plain.empty() && a.plain == b.plain ? same("spelling") : NameMatch{};
  if (pair.sort_a == TypeSort::file || pair.sort_b == TypeSort::file) return {};
  if (a.tokens.empty() || b.tokens.empty()) return {};
  if (is_numeronym_of(a.tokens, b.tokens) || is_numeronym_of(b.tokens, a.tokens))
    return equal_letters(pair, "numeronym");
  if (a.numbers != b.numbers) return {};
  if (a.runs == b.runs) return equal_letters(pair, "spelling");
  if (auto match = match_acronyms(pair); match.sameness != Sameness::different) return match;
  if (pair.sort_a != pair.sort_b) {
    return a.core_runs == b.core_runs ? perhaps("type") : NameMatch{};
  }
  if (a.core_runs == b.core_runs) {
    const bool two_forms =
        !a.legal_form.empty() && !b.legal_form.empty() && a.legal_form != b.legal_form;
    return two_forms ? perhaps("legal form") : same("a word that says nothing");
  }
  if (pair.both(TypeSort::technology) && a.short_core_runs == b.short_core_runs)
    return same("short form");
  if (pair.both(TypeSort::concept_) && equal_but_plural(a.core, b.core)) return same("plural");
  if (auto match = match_slips(pair); match.sameness != Sameness::different) return match;
  const bool initials = pair.both(TypeSort::person);
  if (is_part(a.core, b.core, initials) || is_part(b.core, a.core, initials))
    return perhaps(initials ? "part of a name" : "part");
  return {};
}

bool types_agree(const Named& a, const Named& b) {
  if (a.sort() == TypeSort::other && b.sort() == TypeSort::other)
    return a.other_type() == b.other_type();
  const auto says_little = [](TypeSort sort) {
    return sort == TypeSort::vague || sort == TypeSort::concept_;
  };
  return a.sort() == b.sort() || says_little(a.sort()) || says_little(b.sort());
}

NameMatch match_named(Named& a, Named& b) {
  if (!types_agree(a, b)) return {};
  // A type that is not known is whatever the other one is.
  const TypeSort sort_a = a.sort() == TypeSort::vague ? b.sort() : a.sort();
  const TypeSort sort_b = b.sort() == TypeSort::vague ? a.sort() : b.sort();
  NameMatch best;
  for (const Forms& form_a : a.forms(sort_a)) {
    for (const Forms& form_b : b.forms(sort_b)) {
      NameMatch match = match_forms({form_a, form_b, sort_a, sort_b});
      if (match.sameness > best.sameness) best = std::move(match);
    }
  }
  return best;
}

}  // namespace

NameMatch match_names(const NamedEntity& a, const NamedEntity& b) {
  Named left(a);
  Named right(b);
  return match_named(left, right);
}

// --- a bank's entities ---

namespace {

/// What more entities share than this is no hint.
constexpr std::size_t largest_block = 200;

/// True when `a` is the one to keep.
bool better(const Entity& a, const Entity& b) {
  const auto rank = [](const Entity& entity) {
    const TypeSort sort = sort_of_type(entity.type);
    return std::tuple(entity.placeholder, -entity.mention_count,
                      sort == TypeSort::vague || sort == TypeSort::concept_, !entity.first_seen,
                      entity.first_seen.value_or(Timestamp{}), std::string_view(entity.key));
  };
  return rank(a) < rank(b);
}

/// Entities by the keys of their names, sorted.
class KeyIndex {
 public:
  explicit KeyIndex(std::span<const Entity> entities, NameKeys::Reach reach) : keys_(reach) {
    for (std::size_t i = 0; i < entities.size(); ++i)
      for (const NameKey& key : keys_.of(entities[i].name, entities[i].type))
        places_.emplace_back(key.own, i);
    std::sort(places_.begin(), places_.end());
    places_.erase(std::unique(places_.begin(), places_.end()), places_.end());
  }

  /// Those worth comparing with this entity, in order; itself is not among them.
  std::vector<std::size_t> candidates_of(std::span<const Entity> entities, std::size_t entity) {
    std::vector<std::size_t> found;
    for (const NameKey& key : keys_.of(entities[entity].name, entities[entity].type)) {
      const auto begin =
          std::lower_bound(places_.begin(), places_.end(), std::pair(key.sought, std::size_t{0}));
      auto end = begin;
      while (end != places_.end() && end->first == key.sought &&
             static_cast<std::size_t>(end - begin) <= largest_block)
        ++end;
      if (static_cast<std::size_t>(end - begin) > largest_block) continue;
      for (auto place = begin; place != end; ++place)
        if (place->second != entity) found.push_back(place->second);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

 private:
  NameKeys keys_;
  std::vector<std::pair<std::uint64_t, std::size_t>> places_;
};

/// Two entities by their places.
struct Found {
  std::size_t from;
  std::size_t into;
  NameMatch match;
  [[nodiscard]] std::pair<std::size_t, std::size_t> place() const { return {from, into}; }
};

/// Where several entities could be meant that are not one among themselves, none is; where they
/// are, the best of them is. found: sorted by place.
void settle_which_is_meant(std::vector<Found>& found, std::span<const Entity> entities) {
  const auto same_thing = [&](std::size_t a, std::size_t b) {
    if (a == b) return true;
    const std::pair place = better(entities[a], entities[b]) ? std::pair(b, a) : std::pair(a, b);
    const auto at = std::lower_bound(
        found.begin(), found.end(), place,
        [](const Found& each, const auto& sought) { return each.place() < sought; });
    return at != found.end() && at->place() == place && at->match.sameness == Sameness::same;
  };
  struct Settled {
    std::size_t from;
    std::optional<std::size_t> into;
  };
  std::vector<Settled> settled;
  for (auto begin = found.begin(); begin != found.end();) {
    const auto end = std::find_if(begin, found.end(),
                                  [&](const Found& each) { return each.from != begin->from; });
    std::vector<std::size_t> meant;
    for (auto each = begin; each != end; ++each)
      if (each->match.sameness == Sameness::same) meant.push_back(each->into);
    if (!meant.empty()) {
      const std::size_t best = *std::min_element(
          meant.begin(), meant.end(),
          [&](std::size_t a, std::size_t b) { return better(entities[a], entities[b]); });
      const bool one = std::all_of(meant.begin(), meant.end(),
                                   [&](std::size_t other) { return same_thing(other, best); });
      settled.push_back({begin->from, one ? std::optional(best) : std::nullopt});
    }
    begin = end;
  }
  auto next = settled.begin();
  std::erase_if(found, [&](Found& each) {
    if (each.match.sameness != Sameness::same) return false;
    while (next->from != each.from) ++next;
    if (!next->into) each.match = perhaps("several that are meant: " + each.match.reason);
    return next->into && *next->into != each.into;
  });
}

}  // namespace

EntityResolver::EntityResolver(std::span<const Entity> entities, ResolverOptions options)
    : entities_(entities), options_(options) {}

std::vector<ResolvedPair> EntityResolver::pairs() const {
  std::set<std::string> all;
  for (const Entity& entity : entities_) all.insert(entity.key);
  return pairs_of(all);
}

std::vector<ResolvedPair> EntityResolver::pairs_of(const std::set<std::string>& keys) const {
  std::vector<bool> wanted(entities_.size());
  for (std::size_t i = 0; i < entities_.size(); ++i) wanted[i] = keys.contains(entities_[i].key);
  std::vector<std::unique_ptr<Named>> names(entities_.size());
  const auto named = [&](std::size_t i) -> Named& {
    if (!names[i])
      names[i] = std::make_unique<Named>(NamedEntity{entities_[i].name, entities_[i].type});
    return *names[i];
  };
  KeyIndex index(entities_, options_.only_same ? NameKeys::Reach::same : NameKeys::Reach::perhaps);
  std::vector<Found> found;
  for (std::size_t i = 0; i < entities_.size(); ++i) {
    if (!wanted[i]) continue;
    for (const std::size_t other : index.candidates_of(entities_, i)) {
      if (wanted[other] && other < i) continue;  // these two have been compared
      NameMatch match = match_named(named(i), named(other));
      if (match.sameness == Sameness::different) continue;
      if (options_.only_same && match.sameness != Sameness::same) continue;
      const bool keep = better(entities_[i], entities_[other]);
      found.push_back({keep ? other : i, keep ? i : other, std::move(match)});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.place() < b.place(); });
  settle_which_is_meant(found, entities_);
  std::vector<ResolvedPair> pairs;
  for (Found& each : found) {
    if (options_.only_same && each.match.sameness != Sameness::same) continue;
    pairs.push_back({&entities_[each.from], &entities_[each.into], std::move(each.match)});
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
