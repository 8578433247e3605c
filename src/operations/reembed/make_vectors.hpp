#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "model/made_vector.hpp"
#include "ports/embedder.hpp"
#include "ports/memory_search.hpp"

namespace bb5 {

/// Vectors for the memories, in their order: those that the bank has seen before, and says how
/// many, the rest computed in one call. Errors: those of the cache and of the embedder.
[[nodiscard]] Result<std::vector<MadeVector>> make_vectors(const EmbeddingCache& cache,
                                                           Embedder& embedder,
                                                           const std::vector<Memory>& memories,
                                                           std::int64_t& from_cache);

}  // namespace bb5
