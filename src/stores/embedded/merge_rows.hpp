#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/entity_merges.hpp"
#include "model/kept_apart.hpp"
#include "ports/entity_graph.hpp"
#include "stores/embedded/connection.hpp"

/// Merges of entities as rows, where they lead, and what is kept apart.
namespace bb5::embedded {

Result<std::vector<EntityMerge>> read_merges(Connection& connection);
/// Within a write transaction: record or remove, and fold what that touches.
Result<> add_merges(Connection& connection, std::span<const EntityMerge> merges);
Result<bool> remove_merge(Connection& connection, std::string_view from_key);

Result<std::vector<KeptApart>> read_kept_apart(Connection& connection);
Result<> add_kept_apart(Connection& connection, std::span<const KeptApart> pairs);
Result<bool> remove_kept_apart(Connection& connection, std::string_view key,
                               std::string_view other);

Result<ResolvedMark> read_resolved_mark(Connection& connection);
/// As add_merges(), of those that can be recorded; moves the mark.
Result<std::vector<EntityMerge>> add_resolved_merges(Connection& connection,
                                                     std::span<const EntityMerge> merges,
                                                     std::int64_t up_to);

}  // namespace bb5::embedded
