#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"
#include "stores/in_memory/state.hpp"

/// Merges of entities, what is kept apart, and how far a resolver has looked.
namespace bb5::in_memory {

[[nodiscard]] std::vector<EntityMerge> read_merges(const State& state);
/// Record or remove, and fold anew; when they fail, nothing is changed. As EntityRecord has them.
Result<> add_merges(State& state, std::span<const EntityMerge> merges);
Result<bool> remove_merge(State& state, std::string_view from_key);

/// As EntityRecord::keep_apart has it.
Result<> add_kept_apart(State& state, std::span<const KeptApart> pairs);

[[nodiscard]] ResolvedMark read_resolved_mark(const State& state);
/// As add_merges(), of those that can be recorded; moves the mark.
Result<std::vector<EntityMerge>> add_resolved_merges(State& state,
                                                     std::span<const EntityMerge> merges,
                                                     std::int64_t up_to);

}  // namespace bb5::in_memory
