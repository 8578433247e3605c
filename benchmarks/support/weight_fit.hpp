#pragma once

#include <span>
#include <vector>

#include "benchmarks/support/haystack.hpp"

namespace bb5::bench {

/// The candidates of one question, as far as weights can order them.
struct FitQuestion {
  Category category = Category::single_hop;
  std::vector<std::size_t> evidence;      ///< As AskedQuestion's.
  std::vector<std::size_t> turns;         ///< By candidate.
  std::vector<ranking::Weights> signals;  ///< By candidate: calibrated.
};

[[nodiscard]] FitQuestion fit_question(const RankedTurns& ranked, const AskedQuestion& question);

/// Turns, best first; equal ones by place.
[[nodiscard]] std::vector<std::size_t> order_by(const FitQuestion& question,
                                                const ranking::Weights& weights);

/// Weights by which NDCG@10 + Recall@10 of the questions is high: one weight after the other is
/// moved by steps that get smaller, as long as that helps. The first one stays: only their ratio
/// matters.
[[nodiscard]] ranking::Weights fit_weights(std::span<const FitQuestion> questions,
                                           ranking::Weights start);

}  // namespace bb5::bench
