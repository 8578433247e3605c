#include "benchmarks/support/weight_fit.hpp"

#include <algorithm>
#include <numeric>

#include "benchmarks/support/retrieval_metrics.hpp"

namespace bb5::bench {
namespace {

double quality(std::span<const FitQuestion> questions, const ranking::Weights& weights) {
  RetrievalMetrics sum;
  for (const FitQuestion& question : questions)
    sum.add(measure_order(order_by(question, weights), question.evidence));
  return sum.mean().ndcg10 + sum.mean().recall10();
}

}  // namespace

FitQuestion fit_question(const RankedTurns& ranked, const AskedQuestion& question) {
  FitQuestion made{.category = question.category, .evidence = question.evidence};
  for (const auto& one : ranked.ranking.order) {
    made.turns.push_back(ranked.turns[one.passage]);
    made.signals.push_back(one.calibrated);
  }
  return made;
}

std::vector<std::size_t> order_by(const FitQuestion& question, const ranking::Weights& weights) {
  std::vector<std::pair<double, std::size_t>> scored;
  for (std::size_t i = 0; i < question.turns.size(); ++i) {
    scored.emplace_back(
        -std::inner_product(weights.begin(), weights.end(), question.signals[i].begin(), 0.0),
        question.turns[i]);
  }
  const std::size_t depth = std::min<std::size_t>(scored.size(), 60);  // what any figure looks at
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(depth),
                    scored.end());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < depth; ++i) order.push_back(scored[i].second);
  return order;
}

ranking::Weights fit_weights(std::span<const FitQuestion> questions, ranking::Weights start) {
  double best = quality(questions, start);
  for (const double step : {0.06, 0.03, 0.015}) {
    bool better = true;
    for (int round = 0; better && round < 4; ++round) {
      better = false;
      for (std::size_t s = 1; s < start.size(); ++s) {
        for (const double move : {step, -step}) {
          ranking::Weights tried = start;
          tried[s] += move;
          const double reached = quality(questions, tried);
          if (reached <= best + 1e-6) continue;
          best = reached;
          start = tried;
          better = true;
        }
      }
    }
  }
  return start;
}

}  // namespace bb5::bench
