#include "operations/graph/resolve.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

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

/// The entities as they will be after the merges, as far as the resolver looks; the keys of those
/// that others fold into.
std::set<std::string> fold_into(std::vector<Entity>& entities,
                                const std::vector<EntityMerge>& merges) {
  const EntityMerges all(merges);
  std::map<std::string_view, Entity*> by_key;
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
std::vector<EntityMerge> sure_merges(std::vector<Entity> entities, std::set<std::string> changed,
                                     Said said, Timestamp now) {
  std::vector<EntityMerge> found;
  while (!changed.empty()) {
    const auto pairs = EntityResolver(entities).pairs_of(changed);
    const auto merges = mergeable(EntityMerges(said.merges), merges_of(pairs, now), said.apart);
    if (merges.empty()) break;
    found.insert(found.end(), merges.begin(), merges.end());
    said.merges.insert(said.merges.end(), merges.begin(), merges.end());
    changed = fold_into(entities, merges);
  }
  return found;
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

Result<std::vector<EntityMerge>> resolve_changed(EntityRecord& record, Timestamp now) {
  // The mark first: what is written from here on is looked at again.
  auto mark = record.resolved_mark();
  if (!mark) return std::move(mark).error();
  if (mark->up_to >= mark->latest) return std::vector<EntityMerge>{};
  auto said = said_in(record);
  if (!said) return std::move(said).error();
  auto entities = all_entities(record);
  if (!entities) return std::move(entities).error();
  std::set<std::string> changed;
  for (const Entity& entity : *entities)
    if (entity.rev > mark->up_to) changed.insert(entity.key);
  keep_alike(*entities, changed);
  return record.merge_resolved(
      sure_merges(*std::move(entities), std::move(changed), *std::move(said), now), mark->latest);
}

}  // namespace bb5
