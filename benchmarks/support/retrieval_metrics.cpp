#include "benchmarks/support/retrieval_metrics.hpp"

#include <algorithm>
#include <cmath>

namespace bb5::bench {
namespace {

constexpr std::size_t ndcg_depth = 10;

double discount(std::size_t place) {
  return 1 / std::log2(static_cast<double>(place) + 2);
}

}  // namespace

void RetrievalMetrics::add(const RetrievalMetrics& other) {
  for (std::size_t i = 0; i < recall.size(); ++i) recall[i] += other.recall[i];
  ndcg10 += other.ndcg10;
  reciprocal_rank += other.reciprocal_rank;
  questions += other.questions;
}

RetrievalMetrics RetrievalMetrics::mean() const {
  RetrievalMetrics made = *this;
  const auto n = static_cast<double>(std::max<std::size_t>(questions, 1));
  for (double& share : made.recall) share /= n;
  made.ndcg10 /= n;
  made.reciprocal_rank /= n;
  return made;
}

RetrievalMetrics measure_order(std::span<const std::size_t> order,
                               std::span<const std::size_t> evidence) {
  RetrievalMetrics made{.questions = 1};
  const double each = 1 / static_cast<double>(evidence.size());
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(evidence.size(), ndcg_depth); ++i) ideal += discount(i);
  for (std::size_t place = 0; place < order.size(); ++place) {
    if (std::find(evidence.begin(), evidence.end(), order[place]) == evidence.end()) continue;
    if (made.reciprocal_rank == 0) made.reciprocal_rank = 1 / static_cast<double>(place + 1);
    if (place < ndcg_depth) made.ndcg10 += discount(place) / ideal;
    for (std::size_t i = 0; i < made.recall.size(); ++i) {
      if (place < RetrievalMetrics::depths[i]) made.recall[i] += each;
    }
  }
  return made;
}

}  // namespace bb5::bench
