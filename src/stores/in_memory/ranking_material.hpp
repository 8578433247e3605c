#pragma once

#include <span>
#include <vector>

#include "ports/ranking_source.hpp"
#include "stores/in_memory/state.hpp"

/// What is asked of the bank in memory for the ranking: see RankingSource.
namespace bb5::in_memory {

[[nodiscard]] std::vector<ranking::Neighbour> find_thread_neighbours(
    const State& state, std::span<const ranking::Reach> memories);

Result<RankingMaterial> gather_ranking_material(const State& state,
                                                std::span<const MemoryId> memories,
                                                const QueryVector* query,
                                                const MemoryFilter& filter,
                                                std::span<const ranking::AskedTerm> terms);

}  // namespace bb5::in_memory
