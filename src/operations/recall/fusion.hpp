#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "ports/memory_search.hpp"

namespace bb5 {

/// What one arm found, best first.
struct ArmHits {
  std::string arm;  ///< `semantic`, `keyword`
  double weight = 1;
  std::vector<Hit> hits;
};

struct FusedHit {
  Hit hit;                                        ///< score: the fused one.
  std::map<std::string, double> strategy_scores;  ///< Raw score of each arm that found it.
};

/// Weighted sum of the arms' scores, each divided by the best of its arm (negative ones count as
/// 0); with one arm, its own scores. Equal scores in insertion order. Measured better than
/// reciprocal ranks when one list is weak: docs/decisions/2026-11-24-fusion.md.
[[nodiscard]] std::vector<FusedHit> fuse_weighted(std::span<const ArmHits> arms);

/// Reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009): Σ weight / (k + rank), rank
/// from 1.
[[nodiscard]] std::vector<FusedHit> fuse_ranks(std::span<const ArmHits> arms, int k);

}  // namespace bb5
