#include "ranking/threads.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace bb5::ranking {
namespace {

using Place = std::pair<std::string_view, std::int64_t>;

/// The first passage of each place.
std::map<Place, std::size_t> find_places(std::span<const Passage> passages) {
  std::map<Place, std::size_t> places;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (passages[i].thread.empty() || !passages[i].position) continue;
    const auto [held, fresh] = places.try_emplace({passages[i].thread, *passages[i].position}, i);
    if (!fresh && passages[i].seq < passages[held->second].seq) held->second = i;
  }
  return places;
}

/// position + distance, unless there is no such number.
std::optional<std::int64_t> moved(std::int64_t position, int distance) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(position, distance, &sum)) return std::nullopt;
  return sum;
}

}  // namespace

Threads::Threads(std::span<const Passage> passages)
    : windows_(passages.size()), talk_(passages.size()) {
  const auto places = find_places(passages);
  std::unordered_map<std::string_view, std::unordered_set<std::string_view>> authors;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    const Passage& passage = passages[i];
    if (passage.thread.empty() || !passage.position) continue;
    if (!passage.author.empty()) authors[passage.thread].insert(passage.author);
    for (int distance = -window_reach; distance <= window_reach; ++distance) {
      const auto position = moved(*passage.position, distance);
      if (distance == 0 || !position) continue;
      const auto found = places.find({passage.thread, *position});
      if (found != places.end()) windows_[i].push_back({distance, found->second});
    }
  }
  for (std::size_t i = 0; i < passages.size(); ++i)
    talk_[i] = is_threaded(i) && authors[passages[i].thread].size() >= 2;
}

std::optional<std::size_t> Threads::before(std::size_t passage) const {
  for (const Neighbour& near : windows_[passage]) {
    if (near.distance == -1) return near.passage;
  }
  return std::nullopt;
}

}  // namespace bb5::ranking
