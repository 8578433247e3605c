#include "ranking/threads.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace bb5::ranking {

Threads::Threads(std::span<const Passage> passages) {
  place_of_.resize(passages.size());
  for (std::size_t i = 0; i < passages.size(); ++i) {
    const Passage& passage = passages[i];
    if (passage.thread.empty() || !passage.position) continue;
    place_of_[i] = Place{passage.thread, *passage.position};
    order_.push_back({*place_of_[i], passage.seq, i});
  }
  std::sort(order_.begin(), order_.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.place, a.seq) < std::tie(b.place, b.seq);
  });
  threaded_.resize(passages.size());
  for (std::size_t i = 0; i < passages.size(); ++i) {
    for (int distance = 1; distance <= window_reach && !threaded_[i]; ++distance)
      threaded_[i] = beside(i, distance).has_value() || beside(i, -distance).has_value();
  }
  std::unordered_map<std::string_view, std::unordered_set<std::string_view>> authors;
  for (const Passage& passage : passages) {
    if (!passage.author.empty()) authors[passage.thread].insert(passage.author);
  }
  talk_.resize(passages.size());
  for (std::size_t i = 0; i < passages.size(); ++i)
    talk_[i] = threaded_[i] && authors[passages[i].thread].size() >= 2;
}

std::optional<std::size_t> Threads::beside(std::size_t passage, int distance) const {
  const auto& from = place_of_[passage];
  if (!from) return std::nullopt;
  using Limits = std::numeric_limits<std::int64_t>;
  if (distance > 0 ? from->position > Limits::max() - distance
                   : from->position < Limits::min() - distance)
    return std::nullopt;
  const Place place{from->thread, from->position + distance};
  const auto found = std::lower_bound(order_.begin(), order_.end(), place,
                                      [](const Placed& a, const Place& b) { return a.place < b; });
  if (found == order_.end() || found->place != place) return std::nullopt;
  return found->passage;
}

}  // namespace bb5::ranking
