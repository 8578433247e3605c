#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/memory_store.hpp"

namespace bb5 {

/// A memory found by one arm. Higher is better; equal scores in insertion order (seq ascending).
struct Hit {
  MemoryId id;
  std::int64_t seq = 0;
  double score = 0;
  bool operator==(const Hit&) const = default;
};

/// How an arm came to its hits: goes into the receipt.
struct SearchPlan {
  std::string index;  ///< `exact int8 → float`, `hnsw halfvec ef_search=100`, `fts5 bm25`, …
  bool exact = true;  ///< False: an approximate index answered.
  std::int64_t looked_at =
      0;  ///< Memories that the arm could have found (after the filter), -1 unknown.
};

/// What a search by meaning looks near to, for the length of the call.
struct QueryVector {
  template <class Numbers>
  requires std::convertible_to<const Numbers&, std::span<const float>> QueryVector(
      const Numbers& vector, std::string_view of_model = {})
      : numbers(vector), model(of_model) {}
  std::span<const float> numbers;
  std::string_view model;  ///< Empty: not said, the bank's.
};

struct SearchResult {
  std::vector<Hit> hits;
  SearchPlan plan;
};

/// Finds memories. Threads and common errors as MemoryStore. A filter never shortens an answer: of
/// those that an arm can find, as many come as match, up to k. Errors of both arms:
/// invalid_argument (validate() of the filter fails).
class MemorySearch {
 public:
  virtual ~MemorySearch() = default;

  /// The `k` memories whose vectors are nearest to `query` by cosine; those without an indexed
  /// vector never. score: float64 cosine over the stored vector, in [-1, 1]. query:
  /// embedder().dimension finite numbers, not all zero. Errors: invalid_argument; conflict when it
  /// is of another model than the bank's.
  virtual Result<SearchResult> nearest(const QueryVector& query, std::size_t k,
                                       const MemoryFilter& filter) const = 0;

  /// The `k` best matches for the words of `text` as ranking::asked_words() reads it (any of them;
  /// phrases, words that must not be there; English stems, parts of identifiers, ideographs), a
  /// positive score that grows with relevance. No words, or none occurs: no hits. Matches are found
  /// in the content and the author's name.
  virtual Result<SearchResult> keyword(std::string_view text, std::size_t k,
                                       const MemoryFilter& filter) const = 0;

  /// Steps that derive rows from memories after a load (search index, codes, term statistics), each
  /// resumable. `done` < `total`: recall says that it is unfinished.
  struct DerivedStep {
    std::string name;
    std::int64_t done = 0;
    std::int64_t total = 0;
    std::string state;  ///< `ready`, `building`, `waiting`
  };
  virtual Result<std::vector<DerivedStep>> derived_steps() const = 0;
  /// Does all unfinished steps; reports after each piece; stops with `cancelled` when it returns
  /// false.
  using DeriveProgress = std::function<bool(const DerivedStep&)>;
  virtual Result<> derive(const DeriveProgress& progress) = 0;
};

/// Vectors of texts seen before, by model and MD5 of the text: the imported
/// `.embedding_cache.json`, which is record, and what embedders computed since, which may go.
class EmbeddingCache {
 public:
  virtual ~EmbeddingCache() = default;
  struct Entry {
    std::string text_md5;  ///< 32 lower-case hex digits.
    std::string model;
    std::vector<float> embedding;
    bool operator==(const Entry&) const = default;
  };
  /// Imports; equal keys are replaced. With a ledger row: see WriteBatch; loaded and identical are
  /// counted.
  virtual Result<std::vector<WriteAction>> cache_embeddings(std::span<const Entry> entries,
                                                            const LedgerBatch* ledger) = 0;
  virtual Result<std::optional<std::vector<float>>> cached_embedding(
      std::string_view model, std::string_view text_md5) const = 0;
  /// The imported ones, in order of (model, text_md5), after that pair.
  virtual Result<std::vector<Entry>> cached_embeddings(std::string_view after_model,
                                                       std::string_view after_md5,
                                                       std::size_t limit) const = 0;

  /// Keeps computed vectors, last used at that moment; where one is held, it stays as it is. Then
  /// the computed ones that were used longest ago go, until the vectors of the others, 4 bytes a
  /// number, take at most `limit_bytes`. Imported ones never go.
  virtual Result<> keep_computed(std::span<const Entry> entries, Timestamp used,
                                 std::int64_t limit_bytes) = 0;
  /// Notes when a computed vector was used, no nearer than to the hour: a use soon after the last
  /// noted one writes nothing. One that is imported or gone is left alone.
  virtual Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) = 0;
};

/// Uses that are nearer to each other than this count as one.
inline constexpr auto cache_use_step = std::chrono::hours(1);

}  // namespace bb5
