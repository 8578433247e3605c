#include "ranking/meaning.hpp"

#include <cstdlib>
#include <iterator>

namespace bb5::ranking {
namespace {

// Chosen on the development half of LoCoMo.
constexpr double neighbour_weight[] = {0.25, 0.1};

}  // namespace

std::optional<double> meaning(std::span<const Passage> passages, const Threads& threads,
                              std::size_t passage) {
  const Passage& own = passages[passage];
  if (!threads.is_threaded(passage)) return own.sentence_cosine ? own.sentence_cosine : own.cosine;
  double sum = own.cosine.value_or(0);
  double weights = own.cosine ? 1 : 0;
  for (const auto& near : threads.window(passage)) {
    const auto distance = static_cast<std::size_t>(std::abs(near.distance));
    if (distance > std::size(neighbour_weight) || !passages[near.passage].cosine) continue;
    sum += neighbour_weight[distance - 1] * *passages[near.passage].cosine;
    weights += neighbour_weight[distance - 1];
  }
  if (weights == 0) return std::nullopt;
  return sum / weights;
}

}  // namespace bb5::ranking
