#pragma once

#include "ports/memory_store.hpp"
#include "stores/in_memory/state.hpp"

/// Facts, which the graph is folded from.
namespace bb5::in_memory {

WriteAction put_fact(State& state, const EntityFact& fact, OnConflict on_conflict);
WriteAction put_fact(State& state, const RelationshipFact& fact, OnConflict on_conflict);

/// The facts that a memory is itself.
void put_facts_of(State& state, const Memory& memory);
/// Those that name it, too.
void erase_facts_of(State& state, const MemoryId& memory);

}  // namespace bb5::in_memory
