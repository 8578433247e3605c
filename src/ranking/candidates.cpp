#include "ranking/candidates.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "ranking/threads.hpp"

namespace bb5::ranking {
namespace {

/// Each hit once, with how far its neighbours matter: as context, and for the best as candidates,
/// which have their own context.
std::vector<Reach> reaches(std::span<const MemoryId> words, std::span<const MemoryId> meaning) {
  std::vector<Reach> asked;
  std::unordered_map<Uuid, std::size_t> places;
  for (const auto arm : {words, meaning}) {
    for (std::size_t i = 0; i < arm.size(); ++i) {
      const int reach = window_reach + (i < expanded_hits ? expansion_reach : 0);
      const auto [place, fresh] = places.try_emplace(arm[i].uuid, asked.size());
      if (fresh) asked.push_back({arm[i], reach});
      asked[place->second].positions = std::max(asked[place->second].positions, reach);
    }
  }
  return asked;
}

}  // namespace

Result<Selection> select_candidates(std::span<const MemoryId> words,
                                    std::span<const MemoryId> meaning,
                                    const ThreadNeighbours& neighbours) {
  const std::vector<Reach> asked = reaches(words, meaning);
  auto near = neighbours.near(asked);
  if (!near) return std::move(near).error();
  std::sort(near->begin(), near->end(), [](const Neighbour& a, const Neighbour& b) {
    return std::tie(a.of, a.distance, a.id) < std::tie(b.of, b.distance, b.id);
  });
  std::unordered_map<Uuid, int> reach_of;
  Selection selection;
  std::unordered_set<Uuid> taken;
  for (const Reach& hit : asked) {
    reach_of[hit.id.uuid] = hit.positions;
    if (taken.insert(hit.id.uuid).second) selection.candidates.push_back(hit.id);
  }
  const auto is_candidate = [&](const Neighbour& one) {
    return one.distance <= reach_of[one.of.uuid] - window_reach;
  };
  for (const Neighbour& one : *near) {
    if (is_candidate(one) && taken.insert(one.id.uuid).second)
      selection.candidates.push_back(one.id);
  }
  for (const Neighbour& one : *near) {
    if (taken.insert(one.id.uuid).second) selection.context.push_back(one.id);
  }
  return selection;
}

}  // namespace bb5::ranking
