#include "model/entity_merges.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5 {
namespace {

/// Which names belong together: each points to another of its group, the last to itself.
class NameGroups {
 public:
  void join(const std::string& a, const std::string& b) { leader_of(a) = find(b); }

  std::map<std::string, std::size_t, std::less<>> numbered() {
    std::map<std::string, std::size_t> numbers;
    std::map<std::string, std::size_t, std::less<>> groups;
    for (const auto& [name, next] : next_)
      groups[name] = numbers.try_emplace(find(name), numbers.size()).first->second;
    return groups;
  }

 private:
  std::string find(const std::string& name) {
    std::string at = name;
    while (true) {
      std::string& next = next_.try_emplace(at, at).first->second;
      if (next == at) return at;
      at = next;
    }
  }
  std::string& leader_of(const std::string& name) { return next_[find(name)]; }

  std::map<std::string, std::string> next_;
};

}  // namespace

std::string alias_key(std::string_view name) {
  return ':' + name_key_of(name);
}

bool is_entity_key(std::string_view key) noexcept {
  const auto colon = key.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < key.size();
}

bool is_alias_key(std::string_view key) noexcept {
  return key.size() > 1 && key.front() == ':';
}

EntityMerges::EntityMerges(std::span<const EntityMerge> merges) {
  for (const EntityMerge& merge : merges) by_from_.insert_or_assign(merge.from_key, merge);
  NameGroups groups;
  for (const auto& [from, merge] : by_from_) {
    const std::string end = root(merge.into_key);
    by_root_[end].push_back(&merge);
    auto& smallest = roots_by_name_.try_emplace(std::string(name_of_key(end)), end).first->second;
    smallest = std::min(smallest, end);
    groups.join(std::string(name_of_key(from)), std::string(name_of_key(merge.into_key)));
  }
  groups_ = groups.numbered();
}

const EntityMerge* EntityMerges::step(std::string_view key) const {
  if (const auto exact = by_from_.find(key); exact != by_from_.end()) return &exact->second;
  const auto alias = by_from_.find(':' + std::string(name_of_key(key)));
  return alias == by_from_.end() ? nullptr : &alias->second;
}

std::string EntityMerges::root(std::string_view key) const {
  std::string at(key);
  // check() refuses circles; one that got in by other ways ends here.
  for (std::size_t steps = 0; steps <= by_from_.size(); ++steps) {
    const EntityMerge* merge = step(at);
    if (merge == nullptr || merge->into_key == at) break;
    at = merge->into_key;
  }
  return at;
}

std::string EntityMerges::root_of_bare(std::string_view name_key) const {
  std::string own(placeholder_type);
  own.append(":").append(name_key);
  if (empty()) return own;
  if (step(own) != nullptr) return root(own);
  const auto named = roots_by_name_.find(name_key);
  return named == roots_by_name_.end() ? own : named->second;
}

std::vector<const EntityMerge*> EntityMerges::leading_to(std::string_view root_key) const {
  const auto found = by_root_.find(root_key);
  return found == by_root_.end() ? std::vector<const EntityMerge*>{} : found->second;
}

bool EntityMerges::leads_bare_names(const EntityMerge& merge) {
  return is_alias_key(merge.from_key) ||
         merge.from_key.starts_with(std::string(placeholder_type) + ':');
}

std::optional<std::size_t> EntityMerges::group_of(std::string_view name_key) const {
  const auto found = groups_.find(name_key);
  return found == groups_.end() ? std::nullopt : std::optional(found->second);
}

Result<> EntityMerges::check() const {
  for (const auto& [from, merge] : by_from_) BB5_TRY(check(merge));
  return ok();
}

Result<> EntityMerges::check(const EntityMerge& merge) const {
  const std::string& from = merge.from_key;
  if (!is_entity_key(merge.into_key) || (!is_entity_key(from) && !is_alias_key(from))) {
    return Error{Errc::invalid_argument,
                 fmt::format("`{}` → `{}` is no merge of two entities", from, merge.into_key),
                 "give the keys as `type:name`"};
  }
  for (const std::string* text : {&from, &merge.into_key, &merge.name, &merge.reason}) {
    if (!is_storable_utf8(*text)) {
      return Error{Errc::invalid_argument,
                   fmt::format("merging `{}` into `{}`: a text is not UTF-8, or holds a zero byte",
                               to_storable_utf8(from), to_storable_utf8(merge.into_key))};
    }
  }
  if (from == merge.into_key)
    return Error{Errc::invalid_argument, fmt::format("`{}` cannot be merged into itself", from)};
  std::set<std::string> passed;
  std::string at = merge.into_key;
  while (passed.insert(at).second) {
    const EntityMerge* next = step(at);
    if (next == nullptr || next->into_key == at) return ok();
    at = next->into_key;
  }
  return Error{Errc::conflict,
               fmt::format("merging `{}` into `{}` would close a circle: `{}` leads back to itself",
                           from, merge.into_key, at),
               "merge the other way round, or split one of them first"};
}

std::set<std::string> names_touched(const EntityMerges& before, const EntityMerges& after) {
  std::set<std::string> named;
  for (const auto& [merges, others] : {std::pair(&before, &after), std::pair(&after, &before)}) {
    for (const auto& [from, merge] : merges->all()) {
      if (others->all().contains(from)) continue;
      named.emplace(name_of_key(from));
      named.emplace(name_of_key(merge.into_key));
    }
  }
  std::set<std::string> touched = named;
  for (const EntityMerges* merges : {&before, &after}) {
    std::set<std::size_t> groups;
    for (const std::string& name : named)
      if (const auto group = merges->group_of(name)) groups.insert(*group);
    for (const auto& [name, group] : merges->groups())
      if (groups.contains(group)) touched.insert(name);
  }
  return touched;
}

Result<std::vector<EntityMerge>> with_merges(const EntityMerges& held,
                                             std::span<const EntityMerge> more) {
  std::map<std::string, EntityMerge, std::less<>> all = held.all();
  for (const EntityMerge& merge : more) {
    const auto [place, fresh] = all.try_emplace(merge.from_key, merge);
    if (fresh || place->second.into_key == merge.into_key) continue;
    return Error{Errc::conflict,
                 fmt::format("`{}` is merged into `{}` already, not into `{}`", merge.from_key,
                             place->second.into_key, merge.into_key),
                 "split it first"};
  }
  std::vector<EntityMerge> merges;
  for (auto& [from, merge] : all) merges.push_back(std::move(merge));
  const EntityMerges joined(merges);
  for (const EntityMerge& merge : more) BB5_TRY(joined.check(merge));  // named rather than others
  BB5_TRY(joined.check());
  return merges;
}

Result<std::optional<std::vector<EntityMerge>>> without_merge(const EntityMerges& held,
                                                              std::string_view from_key) {
  if (!held.all().contains(from_key)) return std::optional<std::vector<EntityMerge>>{};
  std::vector<EntityMerge> merges;
  for (const auto& [from, merge] : held.all())
    if (from != from_key) merges.push_back(merge);
  BB5_TRY(EntityMerges(merges).check());
  return std::optional(std::move(merges));
}

}  // namespace bb5
