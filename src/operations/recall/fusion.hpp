#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ports/memory_search.hpp"

namespace bb5 {

/// What one arm found, best first.
struct ArmHits {
  std::string arm;  ///< `semantic`, `keyword`
  std::vector<Hit> hits;
};

/// One of the signals that the ranking adds up (ranking/rank.hpp).
struct SignalScore {
  std::string_view signal;
  std::optional<double> raw;  ///< As measured; nothing: the memory cannot have it.
  double share = 0;           ///< Of the score.
};

struct FusedHit {
  Hit hit;                                        ///< score: the fused one.
  std::map<std::string, double> strategy_scores;  ///< Raw score of each arm that found it.
  std::vector<SignalScore> signals;               ///< Where they were ranked by signals.
};

/// The hits of one arm as they are.
[[nodiscard]] std::vector<FusedHit> fuse_one(const ArmHits& arm);

/// Reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009): Σ 1 / (k + rank), rank from 1.
/// Equal scores in insertion order.
[[nodiscard]] std::vector<FusedHit> fuse_ranks(std::span<const ArmHits> arms, int k);

/// Fills in strategy_scores from what the arms found.
void note_strategy_scores(std::span<const ArmHits> arms, std::span<FusedHit> hits);

}  // namespace bb5
