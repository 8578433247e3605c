#include "operations/recall/fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace bb5 {
namespace {

/// Sums what `share(arm, place)` gives for every hit of every arm, and sorts.
template <class Share>
std::vector<FusedHit> fuse(std::span<const ArmHits> arms, const Share& share) {
  std::vector<FusedHit> fused;
  std::unordered_map<MemoryId, std::size_t> places;
  for (const ArmHits& arm : arms) {
    for (std::size_t place = 0; place < arm.hits.size(); ++place) {
      const Hit& hit = arm.hits[place];
      const auto [found, fresh] = places.try_emplace(hit.id, fused.size());
      if (fresh) fused.push_back({.hit = {.id = hit.id, .seq = hit.seq, .score = 0}});
      FusedHit& sum = fused[found->second];
      sum.hit.score += share(arm, place);
      sum.strategy_scores[arm.arm] = hit.score;
    }
  }
  std::sort(fused.begin(), fused.end(), [](const FusedHit& a, const FusedHit& b) {
    return a.hit.score != b.hit.score ? a.hit.score > b.hit.score : a.hit.seq < b.hit.seq;
  });
  return fused;
}

}  // namespace

std::vector<FusedHit> fuse_weighted(std::span<const ArmHits> arms) {
  const auto answered =
      std::count_if(arms.begin(), arms.end(), [](const ArmHits& arm) { return !arm.hits.empty(); });
  if (answered == 1) {
    return fuse(arms, [](const ArmHits& arm, std::size_t place) { return arm.hits[place].score; });
  }
  return fuse(arms, [](const ArmHits& arm, std::size_t place) {
    const double best = arm.hits.front().score;
    return best > 0 ? arm.weight * std::max(0.0, arm.hits[place].score) / best : 0;
  });
}

std::vector<FusedHit> fuse_ranks(std::span<const ArmHits> arms, int k) {
  return fuse(arms, [k](const ArmHits& arm, std::size_t place) {
    return arm.weight / (k + static_cast<double>(place) + 1);
  });
}

}  // namespace bb5
