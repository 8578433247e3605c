#include "model/kept_apart.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5 {

Result<KeptApart> kept_apart(std::string_view key, std::string_view other, std::string_view reason,
                             Timestamp at) {
  for (const std::string_view text : {key, other, reason}) {
    if (!is_storable_utf8(text)) {
      return Error{Errc::invalid_argument,
                   fmt::format("keeping `{}` and `{}` apart: a text is not UTF-8, or holds a zero "
                               "byte",
                               to_storable_utf8(key), to_storable_utf8(other))};
    }
  }
  if (!is_entity_key(key) || !is_entity_key(other) || key == other) {
    return Error{Errc::invalid_argument,
                 fmt::format("`{}` and `{}` are no two entities to keep apart", key, other),
                 "give two keys as `type:name`"};
  }
  return KeptApart{.a = std::string(std::min(key, other)),
                   .b = std::string(std::max(key, other)),
                   .reason = std::string(reason),
                   .at = at};
}

Result<std::vector<KeptApart>> with_apart(std::span<const KeptApart> held,
                                          std::span<const KeptApart> more) {
  std::map<std::pair<std::string, std::string>, KeptApart> all;
  for (const KeptApart& pair : held) all.try_emplace({pair.a, pair.b}, pair);
  for (const KeptApart& pair : more) {
    auto ordered = kept_apart(pair.a, pair.b, pair.reason, pair.at);
    if (!ordered) return std::move(ordered).error();
    all.try_emplace({ordered->a, ordered->b}, *ordered);
  }
  std::vector<KeptApart> pairs;
  for (auto& [keys, pair] : all) pairs.push_back(std::move(pair));
  return pairs;
}

bool remove_pair(std::vector<KeptApart>& pairs, std::string_view key, std::string_view other) {
  return std::erase_if(pairs, [&](const KeptApart& pair) {
           return pair.a == std::min(key, other) && pair.b == std::max(key, other);
         }) > 0;
}

std::vector<KeptApart> still_apart(std::span<const KeptApart> held, const EntityMerges& merges) {
  std::vector<KeptApart> apart;
  std::copy_if(held.begin(), held.end(), std::back_inserter(apart),
               [&](const KeptApart& pair) { return merges.root(pair.a) != merges.root(pair.b); });
  return apart;
}

JoinGuard::JoinGuard(const EntityMerges& held, std::span<const KeptApart> apart) : held_(held) {
  for (const KeptApart& pair : apart) apart_.emplace_back(pair.a, pair.b);
}

std::string JoinGuard::leader_of(std::string_view key) const {
  std::string at = held_.root(key);
  for (auto next = next_.find(at); next != next_.end(); next = next_.find(at)) at = next->second;
  return at;
}

bool JoinGuard::allows(std::string_view from_key, std::string_view into_key) const {
  if (apart_.empty()) return true;
  const std::string from = leader_of(from_key);
  const std::string into = leader_of(into_key);
  return std::none_of(apart_.begin(), apart_.end(), [&](const auto& pair) {
    const std::string a = leader_of(pair.first);
    const std::string b = leader_of(pair.second);
    return (a == from && b == into) || (a == into && b == from);
  });
}

void JoinGuard::join(std::string_view from_key, std::string_view into_key) {
  std::string from = leader_of(from_key);
  std::string into = leader_of(into_key);
  if (from != into) next_.emplace(std::move(from), std::move(into));
}

std::vector<EntityMerge> mergeable(const EntityMerges& held, std::span<const EntityMerge> proposed,
                                   std::span<const KeptApart> apart) {
  std::vector<EntityMerge> merges;
  std::set<std::string> from_keys;
  JoinGuard guard(held, apart);
  for (const EntityMerge& merge : proposed) {
    if (held.all().contains(merge.from_key) || from_keys.contains(merge.from_key)) continue;
    if (!guard.allows(merge.from_key, merge.into_key)) continue;
    guard.join(merge.from_key, merge.into_key);
    from_keys.insert(merge.from_key);
    merges.push_back(merge);
  }
  if (with_merges(held, merges)) return merges;
  // Somebody has merged the other way meanwhile: one by one, without what would close a circle.
  std::vector<EntityMerge> kept;
  for (const EntityMerge& merge : merges) {
    kept.push_back(merge);
    if (!with_merges(held, kept)) kept.pop_back();
  }
  return kept;
}

}  // namespace bb5
