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

}  // namespace bb5
