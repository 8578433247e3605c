#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"

namespace bb5::ranking {

/// One memory, as far as the ranking looks at it. Its texts must live until the call returns.
struct Passage {
  std::int64_t seq = 0;      ///< Place in the bank; different for all, and decides between equals.
  std::string_view content;  ///< May start with `AUTHOR:`, which then counts once.
  std::string_view author;   ///< Empty: none.
  std::string_view thread;   ///< Empty: none.
  std::optional<std::int64_t> position;  ///< In the thread; nothing: it has no neighbours.
  std::optional<Timestamp> created_at;
  std::optional<double> cosine;           ///< Of its vector with the question's; nothing: has none.
  std::optional<double> sentence_cosine;  ///< The best over its sentences; nothing: not known.
  /// False: only there because a candidate is near it in its thread.
  bool candidate = true;
};

/// What is known of the whole bank; all else is seen from the passages, which is as good
/// (docs/decisions/2026-11-25-ranking.md). Terms are those of terms.hpp; the map needs to have only
/// those that wanted_terms() names, and one that is absent counts as held by none.
struct CorpusStatistics {
  std::int64_t memories = 0;
  std::unordered_map<std::string, std::int64_t> holding;  ///< Memories whose text or author has it.
};

/// The authors of the passages, each once, sorted.
[[nodiscard]] std::vector<std::string> authors_of(std::span<const Passage> passages);

}  // namespace bb5::ranking
