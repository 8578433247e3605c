#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace bb5::bench {

/// How well one order answers a question, or the mean over several.
struct RetrievalMetrics {
  static constexpr std::array<std::size_t, 5> depths = {1, 5, 10, 20, 50};
  std::array<double, depths.size()> recall{};  ///< Share of the evidence among the first so many.
  double ndcg10 = 0;  ///< Järvelin, Kekäläinen, TOIS 2002; binary gains, log₂ discount.
  double reciprocal_rank = 0;  ///< Of the first piece of evidence; 0: not found.
  std::size_t questions = 0;

  [[nodiscard]] double recall10() const { return recall[2]; }
  void add(const RetrievalMetrics& other);
  [[nodiscard]] RetrievalMetrics mean() const;
};

/// order: best first, each once; evidence: not empty, each once.
[[nodiscard]] RetrievalMetrics measure_order(std::span<const std::size_t> order,
                                             std::span<const std::size_t> evidence);

}  // namespace bb5::bench
