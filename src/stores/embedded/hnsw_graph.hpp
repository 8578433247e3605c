#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "stores/embedded/codes_file.hpp"
#include "stores/embedded/cosine_kernels.hpp"

/// A graph over the rows of a file of codes, as Malkov and Yashunin describe it (HNSW,
/// arXiv:1603.09320), read where it lies: in a file that is mapped, or in the builder's memory.
///
/// It has levels. Level 0 has a node for each row, the node's number being the row's; a node of a
/// higher level stands on one of the level below. A node is a record of 32-bit words:
///   level 0:        check, number of neighbours, twin, neighbours…
///   higher levels:  check, number of neighbours, row, node below, neighbours…
/// where `check` is a checksum of the rest. A row whose codes are those of an earlier one is its
/// twin: it has no neighbours, is on level 0 alone, and hangs in a chain on the earlier one. (A few
/// hundred equal vectors, each other's nearest, would otherwise be an island.) Who looks for
/// neighbours begins at node 0 of the highest level.
namespace bb5::embedded {

/// How dense a graph is.
struct HnswShape {
  std::uint32_t m = 16;                 ///< Neighbours that a node is given; 4 to 64.
  std::uint32_t ef_construction = 128;  ///< Candidates that they are chosen from.
  bool operator==(const HnswShape&) const = default;
};

/// Where the words of a level's records lie.
struct HnswLayout {
  static constexpr std::size_t most_levels = 12;

  HnswLayout(std::uint32_t m, std::size_t level)
      : head(level == 0 ? 3 : 4),
        // With its head a record of level 0 takes whole cache lines, for an m of 8, 16, 24…
        capacity(level == 0 ? 2 * m - 3 : m),
        stride(head + capacity) {}
  std::size_t head;
  std::size_t capacity;  // of neighbours
  std::size_t stride;    // words of a record
};

/// One level, read-only.
struct HnswLevel {
  static constexpr std::uint32_t no_twin = 0xFFFFFFFF;
  HnswLayout layout;
  const std::uint32_t* words = nullptr;
  std::uint32_t nodes = 0;

  [[nodiscard]] bool is_lowest() const { return layout.head == 3; }
  [[nodiscard]] const std::uint32_t* record(std::uint32_t node) const {
    return words + node * layout.stride;
  }
  [[nodiscard]] std::uint32_t row(std::uint32_t node) const {
    return is_lowest() ? node : record(node)[2];
  }
  [[nodiscard]] std::uint32_t twin(std::uint32_t node) const {
    return is_lowest() ? record(node)[2] : no_twin;
  }
  [[nodiscard]] std::uint32_t below(std::uint32_t node) const { return record(node)[3]; }
  [[nodiscard]] std::span<const std::uint32_t> neighbours(std::uint32_t node) const {
    return {record(node) + layout.head, record(node)[1]};
  }
};
[[nodiscard]] std::uint32_t check_of_record(const HnswLevel& level, std::uint32_t node);

/// A graph's levels, the lowest first. What they point at lives as long as their owner says.
struct HnswGraph {
  HnswShape shape;
  std::vector<HnswLevel> levels;
  [[nodiscard]] std::uint32_t rows() const { return levels.empty() ? 0 : levels.front().nodes; }
};

/// Tells of a record whether it is whole; asked before its neighbours are followed.
class RecordChecks {
 public:
  virtual ~RecordChecks() = default;
  [[nodiscard]] virtual bool is_sound(std::size_t level, std::uint32_t node) const = 0;
};

/// A node, and how near it is: factor · Σ code · query, which grows with the cosine.
struct HnswFound {
  float near = 0;
  std::uint32_t node = 0;
};
/// Nearer first; equal ones by number, so that no order depends on chance.
[[nodiscard]] inline bool nearer(const HnswFound& a, const HnswFound& b) {
  return a.near != b.near ? a.near > b.near : a.node < b.node;
}

/// Walks over a graph towards a query. Keeps its memory from one walk to the next; for one thread.
class HnswWalk {
 public:
  /// checks: nothing for a graph, and codes, that are known to be whole.
  HnswWalk(const CodesView& codes, const RecordChecks* checks);
  /// A builder has no use for twins of what it found.
  void pass_over_twins() { with_twins_ = false; }

  enum class End { arrived, damaged, too_far };
  /// Let through are the rows that may be found; the others are walked over. Empty: all.
  using Sieve = std::function<bool(std::uint32_t row)>;

  /// The `ef` nearest rows, as near as a walk of that width gets. query: the layout's width.
  /// Gives up when it has looked at more than `most_looks` rows.
  End nearest(const HnswGraph& graph, const std::int16_t* query, std::size_t ef, const Sieve& sieve,
              std::size_t most_looks);
  /// Of nearest() and search(): nearest first.
  [[nodiscard]] const std::vector<HnswFound>& found() const { return found_; }

  /// The pieces of it that a builder takes. From `entry` on one level: to the nearest node that
  /// steps to nearer ones lead to, which replaces `entry`…
  End descend(const HnswGraph& graph, std::size_t level, const std::int16_t* query,
              std::uint32_t& entry);
  /// …and to the `ef` nearest ones.
  End search(const HnswGraph& graph, std::size_t level, const std::int16_t* query,
             std::uint32_t entry, std::size_t ef, const Sieve& sieve, std::size_t most_looks);

 private:
  bool look_at(const HnswLevel& level, std::size_t number, const std::int16_t* query);
  bool gather_unseen(const HnswLevel& level, std::size_t number, std::uint32_t node);
  bool gather(const HnswLevel& level, std::uint32_t node);
  void forget_seen();

  const CodesView& codes_;
  const RecordChecks* checks_;
  bool with_twins_ = true;
  const NamedKernel& kernel_ = available_kernels().front();
  std::vector<std::uint64_t> seen_;     // a bit a node
  std::vector<std::uint32_t> touched_;  // those whose bits are set
  std::vector<std::uint32_t> nodes_;    // to be looked at, with their…
  std::vector<const std::int8_t*> rows_;
  std::vector<std::int32_t> sums_;
  std::vector<float> nears_;
  std::vector<HnswFound> frontier_;  // a heap with the nearest in front
  std::vector<HnswFound> found_;     // a heap with the farthest in front
};

}  // namespace bb5::embedded
