#include "operations/graph/resolve.hpp"

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

}  // namespace bb5
