#pragma once

#include <span>
#include <vector>

#include "ports/entity_graph.hpp"
#include "stores/in_memory/state.hpp"

/// The outbox, which carries changes of the graph to a projection.
namespace bb5::in_memory {

/// Puts a row in, in the place of what is there of it. removed: it is gone as of this revision.
void enqueue(State& state, const Entity& row, bool removed = false);
void enqueue(State& state, const Relationship& row, bool removed = false);
void enqueue(State& state, const Mention& row, bool removed = false);
/// Puts every row in.
void requeue_everything(State& state);

[[nodiscard]] std::vector<GraphChange> read_pending_changes(const State& state, std::size_t limit);
void mark_changes_applied(State& state, std::span<const GraphChange> changes);

}  // namespace bb5::in_memory
