#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/entity_merges.hpp"
#include "stores/embedded/connection.hpp"

/// Merges of entities as rows, and where they lead.
namespace bb5::embedded {

Result<std::vector<EntityMerge>> read_merges(Connection& connection);
/// Within a write transaction: record or remove, and fold what that touches.
Result<> add_merges(Connection& connection, std::span<const EntityMerge> merges);
Result<bool> remove_merge(Connection& connection, std::string_view from_key);

}  // namespace bb5::embedded
