#include "model/name_keys.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/letters.hpp"
#include "base/utf8.hpp"

namespace bb5 {

enum class NameKeys::Tag : std::uint8_t {
  letters = 1,
  file,
  acronym,
  numeronym,
  plural,
  doubled,
  exchanged,
  beginning,
  word
};

namespace {

constexpr std::uint64_t mixed(std::uint64_t value) {  // the finisher of splitmix64
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

constexpr auto letter_weights = [] {
  std::array<std::uint64_t, 256> weights{};
  for (std::uint64_t c = 0; c < weights.size(); ++c) weights[c] = mixed(c + 1);
  return weights;
}();

std::uint64_t hash_of(std::uint64_t tag, std::string_view text) {
  return mixed(std::hash<std::string_view>{}(text) + tag * 0x9E3779B97F4A7C15U);
}

/// A slip in a shorter word may make another one.
constexpr std::size_t shortest_with_slip = 7;

/// Slips in names of other sorts are never more than `perhaps`.
bool slips_are_sure(TypeSort sort) {
  return sort != TypeSort::person && sort != TypeSort::other;
}

/// The sorts that strip words off a name of their own, or compare it in their own way.
constexpr std::array own_ways = {TypeSort::organization, TypeSort::technology, TypeSort::project,
                                 TypeSort::concept_};

}  // namespace

void NameKeys::add_equal(Tag tag) {
  const std::uint64_t hash = hash_of(static_cast<std::uint64_t>(tag), text_);
  keys_.push_back({hash, hash});
}
void NameKeys::add_short(Tag tag, std::string_view text) {
  const std::uint64_t hash = hash_of(static_cast<std::uint64_t>(tag), text);
  keys_.push_back({.own = hash, .sought = ~hash});
}
void NameKeys::add_long(Tag tag, std::string_view text) {
  const std::uint64_t hash = hash_of(static_cast<std::uint64_t>(tag), text);
  keys_.push_back({.own = ~hash, .sought = hash});
}

std::span<const NameKey> NameKeys::of(std::string_view name, std::string_view type) {
  keys_.clear();
  if (type != type_) {
    type_ = type;
    sort_ = sort_of_type(type);
  }
  const TypeSort sort = sort_;
  if (plain_ascii(name, ascii_)) {
    add_spelling(ascii_, sort);
  } else {
    for (const std::string& plain : plain_spellings(name)) add_spelling(plain, sort);
  }
  return keys_;
}

void NameKeys::add_spelling(std::string_view plain, TypeSort sort) {
  if (sort == TypeSort::file) return add_as_file(plain);
  form_.read(plain, sort);
  cores_.clear();
  add_whole_name();
  add_core(sort);
  if (sort != TypeSort::vague) return;
  // A type that is not known is whatever the other one's is.
  for (const TypeSort other : own_ways) {
    form_.strip_as(other);
    add_core(other);
  }
  form_.read(plain, TypeSort::person);
  cores_.clear();
  add_whole_name();
  add_core(TypeSort::person);
  add_as_file(plain);
}

void NameKeys::add_as_file(std::string_view plain) {
  form_.read(plain, TypeSort::file);
  text_ = form_.plain;
  add_equal(Tag::file);
}

/// Where words are run together, or one stands for all.
void NameKeys::add_whole_name() {
  const NameWords& words = form_.words;
  if (words.empty()) return;
  text_.clear();
  append_runs(words, words.all(), text_);
  add_equal(Tag::letters);
  if (words.size() == 3 && words.is_number(1) && words[0].size() == 1 && words[2].size() == 1)
    add_short(Tag::numeronym, text_);
  if (!form_.acronym.empty()) add_long(Tag::acronym, form_.acronym);
  if (words.size() > 1) {
    const std::size_t least = reach_ == Reach::same ? 4 : 2;
    const std::string initials = initials_of(words);
    if (initials.size() >= least) add_long(Tag::acronym, initials);
    return;
  }
  if (words.is_number(0)) return;
  add_short(Tag::acronym, words[0]);
  if (words[0].size() >= 5) {
    text_ = words[0].front();
    text_.append(" ").append(std::to_string(words[0].size() - 2)).append(" ");
    text_ += words[0].back();
    add_long(Tag::numeronym, text_);
  }
}

void NameKeys::add_core(TypeSort sort) {
  const NameWords& words = form_.words;
  const WordRange core = form_.core;
  if (core.size() == 0) return;
  if (sort == TypeSort::technology) {
    text_.clear();
    append_short_runs(words, core, text_);
    add_equal(Tag::letters);
  }
  if (sort == TypeSort::concept_) {
    text_.clear();
    for (std::size_t i = core.begin; i + 1 < core.end; ++i) text_.append(words[i]).append(" ");
    text_ += singular(words[core.end - 1]);
    add_equal(Tag::plural);
  }
  if (std::find(cores_.begin(), cores_.end(), core) != cores_.end()) return;
  cores_.push_back(core);
  if (core != words.all()) {
    text_.clear();
    append_runs(words, core, text_);
    add_equal(Tag::letters);
  }
  if (slips_are_sure(sort)) add_slips();
  if (reach_ == Reach::perhaps) add_hints();
}

/// What a doubled letter leaves as it is, and two that are exchanged.
void NameKeys::add_slips() {
  const NameWords& words = form_.words;
  const auto [begin, end] = form_.core;
  bool long_word = false;
  for (std::size_t i = begin; i < end; ++i)
    long_word = long_word || words[i].size() >= shortest_with_slip;
  if (!long_word) return;
  std::size_t letters = end - begin;
  for (std::size_t i = begin; i < end; ++i) letters += words[i].size();
  text_.resize(letters);
  char* out = text_.data();
  for (std::size_t i = begin; i < end; ++i) {
    *out++ = ' ';
    for (const char c : words[i]) {
      *out = c;
      if (c != out[-1]) ++out;
    }
  }
  text_.resize(static_cast<std::size_t>(out - text_.data()));
  add_equal(Tag::doubled);
  std::uint64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) {
    std::uint64_t word = words[i].size() + static_cast<unsigned char>(words[i].front()) * 1024U;
    for (const char c : words[i]) word += letter_weights[static_cast<unsigned char>(c)];
    sum = mixed(sum + word);
  }
  text_.assign(reinterpret_cast<const char*>(&sum), sizeof sum);
  add_equal(Tag::exchanged);
}

/// For other slips the beginning, for parts of names the words.
void NameKeys::add_hints() {
  const NameWords& words = form_.words;
  text_ = first_code_points(words[form_.core.begin], 4);
  add_equal(Tag::beginning);
  for (std::size_t i = form_.core.begin; i < form_.core.end; ++i) {
    if (words[i].size() < 3 || is_small_word(words[i])) continue;
    text_ = words[i];
    add_equal(Tag::word);
  }
}

void AlikeNames::add(std::string_view name, std::string_view type) {
  for (const NameKey& key : keys_.of(name, type)) {
    seen_[key.sought % bits] = true;
    sought_.insert(key.sought);
  }
}

bool AlikeNames::may_hold(std::string_view name, std::string_view type) {
  const auto keys = keys_.of(name, type);
  return std::any_of(keys.begin(), keys.end(), [&](const NameKey& key) {
    return seen_[key.own % bits] && sought_.contains(key.own);
  });
}

}  // namespace bb5
