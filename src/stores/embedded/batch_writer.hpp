#pragma once

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "stores/embedded/connection.hpp"

/// The transactions that change memories.
namespace bb5::embedded {

/// Writes the batch, its ledger row and the fold, or nothing.
Result<WriteOutcome> write_batch(Connection& connection, const WriteBatch& batch);

/// False: no such memory.
Result<bool> erase_memory(Connection& connection, const MemoryId& id);

/// As MemoryStore::give_vectors has it.
Result<std::int64_t> give_made_vectors(Connection& connection, const EmbedderInfo& embedder,
                                       std::span<const MadeVector> vectors);

}  // namespace bb5::embedded
