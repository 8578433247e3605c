#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "operations/recall/fusion.hpp"
#include "operations/recall/token_budget.hpp"
#include "ports/bank.hpp"
#include "ports/embedder.hpp"
#include "ranking/soft_terms.hpp"

namespace bb5 {

struct RecallQuery {
  std::string text;
  std::vector<float> embedding;  ///< Empty: looked up by the text among the cached vectors.
  /// Which memories are looked at; kinds empty: all, as the old system searched them. `entities`
  /// stand for all names of the entities that they mean; valid_at is set by as_of and all_times.
  MemoryFilter filter;
  std::vector<std::string> strategies = {"semantic", "keyword"};
  std::size_t limit = 10;  ///< 1 to 10,000.
  std::size_t offset = 0;
  std::optional<Timestamp> as_of;  ///< Memories that are valid at this moment; nothing: now.
  bool all_times = false;          ///< Memories whenever they are valid; as_of says nothing then.
  bool reciprocal_ranks = false;   ///< RRF instead of weighted scores.
  int rrf_k = 60;
  /// The results' contents together take no more (token_budget.hpp); nothing: as much as they take.
  std::optional<std::size_t> tokens;
};

struct RecalledMemory {
  Memory memory;  ///< Without its vector.
  std::size_t rank = 1;
  double score = 0;
  std::map<std::string, double> strategy_scores;
  std::vector<SignalScore> signals;  ///< Where fusion is `weighted`.
};

/// What one arm did.
struct ArmReceipt {
  std::string arm;
  bool ran = false;
  std::string why;  ///< Why it was skipped.
  SearchPlan plan;
  std::size_t found = 0;
  std::optional<double> best;
  double milliseconds = 0;
};

/// What the ranking of the arms' hits looked at.
struct RankingReceipt {
  std::size_t candidates = 0;
  std::size_t context = 0;  ///< Neighbours in threads that were not ranked themselves.
  double milliseconds = 0;  ///< Reading and ranking.
};

/// How an answer came about: nothing is left out silently.
struct RecallReceipt {
  std::size_t asked = 0;
  std::size_t returned = 0;
  std::int64_t held = 0;              ///< Memories in the bank.
  std::string short_of;               ///< Why fewer came than were asked for; empty: they did not.
  std::optional<Timestamp> valid_at;  ///< Memories not valid then were left out; nothing: none.
  std::optional<TokenBudget> tokens;  ///< Where one was asked for.
  std::string fusion;                 ///< `weighted`, `rrf`, or the one arm's name
  std::vector<ArmReceipt> arms;
  std::optional<RankingReceipt> ranking;              ///< Where fusion is `weighted`.
  std::vector<MemorySearch::DerivedStep> unfinished;  ///< Indexes that are still being built.
  double milliseconds = 0;
};

struct RecallAnswer {
  std::vector<RecalledMemory> results;
  RecallReceipt receipt;
};

/// What turns a question into a vector where it brings none and the bank has not seen it.
struct RecallModels {
  Embedder* embedder = nullptr;  ///< Used when its model is the bank's.
  std::string why_none;          ///< Why there is none: for the receipt.
  /// Keeps what it made of questions, where asking it costs more than that; nullptr: nowhere.
  EmbeddingCache* cache = nullptr;
  /// Words of the bank that mean nearly the same; nullptr: not known.
  const ranking::WordNeighbours* words = nullptr;
};

/// What vectors of questions may take in the cache: ten thousand of 1536 numbers.
inline constexpr std::int64_t question_cache_bytes = std::int64_t{64} << 20;

/// Finds the memories that a question is about, of those that are valid at the moment asked about.
/// Deterministic: same bank, same moment, same answer.
/// Errors: invalid_argument (empty question without a vector, unknown strategy, limit out of range,
/// a filter that validate() refuses, no tokens, a vector of another length than the bank's); those
/// of the bank.
[[nodiscard]] Result<RecallAnswer> recall(const Bank& bank, const RecallQuery& query,
                                          const RecallModels& models = {});

}  // namespace bb5
