#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

/// Two statements, and whether a person says that they say the same.
struct StatementPair {
  bool held_out = false;  ///< What was merged of it had no say in the rules and the threshold.
  bool same = false;
  std::string kind;  ///< What makes them differ: `reworded`, `number`, `swap`…
  std::string left;
  std::string right;
};

/// tests/data/near_duplicates.tsv of the source tree.
inline constexpr const char* near_duplicates_file = BB5_NEAR_DUPLICATES;

/// Of a file like that one: a line of headings, then half, label, kind, left, right.
/// Errors: not_found; corrupt, naming the line.
[[nodiscard]] Result<std::vector<StatementPair>> read_statement_pairs(
    const std::filesystem::path& file);

/// The cosine of each pair's vectors. Errors: the embedder's.
[[nodiscard]] Result<std::vector<double>> cosines_of(std::span<const StatementPair> pairs,
                                                     Embedder& embedder);

/// Whether `retain` would count the one as the other.
[[nodiscard]] bool would_merge(const StatementPair& pair, double cosine, double threshold);

/// What merging did to pairs.
struct MergeCounts {
  std::size_t right = 0;                   ///< Same and merged.
  std::size_t wrong = 0;                   ///< Different and merged: information lost.
  std::size_t missed = 0;                  ///< Same and not merged: a double kept.
  [[nodiscard]] double precision() const;  ///< In [0, 1]; 1 when nothing is merged.
  [[nodiscard]] double recall() const;     ///< In [0, 1]; 1 when nothing is the same.
  void add(const StatementPair& pair, bool merged);
};

/// Of one half. cosines: one for each pair.
[[nodiscard]] MergeCounts count_merges(std::span<const StatementPair> pairs,
                                       std::span<const double> cosines, bool held_out,
                                       double threshold);

}  // namespace bb5
