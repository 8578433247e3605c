#include "stores/in_memory/graph_fold.hpp"

#include "stores/in_memory/outbox.hpp"

namespace bb5::in_memory {
namespace {

FoldedGraph fold_of(const State& state) {
  std::vector<EntityFact> entities;
  std::vector<RelationshipFact> relationships;
  std::vector<MemoryMentions> mentions;
  for (const auto& [seq, fact] : state.entity_facts.by_seq) entities.push_back(fact);
  for (const auto& [seq, fact] : state.relationship_facts.by_seq) relationships.push_back(fact);
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (memory.kind == MemoryKind::memory) mentions.push_back({memory.id, memory.entities});
  }
  return fold(entities, relationships, mentions, state.merges);
}

template <class Row>
Row without_rev(Row row) {
  row.rev = 0;
  return row;
}

template <class Row>
void update(State& state, const std::map<std::string, Row>& old_rows,
            std::map<std::string, Row>& new_rows) {
  for (auto& [key, row] : new_rows) {
    const auto old = old_rows.find(key);
    if (old != old_rows.end() && without_rev(old->second) == row) {
      row.rev = old->second.rev;
      continue;
    }
    row.rev = state.graph_rev;
    enqueue(state, row);
  }
  for (const auto& [key, row] : old_rows) {
    if (!new_rows.contains(key)) enqueue(state, row, /*removed=*/true);
  }
}

void update(State& state, const std::set<Mention>& old_rows, std::set<Mention>& new_rows) {
  std::set<Mention> numbered;
  for (Mention mention : new_rows) {
    const auto old = old_rows.lower_bound(mention);  // its rev is 0
    const bool same = old != old_rows.end() && without_rev(*old) == mention &&
                      !state.moved.contains(mention.memory);
    mention.rev = same ? old->rev : state.graph_rev;
    if (!same) enqueue(state, mention);
    numbered.insert(std::move(mention));
  }
  for (const Mention& mention : old_rows) {
    if (!new_rows.contains(without_rev(mention))) enqueue(state, mention, /*removed=*/true);
  }
  new_rows = std::move(numbered);
}

}  // namespace

void fold_everything(State& state) {
  FoldedGraph next = fold_of(state);
  ++state.graph_rev;
  update(state, state.graph.entities, next.entities);
  update(state, state.graph.relationships, next.relationships);
  update(state, state.graph.mentions, next.mentions);
  state.moved.clear();
  state.graph = std::move(next);
}

}  // namespace bb5::in_memory
