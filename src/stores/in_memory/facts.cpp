#include "stores/in_memory/facts.hpp"

namespace bb5::in_memory {
namespace {

template <class Fact>
WriteAction put(State& state, Table<Fact>& facts, const Fact& fact, OnConflict on_conflict) {
  const Fact* held = facts.find(fact.id);
  const bool fresh = held == nullptr;
  if (!fresh) {
    Fact same = *held;
    same.seq = fact.seq;
    if (same == fact) return WriteAction::identical;
    if (on_conflict == OnConflict::keep) return WriteAction::conflict;
    facts.erase(fact.id);
  }
  Fact kept = fact;
  kept.seq = state.next_fact_seq++;
  facts.put(std::move(kept));
  return fresh ? WriteAction::inserted : WriteAction::replaced;
}

template <class Fact>
void erase_of(Table<Fact>& facts, const MemoryId& memory) {
  std::erase_if(facts.by_seq, [&](const auto& entry) {
    const bool named = entry.second.memory == memory;
    if (named) facts.seq_of.erase(entry.second.id);
    return named;
  });
}

}  // namespace

WriteAction put_fact(State& state, const EntityFact& fact, OnConflict on_conflict) {
  return put(state, state.entity_facts, fact, on_conflict);
}

WriteAction put_fact(State& state, const RelationshipFact& fact, OnConflict on_conflict) {
  return put(state, state.relationship_facts, fact, on_conflict);
}

void put_facts_of(State& state, const Memory& memory) {
  const FactsOfMemory facts = facts_of(memory);
  if (facts.entity) put_fact(state, *facts.entity, OnConflict::replace);
  if (facts.relationship) put_fact(state, *facts.relationship, OnConflict::replace);
}

void erase_facts_of(State& state, const MemoryId& memory) {
  erase_of(state.entity_facts, memory);
  erase_of(state.relationship_facts, memory);
}

}  // namespace bb5::in_memory
