#include "ranking/meaning.hpp"

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
  for (int distance = 1; distance <= 2; ++distance) {
    const double weight = neighbour_weight[distance - 1];
    for (const int way : {-distance, distance}) {
      const auto near = threads.beside(passage, way);
      if (!near || !passages[*near].cosine) continue;
      sum += weight * *passages[*near].cosine;
      weights += weight;
    }
  }
  if (weights == 0) return std::nullopt;
  return sum / weights;
}

}  // namespace bb5::ranking
