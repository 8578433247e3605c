#include "operations/graph/resolve.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "model/name_keys.hpp"

namespace bb5 {
namespace {

constexpr std::size_t page_size = 1'000;

/// Keys are in bytewise order, so the one that is looked for is close behind its own beginning.
Result<std::optional<Entity>> entity_of_key(const EntityGraph& graph, std::string_view key) {
  if (key.find(':') == std::string_view::npos) return std::optional<Entity>{};
  std::string after(key.substr(0, key.size() - 1));
  while (true) {
    auto page = graph.entities(after, page_size);
    if (!page) return std::move(page).error();
    for (Entity& entity : *page) {
      if (entity.key == key) return std::optional(std::move(entity));
      if (entity.key > key) return std::optional<Entity>{};
    }
    if (page->empty()) return std::optional<Entity>{};
    after = page->back().key;
  }
}

/// What a person and earlier resolvers have said.
struct Said {
  std::vector<EntityMerge> merges;
  std::vector<KeptApart> apart;
};

Result<Said> said_in(const EntityRecord& record) {
  auto merges = record.merges();
  if (!merges) return std::move(merges).error();
  auto apart = record.kept_apart();
  if (!apart) return std::move(apart).error();
  return Said{*std::move(merges), *std::move(apart)};
}

/// Same first: what is sure is joined, so that a `perhaps` over it is left out too.
std::vector<ResolvedPair> without_kept_apart(std::vector<ResolvedPair> pairs, const Said& said) {
  if (said.apart.empty()) return pairs;
  JoinGuard guard(EntityMerges(said.merges), said.apart);
  std::erase_if(pairs, [&](const ResolvedPair& pair) {
    if (!guard.allows(pair.from->key, pair.into->key)) return true;
    if (pair.match.sameness == Sameness::same) guard.join(pair.from->key, pair.into->key);
    return false;
  });
  return pairs;
}

/// The entities of these keys, and what may be one with them. A name without keys is like none.
std::vector<Entity> alike(const std::vector<Entity>& entities, const std::set<std::string>& keys) {
  AlikeNames names;
  for (const Entity& entity : entities)
    if (keys.contains(entity.key)) names.add(entity.name, entity.type);
  std::vector<Entity> found;
  std::copy_if(entities.begin(), entities.end(), std::back_inserter(found),
               [&](const Entity& entity) { return names.may_hold(entity.name, entity.type); });
  return found;
}

/// The entities as they will be after the merges, as far as the resolver looks; the keys of those
/// that others fold into.
std::set<std::string> fold_into(std::vector<Entity>& entities,
                                const std::vector<EntityMerge>& merges) {
  const EntityMerges all(merges);
  std::unordered_map<std::string_view, Entity*> by_key;
  for (Entity& entity : entities) by_key.emplace(entity.key, &entity);
  std::set<std::string> roots;
  for (const EntityMerge& merge : merges) {
    const std::string root = all.root(merge.into_key);
    by_key.at(root)->mention_count += by_key.at(merge.from_key)->mention_count;
    roots.insert(root);
  }
  std::erase_if(entities, [&](const Entity& entity) { return all.all().contains(entity.key); });
  return roots;
}

/// A merge can make others sure: until none is left, so that it does not matter in how many runs
/// the entities came.
Result<std::vector<EntityMerge>> sure_merges(const EntityRecord& record,
                                             std::vector<Entity> entities,
                                             std::set<std::string> changed, Timestamp now) {
  std::vector<EntityMerge> found;
  std::optional<Said> said;  // read when there is something to merge: mostly there is not
  while (!changed.empty()) {
    const std::vector<Entity> near = alike(entities, changed);
    const EntityResolver resolver(near, {.only_same = true});
    const std::vector<EntityMerge> proposed = merges_of(resolver.pairs_of(changed), now);
    if (proposed.empty()) break;
    if (!said) {
      auto read = said_in(record);
      if (!read) return std::move(read).error();
      said = *std::move(read);
    }
    const auto merges = mergeable(EntityMerges(said->merges), proposed, said->apart);
    if (merges.empty()) break;
    found.insert(found.end(), merges.begin(), merges.end());
    said->merges.insert(said->merges.end(), merges.begin(), merges.end());
    changed = fold_into(entities, merges);
  }
  return found;
}

/// What a look takes of the entities that changed after a revision.
struct Changed {
  std::vector<Entity> entities;
  std::int64_t waiting = 0;
};

Result<Changed> changed_after(const EntityRecord& record, std::int64_t rev,
                              const LookBounds& bounds) {
  Changed changed;
  std::vector<Entity> before;  // no more than may be looked at
  BB5_TRY(record.visit_entities(rev, [&](const Entity& entity) {
    if (entity.rev > bounds.brought_after) {
      changed.entities.push_back(entity);
    } else if (++changed.waiting <= bounds.at_most) {
      before.push_back(entity);
    }
  }));
  if (changed.waiting + std::ssize(changed.entities) > bounds.at_most) return changed;
  changed.waiting = 0;
  std::move(before.begin(), before.end(), std::back_inserter(changed.entities));
  return changed;
}

}  // namespace

Result<std::vector<Entity>> all_entities(const EntityGraph& graph) {
  std::vector<Entity> entities;
  while (true) {
    auto page = graph.entities(entities.empty() ? std::string() : entities.back().key, page_size);
    if (!page) return std::move(page).error();
    if (page->empty()) return entities;
    entities.insert(entities.end(), std::make_move_iterator(page->begin()),
                    std::make_move_iterator(page->end()));
  }
}

Result<Entity> find_entity(const EntityGraph& graph, std::string_view name_or_key) {
  auto by_key = entity_of_key(graph, name_or_key);
  if (!by_key) return std::move(by_key).error();
  if (*by_key) return std::move(**by_key);
  auto named = graph.entity_named(name_or_key);
  if (!named) return std::move(named).error();
  if (*named) return std::move(**named);
  return Error{Errc::not_found, fmt::format("the bank knows no entity `{}`", name_or_key),
               "bb5-memory entities list shows names and keys"};
}

std::vector<EntityMerge> merges_of(const std::vector<ResolvedPair>& pairs, Timestamp now) {
  std::vector<EntityMerge> merges;
  for (const ResolvedPair& pair : pairs) {
    if (pair.match.sameness != Sameness::same) continue;
    merges.push_back({.from_key = pair.from->key,
                      .into_key = pair.into->key,
                      .name = pair.from->name,
                      .reason = std::string(resolver_reason) + pair.match.reason,
                      .at = now});
  }
  return merges;
}

Result<Resolution> look_at_all(const EntityRecord& record) {
  auto mark = record.resolved_mark();
  if (!mark) return std::move(mark).error();
  auto said = said_in(record);
  if (!said) return std::move(said).error();
  auto entities = all_entities(record);
  if (!entities) return std::move(entities).error();
  Resolution resolution{.entities = *std::move(entities), .pairs = {}, .up_to = mark->latest};
  resolution.pairs = without_kept_apart(EntityResolver(resolution.entities).pairs(), *said);
  return resolution;
}

Result<Look> resolve_changed(EntityRecord& record, Timestamp now, LookBounds bounds) {
  // The mark first: what is written from here on is looked at again.
  auto mark = record.resolved_mark();
  if (!mark) return std::move(mark).error();
  if (mark->up_to >= mark->latest) return Look{};
  auto changed = changed_after(record, mark->up_to, bounds);
  if (!changed) return std::move(changed).error();
  AlikeNames names;
  std::set<std::string> keys;
  for (const Entity& entity : changed->entities) {
    names.add(entity.name, entity.type);
    keys.insert(entity.key);
  }
  std::vector<Entity> entities;
  if (!keys.empty()) {
    BB5_TRY(record.visit_entities(0, [&](const Entity& entity) {
      if (names.may_hold(entity.name, entity.type)) entities.push_back(entity);
    }));
  }
  auto merges = sure_merges(record, std::move(entities), std::move(keys), now);
  if (!merges) return std::move(merges).error();
  auto merged = record.merge_resolved(*merges, changed->waiting == 0 ? mark->latest : mark->up_to);
  if (!merged) return std::move(merged).error();
  return Look{*std::move(merged), changed->waiting};
}

}  // namespace bb5
