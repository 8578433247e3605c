#pragma once

#include <span>
#include <string>
#include <vector>

#include "ports/ranking_source.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/search.hpp"

namespace bb5::postgres {

/// What is asked of a bank for the ranking: see RankingSource. Each call is one round trip.
class RankingReader {
 public:
  RankingReader(const Database& database, const Search& search);

  Result<std::vector<ranking::Neighbour>> near(std::span<const ranking::Reach> memories) const;
  Result<RankingMaterial> material(std::span<const MemoryId> memories, const QueryVector* query,
                                   const MemoryFilter& filter,
                                   std::span<const ranking::AskedTerm> terms) const;

 private:
  const Database& database_;
  const Search& search_;
  Statement near_;
  Statement holding_;
};

}  // namespace bb5::postgres
