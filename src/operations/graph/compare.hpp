#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"

namespace bb5 {

/// One field in which two graphs differ, or a row that one of them lacks.
struct GraphDifference {
  GraphChange::Kind kind = GraphChange::Kind::entity;
  /// The entity's key, relationship_key(), or `memory␟entity key`.
  std::string key;
  /// `name`, `type`, `mention_count`, …; `row` when a side lacks the row or has it twice, and then
  /// the values are `none`, `one` or `two`.
  std::string field;
  std::string left;  ///< Shown values, cut to 200 characters.
  std::string right;
  bool operator==(const GraphDifference&) const = default;
};

struct CompareOptions {
  std::size_t limit = 100;        ///< Differences that are named; all are counted.
  std::size_t page = 1'000;       ///< Rows read at once from each side.
  bool compare_revisions = true;  ///< False for graphs of two stores, which count by themselves.
  /// Called after every page with the number of rows read on the left; false cancels.
  std::function<bool(std::int64_t)> progress = {};
  /// Called for every row that only the right side has, named or not.
  std::function<Result<>(const GraphChange&)> extra = {};
};

struct GraphComparison {
  GraphCounts left;  ///< Rows read.
  GraphCounts right;
  std::int64_t found = 0;                    ///< All differences…
  std::vector<GraphDifference> differences;  ///< …and the first `limit` of them.
  [[nodiscard]] bool equal() const noexcept { return found == 0; }
};

/// Reads both graphs in order of their keys and names every difference, a few pages in memory at a
/// time. Each is looked at once more before it counts, so that rows which changed while the pages
/// were read, or were on their way from one side to the other, are not held against either.
/// Errors: those of the graphs; corrupt, when a side gives keys out of order; cancelled.
[[nodiscard]] Result<GraphComparison> compare_graphs(const EntityGraph& left,
                                                     const EntityGraph& right,
                                                     const CompareOptions& options = {});

/// `entity`, `relationship`, `mention`
[[nodiscard]] const char* name_of(GraphChange::Kind kind) noexcept;

/// What names a row in differences and reports.
[[nodiscard]] std::string key_of(const GraphChange& change);

}  // namespace bb5
