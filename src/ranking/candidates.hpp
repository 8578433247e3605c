#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"

/// Who is ranked: what the arms found, and what stands beside their best in a thread. An answer
/// often shares no word with its question, but with the turn before it.
namespace bb5::ranking {

// Chosen on the development half of LoCoMo: without the neighbours, a hundred an arm lose 0.017 of
// Recall@10, and three hundred 0.004.
inline constexpr std::size_t hits_per_arm = 100;
inline constexpr std::size_t expanded_hits = 50;
inline constexpr int expansion_reach = 2;

/// A memory whose neighbours are asked for.
struct Reach {
  MemoryId id;
  int positions = 0;  ///< How far away, at most, both ways.
  bool operator==(const Reach&) const = default;
};

struct Neighbour {
  MemoryId of;
  MemoryId id;
  std::int64_t distance = 0;  ///< |position − position of `of`|
  bool operator==(const Neighbour&) const = default;
};

/// Who stands beside whom in the threads of a bank. Safe to call from several threads at once.
class ThreadNeighbours {
 public:
  virtual ~ThreadNeighbours() = default;
  /// The memories of the same thread whose position is at most so far from the memory's own, itself
  /// left out; none for one without thread or position, or that is not held. In any order.
  virtual Result<std::vector<Neighbour>> near(std::span<const Reach> memories) const = 0;
};

struct Selection {
  std::vector<MemoryId> candidates;  ///< Each once: in order of the arms, then their neighbours.
  std::vector<MemoryId> context;     ///< Whom the ranking needs beside them. No candidates.
};

/// words and meaning: what the arms found, best first; hits_per_arm of each are enough for the best
/// ten. Asks for neighbours once. Errors: those of `neighbours`.
[[nodiscard]] Result<Selection> select_candidates(std::span<const MemoryId> words,
                                                  std::span<const MemoryId> meaning,
                                                  const ThreadNeighbours& neighbours);

}  // namespace bb5::ranking
