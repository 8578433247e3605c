#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/entity_resolution.hpp"
#include "ports/entity_graph.hpp"

namespace bb5 {

/// All entities of a bank. Errors: the record's.
[[nodiscard]] Result<std::vector<Entity>> all_entities(const EntityGraph& graph);

/// The entity of this key, else the one that the name means. Errors: not_found, naming it.
[[nodiscard]] Result<Entity> find_entity(const EntityGraph& graph, std::string_view name_or_key);

/// How the resolver's merges begin their reason: whoever splits one sees who made it.
inline constexpr std::string_view resolver_reason = "resolver: ";

/// The merges that the resolver is sure of, not yet recorded.
[[nodiscard]] std::vector<EntityMerge> merges_of(const std::vector<ResolvedPair>& pairs,
                                                 Timestamp now);

/// What the resolver says of a bank's entities, nothing recorded. Not to be copied: the pairs point
/// into the entities.
struct Resolution {
  std::vector<Entity> entities;
  std::vector<ResolvedPair> pairs;  ///< Without those kept apart, by themselves or over others.
  std::int64_t up_to = 0;           ///< For merge_resolved().

  [[nodiscard]] std::vector<EntityMerge> merges(Timestamp now) const {
    return merges_of(pairs, now);
  }
};
[[nodiscard]] Result<Resolution> look_at_all(const EntityRecord& record);

/// A write is not kept waiting for a look at a whole bank.
struct LookBounds {
  /// When more entities than this changed since a resolver last looked…
  std::int64_t at_most = 10'000;
  /// …only those are looked at whose revision is beyond this one: what a run itself has brought.
  std::int64_t brought_after = 0;
};

struct Look {
  std::vector<EntityMerge> merged;
  std::int64_t waiting = 0;  ///< Entities that were not looked at and wait for look_at_all().
};

/// Merges what is surely one among the entities that changed since a resolver last looked, and
/// between them and all others. What a run that was killed left is looked at by the next one, with
/// equal result. Errors: the record's; nothing is merged then.
[[nodiscard]] Result<Look> resolve_changed(EntityRecord& record, Timestamp now,
                                           LookBounds bounds = {});

}  // namespace bb5
