#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "operations/recall/fusion.hpp"
#include "ports/ranking_source.hpp"

namespace bb5 {

/// What the arms found for a question.
struct Found {
  std::string_view question;
  const ranking::AskedWords& asked;     ///< The same.
  std::span<const Hit> words;           ///< Best first.
  std::span<const Hit> meaning;         ///< Best first.
  const QueryVector* vector = nullptr;  ///< Of the question; nullptr: there is none.
};

struct RankedHits {
  std::vector<FusedHit> order;  ///< Best first. strategy_scores are not filled.
  std::size_t candidates = 0;   ///< Whoever was ranked,
  std::size_t context = 0;      ///< and whoever stands beside them in their threads.
};

/// The default order (ranking/rank.hpp) of what was found, and of its neighbours in threads, as far
/// as the filter and the question's own conditions let them through. Errors: those of the bank.
[[nodiscard]] Result<RankedHits> rank_hits(const RankingSource& bank, const Found& found,
                                           const MemoryFilter& filter);

}  // namespace bb5
