#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "ranking/asked_words.hpp"
#include "ranking/candidates.hpp"
#include "ranking/passage.hpp"

namespace bb5 {

/// A memory as far as the ranking looks at it (ranking/passage.hpp).
struct RankedRow {
  MemoryId id;
  std::int64_t seq = 0;
  std::string content;
  std::string author;  ///< Empty: none.
  std::string thread;  ///< Empty: none.
  std::optional<std::int64_t> position;
  std::optional<Timestamp> created_at;
  std::optional<double> cosine;  ///< As MemorySearch::nearest() scores it; nothing: has no vector.
  bool passes = true;            ///< The filter.
};

struct RankingMaterial {
  std::vector<RankedRow> rows;  ///< In any order. Those no longer held are missing.
  ranking::CorpusStatistics corpus;
};

/// What a store delivers for the ranking of what its arms found. Threads and common errors as
/// MemoryStore.
class RankingSource : public ranking::ThreadNeighbours {
 public:
  /// memories: each once. query: nullptr, or as nearest() takes it. terms: each once; of what a
  /// store's index cannot tell apart, or leaves out as too common, the number may be too great.
  /// Errors: those of nearest() for the query.
  virtual Result<RankingMaterial> ranking_material(
      std::span<const MemoryId> memories, const QueryVector* query, const MemoryFilter& filter,
      std::span<const ranking::AskedTerm> terms) const = 0;
};

}  // namespace bb5
