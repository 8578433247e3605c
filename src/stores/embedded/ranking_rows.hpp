#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "ports/ranking_source.hpp"
#include "stores/embedded/connection.hpp"

/// What is asked of a bank for the ranking: see RankingSource.
namespace bb5::embedded {

Result<std::vector<ranking::Neighbour>> find_thread_neighbours(
    Connection& connection, std::span<const ranking::Reach> memories);

Result<RankingMaterial> read_ranking_material(Connection& connection,
                                              std::span<const MemoryId> memories,
                                              const QueryVector* query, const MemoryFilter& filter,
                                              std::span<const ranking::AskedTerm> terms);

}  // namespace bb5::embedded
