#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "model/made_vector.hpp"
#include "stores/in_memory/state.hpp"

/// The model of the bank's vectors: which it is, vectors that are made of it, and another in its
/// place.
namespace bb5::in_memory {

/// As MemoryStore::set_embedder has it.
Result<> record_embedder(State& state, const EmbedderInfo& embedder);

/// As MemoryStore::give_vectors has it.
Result<std::int64_t> give_made_vectors(State& state, const EmbedderInfo& embedder,
                                       std::span<const MadeVector> vectors);

/// As OtherVectors::change_model has it; when it fails, the state is not to be used any more.
Result<std::int64_t> exchange_vectors(State& state, const EmbedderInfo& next);

}  // namespace bb5::in_memory
