#pragma once

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "stores/in_memory/state.hpp"

/// What changes memories.
namespace bb5::in_memory {

/// As MemoryStore::write has it; when it fails, the state is not to be used any more.
Result<WriteOutcome> write_batch(State& state, const WriteBatch& batch);

/// False: no such memory.
bool erase_memory(State& state, const MemoryId& id);

}  // namespace bb5::in_memory
