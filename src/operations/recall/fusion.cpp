#include "operations/recall/fusion.hpp"

#include <algorithm>
#include <unordered_map>

namespace bb5 {

std::vector<FusedHit> fuse_one(const ArmHits& arm) {
  std::vector<FusedHit> fused;
  fused.reserve(arm.hits.size());
  for (const Hit& hit : arm.hits)
    fused.push_back({.hit = hit, .strategy_scores = {}, .signals = {}});
  return fused;
}

std::vector<FusedHit> fuse_ranks(std::span<const ArmHits> arms, int k) {
  std::vector<FusedHit> fused;
  std::unordered_map<MemoryId, std::size_t> places;
  for (const ArmHits& arm : arms) {
    double rank = 0;
    for (const Hit& hit : arm.hits) {
      const auto [found, fresh] = places.try_emplace(hit.id, fused.size());
      if (fresh)
        fused.push_back({.hit = {hit.id, hit.seq, 0}, .strategy_scores = {}, .signals = {}});
      fused[found->second].hit.score += 1 / (k + ++rank);
    }
  }
  std::sort(fused.begin(), fused.end(), [](const FusedHit& a, const FusedHit& b) {
    return a.hit.score != b.hit.score ? a.hit.score > b.hit.score : a.hit.seq < b.hit.seq;
  });
  return fused;
}

void note_strategy_scores(std::span<const ArmHits> arms, std::span<FusedHit> hits) {
  std::unordered_map<MemoryId, FusedHit*> by_id;
  for (FusedHit& hit : hits) by_id.emplace(hit.hit.id, &hit);
  for (const ArmHits& arm : arms) {
    for (const Hit& hit : arm.hits) {
      if (const auto found = by_id.find(hit.id); found != by_id.end())
        found->second->strategy_scores[arm.arm] = hit.score;
    }
  }
}

}  // namespace bb5
