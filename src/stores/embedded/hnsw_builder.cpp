#include "stores/embedded/hnsw_builder.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <tuple>
#include <utility>

namespace bb5::embedded {
namespace {

constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();

/// Bits of a number that look drawn at random, and are the same on every machine.
std::uint64_t scattered(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15ULL;
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31);
}

std::vector<std::int16_t> widened(const CodesView& codes, std::size_t row) {
  const std::int8_t* from = codes.codes(row);
  return {from, from + codes.layout().width};
}

}  // namespace

HnswBuilder::HnswBuilder(const CodesView& codes, HnswShape shape, std::size_t threads)
    : codes_(codes),
      shape_(shape),
      walks_(std::max<std::size_t>(threads, 1), HnswWalk(codes, nullptr)) {
  for (HnswWalk& walk : walks_) walk.pass_over_twins();
}

HnswBuilder::HnswBuilder(const CodesView& codes, const HnswGraph& begun, std::size_t threads)
    : HnswBuilder(codes, begun.shape, threads) {
  for (const HnswLevel& level : begun.levels) {
    levels_.push_back({level.layout,
                       {level.words, level.words + level.nodes * level.layout.stride},
                       level.nodes});
  }
}

/// A row is on so many levels: each next one with a chance of 1 in m.
std::size_t HnswBuilder::levels_of(std::size_t row) const {
  std::size_t levels = 1;
  std::uint64_t drawn = scattered(row);
  while (levels < HnswLayout::most_levels && drawn % shape_.m == 0) {
    drawn = scattered(drawn);
    ++levels;
  }
  return levels;
}

float HnswBuilder::cosine_of(std::size_t a, std::size_t b) const {
  return codes_.factor(a) * codes_.factor(b) *
         static_cast<float>(kernel_.pair(codes_.codes(a), codes_.codes(b), codes_.layout().width));
}

HnswGraph HnswBuilder::present() const {
  HnswGraph graph{.shape = shape_, .levels = {}};
  for (const Level& level : levels_) graph.levels.push_back(level.view());
  return graph;
}

HnswGraph HnswBuilder::graph() {
  for (Level& level : levels_) {
    for (std::uint32_t node = 0; node < level.nodes; ++node)
      level.words[node * level.layout.stride] = check_of_record(level.view(), node);
  }
  return present();
}

