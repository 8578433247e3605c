#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "ports/vector_index.hpp"

namespace bb5 {

/// How much of the true answer an effort finds, and what it takes.
struct TuneStep {
  std::int32_t effort = 0;  ///< `ef_search` or `probes`
  double recall = 0;        ///< recall@k, in [0, 1]
  double p50_ms = 0;
};

struct TuneOptions {
  double recall = 0.99;       ///< to be reached, in (0, 1]
  std::size_t queries = 200;  ///< at least 1
  std::uint64_t seed = 1;     ///< of the sample
  /// Called with queries done and in all so far; false stops with `cancelled`, and changes nothing.
  std::function<bool(std::int64_t, std::int64_t)> progress;
};

struct TuneReport {
  static constexpr std::size_t k = 10;
  VectorIndex::Status index;  ///< as it was found
  std::size_t queries = 0;    ///< that there were: no more than vectors
  double exact_p50_ms = 0;
  std::vector<TuneStep> steps;         ///< Least effort first. Empty: searches are exact.
  std::optional<std::int32_t> chosen;  ///< The least that reaches it, now set in the bank.
};

/// Measures the bank's index with vectors of its own, drawn at random: the exact answer is the
/// truth, the vector itself counts on neither side. Raises the effort step by step until one more
/// step than needed is measured, and makes the least that suffices the bank's. A memory as near as
/// the truth's last one counts as found. A bank's own vectors are in the index, and a little easier
/// to find neighbours of than questions are.
/// Errors: as the ports say; cancelled.
Result<TuneReport> tune_index(const MemoryStore& memories, VectorIndex& index,
                              const TuneOptions& options);

}  // namespace bb5
