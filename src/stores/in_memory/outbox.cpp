#include "stores/in_memory/outbox.hpp"

#include <string>

namespace bb5::in_memory {
namespace {

std::string key_of(const GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      return "0" + change.entity.key;
    case GraphChange::Kind::relationship:
      return "1" + relationship_key(change.relationship);
    case GraphChange::Kind::mention:
      return "2" + change.mention.memory.to_string() + change.mention.entity_key;
  }
  return {};
}

void put(State& state, GraphChange change) {
  if (change.removed) change.rev = state.graph_rev;
  change.outbox_id = state.next_outbox_id++;
  state.outbox.insert_or_assign(key_of(change), std::move(change));
}

}  // namespace

void enqueue(State& state, const Entity& row, bool removed) {
  put(state,
      {.kind = GraphChange::Kind::entity, .rev = row.rev, .removed = removed, .entity = row});
}

void enqueue(State& state, const Relationship& row, bool removed) {
  put(state, {.kind = GraphChange::Kind::relationship,
              .rev = row.rev,
              .removed = removed,
              .relationship = row});
}

void enqueue(State& state, const Mention& row, bool removed) {
  const Memory* memory = state.memories.find(row.memory);
  put(state, {.kind = GraphChange::Kind::mention,
              .rev = row.rev,
              .removed = removed,
              .mention = row,
              .mention_network = memory == nullptr ? std::string{} : memory->network});
}

void requeue_everything(State& state) {
  for (const auto& [key, entity] : state.graph.entities) enqueue(state, entity);
  for (const auto& [key, edge] : state.graph.relationships) enqueue(state, edge);
  for (const Mention& mention : state.graph.mentions) enqueue(state, mention);
}

std::vector<GraphChange> read_pending_changes(const State& state, std::size_t limit) {
  std::vector<GraphChange> changes;
  for (const auto& [key, change] : state.outbox) {
    if (changes.size() == limit) break;
    changes.push_back(change);
  }
  return changes;
}

void mark_changes_applied(State& state, std::span<const GraphChange> changes) {
  for (const GraphChange& change : changes) {
    const auto pending = state.outbox.find(key_of(change));
    if (pending != state.outbox.end() && pending->second.rev <= change.rev)
      state.outbox.erase(pending);
  }
}

}  // namespace bb5::in_memory