void HnswBuilder::share(std::size_t count,
                        const std::function<void(std::size_t, std::size_t)>& work) const {
  std::atomic<std::size_t> next = 0;
  const auto take = [&](std::size_t thread) {
    constexpr std::size_t at_once = 4;
    for (std::size_t from = next.fetch_add(at_once); from < count; from = next.fetch_add(at_once)) {
      for (std::size_t i = from; i < std::min(from + at_once, count); ++i) work(thread, i);
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t thread = 1; thread < walks_.size(); ++thread) others.emplace_back(take, thread);
  take(0);
}

/// Of candidates, the nearest first: those that are nearer to the node than to any chosen before,
/// so that a node's neighbours lie around it in all directions (algorithm 4 of the paper).
template <class RowOf>
std::vector<HnswFound> HnswBuilder::select(std::size_t most, std::span<const HnswFound> candidates,
                                           RowOf row_of) const {
  constexpr float rounding = 1e-6F;  // equal vectors lie in one direction
  std::vector<HnswFound> chosen;
  for (const HnswFound& candidate : candidates) {
    if (chosen.size() == most) break;
    const std::size_t row = row_of(candidate.node);
    const bool has_its_own_direction =
        std::all_of(chosen.begin(), chosen.end(), [&](const HnswFound& other) {
          return cosine_of(row, row_of(other.node)) + rounding < candidate.near;
        });
    if (has_its_own_direction) chosen.push_back(candidate);
  }
  return chosen;
}

void HnswBuilder::add_block() {
  const std::size_t first = rows();
  const std::size_t end = std::min(
      (first / CodesLayout::rows_per_block + 1) * CodesLayout::rows_per_block, codes_.count());
  if (first >= end) return;
  std::vector<Newcomer> batch(end - first);
  share(batch.size(), [&](std::size_t thread, std::size_t place) {
    batch[place] = seek(first, place, walks_[thread]);
  });
  add_nodes(first, batch);
  link_back(point_from(batch));
}

/// Finds what a row of the batch is to point at, on each of its levels.
HnswBuilder::Newcomer HnswBuilder::seek(std::size_t first, std::size_t place,
                                        HnswWalk& walk) const {
  const HnswGraph graph = present();
  const std::size_t row = first + place;
  const std::vector<std::int16_t> query = widened(codes_, row);
  const float factor = codes_.factor(row);
  // A block's rows lie one after the other.
  std::vector<std::int32_t> sums(place);
  kernel_.run(codes_.codes(first), place, codes_.layout().width, query.data(), sums.data());

  Newcomer newcomer;
  newcomer.chosen.resize(levels_of(row));
  std::uint32_t entry = 0;
  for (std::size_t number = std::max(graph.levels.size(), newcomer.chosen.size()); number-- > 0;) {
    const bool is_there = number < graph.levels.size();
    if (number >= newcomer.chosen.size()) {
      static_cast<void>(walk.descend(graph, number, query.data(), entry));
    } else {
      std::vector<HnswFound> candidates;
      if (is_there) {
        static_cast<void>(
            walk.search(graph, number, query.data(), entry, shape_.ef_construction, {}, no_bound));
        candidates = walk.found();
        entry = candidates.front().node;
        for (HnswFound& candidate : candidates) candidate.near *= factor;
      }
      for (std::uint32_t earlier = 0; earlier < place; ++earlier) {
        if (levels_of(first + earlier) <= number) continue;
        const float near =
            codes_.factor(first + earlier) * static_cast<float>(sums[earlier]) * factor;
        candidates.push_back({near, earlier | in_batch});
      }
      std::sort(candidates.begin(), candidates.end(), nearer);
      if (number == 0) newcomer.twin_of = twin_of(first, row, candidates);
      newcomer.chosen[number] = select(shape_.m, candidates, [&](std::uint32_t node) {
        return (node & in_batch) != 0 ? first + (node ^ in_batch)
                                      : std::size_t{graph.levels[number].row(node)};
      });
    }
    if (is_there && number > 0) entry = graph.levels[number].below(entry);
  }
  return newcomer;
}

/// One of level 0's candidates whose codes are the row's own. Among the nearest, if there is one.
std::optional<std::uint32_t> HnswBuilder::twin_of(std::size_t first, std::size_t row,
                                                  std::span<const HnswFound> candidates) const {
  constexpr float rounding = 1e-5F;
  const float least = cosine_of(row, row) * (1 - rounding);
  for (const HnswFound& candidate : candidates) {
    if (candidate.near < least) break;
    const std::size_t other = (candidate.node & in_batch) != 0 ? first + (candidate.node ^ in_batch)
                                                               : std::size_t{candidate.node};
    if (std::memcmp(codes_.codes(row), codes_.codes(other), codes_.layout().width) == 0)
      return static_cast<std::uint32_t>(other);
  }
  return std::nullopt;
}

/// Gives each row of the batch its nodes, which point at nothing yet.
void HnswBuilder::add_nodes(std::size_t first, std::vector<Newcomer>& batch) {
  for (std::size_t place = 0; place < batch.size(); ++place) {
    Newcomer& newcomer = batch[place];
    if (newcomer.twin_of) newcomer.chosen.assign(1, {});
    for (std::size_t number = 0; number < newcomer.chosen.size(); ++number) {
      if (number == levels_.size()) levels_.push_back({HnswLayout(shape_.m, number), {}, 0});
      Level& level = levels_[number];
      level.words.resize(level.words.size() + level.layout.stride, 0);
      std::uint32_t* record = level.record(level.nodes);
      if (number == 0) {
        record[2] = HnswLevel::no_twin;
      } else {
        record[2] = static_cast<std::uint32_t>(first + place);
        record[3] = newcomer.nodes.back();
      }
      newcomer.nodes.push_back(level.nodes++);
    }
    if (newcomer.twin_of) hang_on(newcomer.nodes.front(), *newcomer.twin_of);
  }
}

/// Into the chain of an earlier row, which may be a twin itself.
void HnswBuilder::hang_on(std::uint32_t node, std::uint32_t twin_of) {
  Level& level = levels_.front();
  level.record(node)[2] = level.record(twin_of)[2];
  level.record(twin_of)[2] = node;
}

/// Writes what the batch's nodes point at; returns what is to point back.
std::vector<HnswBuilder::Link> HnswBuilder::point_from(const std::vector<Newcomer>& batch) {
  std::vector<Link> links;
  for (const Newcomer& newcomer : batch) {
    for (std::size_t number = 0; number < newcomer.chosen.size(); ++number) {
      std::vector<HnswFound> at;
      for (HnswFound to : newcomer.chosen[number]) {
        if ((to.node & in_batch) != 0) {
          const Newcomer& other = batch[to.node ^ in_batch];
          if (other.twin_of) continue;
          to.node = other.nodes[number];
        }
        at.push_back(to);
        links.push_back({number, to.node, {to.near, newcomer.nodes[number]}});
      }
      levels_[number].point(newcomer.nodes[number], at);
    }
  }
  return links;
}

/// Where a node has no room for all that are to be pointed back at, its neighbours are chosen anew.
void HnswBuilder::link_back(std::vector<Link> links) {
  const auto place_of = [](const Link& link) {
    return std::tuple(link.level, link.target, link.source.node);
  };
  std::sort(links.begin(), links.end(),
            [&](const Link& a, const Link& b) { return place_of(a) < place_of(b); });
  std::vector<std::span<const Link>> targets;
  for (std::size_t from = 0; from < links.size();) {
    std::size_t to = from;
    while (to < links.size() && links[to].level == links[from].level &&
           links[to].target == links[from].target)
      ++to;
    targets.emplace_back(links.begin() + static_cast<std::ptrdiff_t>(from), to - from);
    from = to;
  }
  share(targets.size(), [&](std::size_t, std::size_t i) {
    Level& level = levels_[targets[i].front().level];
    const std::uint32_t target = targets[i].front().target;
    const HnswLevel view = level.view();
    std::vector<HnswFound> neighbours;
    for (const std::uint32_t node : view.neighbours(target))
      neighbours.push_back({cosine_of(view.row(target), view.row(node)), node});
    for (const Link& link : targets[i]) neighbours.push_back(link.source);
    if (neighbours.size() > level.layout.capacity) {
      std::sort(neighbours.begin(), neighbours.end(), nearer);
      neighbours = select(level.layout.capacity, neighbours,
                          [&](std::uint32_t node) { return view.row(node); });
    }
    level.point(target, neighbours);
  });
}

void HnswBuilder::Level::point(std::uint32_t node, std::span<const HnswFound> at) {
  std::uint32_t* own = record(node);
  own[1] = static_cast<std::uint32_t>(at.size());
  std::uint32_t* neighbours = own + layout.head;
  for (std::size_t i = 0; i < layout.capacity; ++i) neighbours[i] = i < at.size() ? at[i].node : 0;
}

}  // namespace bb5::embedded
