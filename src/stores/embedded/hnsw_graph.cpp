#include "stores/embedded/hnsw_graph.hpp"

#include <algorithm>

namespace bb5::embedded {
namespace {

constexpr std::size_t cache_line = 64;

void prefetch(const void* at, std::size_t bytes) {
  const auto* from = static_cast<const char*>(at);
  for (std::size_t offset = 0; offset < bytes; offset += cache_line)
    __builtin_prefetch(from + offset);
}

bool farther(const HnswFound& a, const HnswFound& b) {
  return nearer(b, a);
}

}  // namespace

std::uint32_t check_of_record(const HnswLevel& level, std::uint32_t node) {
  constexpr std::uint64_t odd_multiplier = 0x9E3779B97F4A7C15ULL;
  const std::uint32_t* words = level.record(node);
  std::uint64_t hash = node + 1;
  for (std::size_t i = 1; i < level.layout.stride; ++i) {
    hash = (hash ^ words[i]) * odd_multiplier;
    hash ^= hash >> 29;
  }
  return static_cast<std::uint32_t>(hash >> 32);
}

HnswWalk::HnswWalk(const CodesView& codes, const RecordChecks* checks)
    : codes_(codes), checks_(checks) {}

HnswWalk::End HnswWalk::nearest(const HnswGraph& graph, const std::int16_t* query, std::size_t ef,
                                const Sieve& sieve, std::size_t most_looks) {
  found_.clear();
  if (graph.rows() == 0) return End::arrived;
  std::uint32_t entry = 0;
  for (std::size_t level = graph.levels.size() - 1; level > 0; --level) {
    if (const End end = descend(graph, level, query, entry); end != End::arrived) return end;
    entry = graph.levels[level].below(entry);
    if (entry >= graph.levels[level - 1].nodes) return End::damaged;
  }
  return search(graph, 0, query, entry, ef, sieve, most_looks);
}

/// Reads codes and factors of `nodes_` into `nears_`. False: damage.
bool HnswWalk::look_at(const HnswLevel& level, std::size_t number, const std::int16_t* query) {
  const std::size_t width = codes_.layout().width;
  rows_.resize(nodes_.size());
  sums_.resize(nodes_.size());
  nears_.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    // On level 0 the row is the node; elsewhere its record tells.
    if (number > 0 && checks_ != nullptr && !checks_->is_sound(number, nodes_[i])) return false;
    const std::uint32_t row = level.row(nodes_[i]);
    if (row >= codes_.count()) return false;
    rows_[i] = codes_.codes(row);
    prefetch(rows_[i], width);
    __builtin_prefetch(&codes_.factor(row));
  }
  if (checks_ != nullptr) {
    for (const std::uint32_t node : nodes_) {
      if (!codes_.is_sound(level.row(node))) return false;
    }
  }
  kernel_.gather(rows_.data(), rows_.size(), width, query, sums_.data());
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    nears_[i] = codes_.factor(level.row(nodes_[i])) * static_cast<float>(sums_[i]);
  return true;
}

/// A node that was not seen before, into `nodes_`. False: there is no such node.
bool HnswWalk::gather(const HnswLevel& level, std::uint32_t node) {
  if (node >= level.nodes) return false;
  std::uint64_t& word = seen_[node / 64];
  const std::uint64_t bit = std::uint64_t{1} << (node % 64);
  if ((word & bit) != 0) return true;
  word |= bit;
  touched_.push_back(node);
  nodes_.push_back(node);
  return true;
}

/// Where a node leads to, as far as it was not seen before, into `nodes_`. False: damage.
bool HnswWalk::gather_unseen(const HnswLevel& level, std::size_t number, std::uint32_t node) {
  if (checks_ != nullptr && !checks_->is_sound(number, node)) return false;
  nodes_.clear();
  const std::uint32_t twin = level.twin(node);
  if (with_twins_ && twin != HnswLevel::no_twin && !gather(level, twin)) return false;
  const auto neighbours = level.neighbours(node);
  return std::all_of(neighbours.begin(), neighbours.end(),
                     [&](std::uint32_t neighbour) { return gather(level, neighbour); });
}

void HnswWalk::forget_seen() {
  for (const std::uint32_t node : touched_) seen_[node / 64] = 0;
  touched_.clear();
}

HnswWalk::End HnswWalk::descend(const HnswGraph& graph, std::size_t level,
                                const std::int16_t* query, std::uint32_t& entry) {
  const End end = search(graph, level, query, entry, 1, {}, graph.rows());
  if (end == End::arrived) entry = found_.front().node;
  return end;
}

HnswWalk::End HnswWalk::search(const HnswGraph& graph, std::size_t number,
                               const std::int16_t* query, std::uint32_t entry, std::size_t ef,
                               const Sieve& sieve, std::size_t most_looks) {
  const HnswLevel& level = graph.levels[number];
  seen_.resize(std::max<std::size_t>(seen_.size(), level.nodes / 64 + 1));
  forget_seen();
  frontier_.clear();
  found_.clear();
  nodes_.clear();
  if (!gather(level, entry)) return End::damaged;
  while (true) {
    if (!look_at(level, number, query)) return End::damaged;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const HnswFound seen{nears_[i], nodes_[i]};
      if (found_.size() == ef && !nearer(seen, found_.front())) continue;
      frontier_.push_back(seen);
      std::push_heap(frontier_.begin(), frontier_.end(), farther);
      if (sieve && !sieve(level.row(seen.node))) continue;
      if (found_.size() == ef) {
        std::pop_heap(found_.begin(), found_.end(), nearer);
        found_.back() = seen;
      } else {
        found_.push_back(seen);
      }
      std::push_heap(found_.begin(), found_.end(), nearer);
    }
    if (touched_.size() > most_looks) return End::too_far;
    if (frontier_.empty()) break;
    const HnswFound next = frontier_.front();
    if (found_.size() == ef && nearer(found_.front(), next)) break;
    std::pop_heap(frontier_.begin(), frontier_.end(), farther);
    frontier_.pop_back();
    if (!frontier_.empty())
      prefetch(level.record(frontier_.front().node), level.layout.stride * sizeof(std::uint32_t));
    if (!gather_unseen(level, number, next.node)) return End::damaged;
  }
  std::sort_heap(found_.begin(), found_.end(), nearer);
  return End::arrived;
}

}  // namespace bb5::embedded
