#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "ports/memory_search.hpp"

namespace bb5 {

enum class VectorIndexKind : std::uint8_t { none, hnsw, ivfflat };

/// `exact`, `hnsw`, `ivfflat`: what answers.
[[nodiscard]] constexpr std::string_view name_of(VectorIndexKind kind) {
  switch (kind) {
    case VectorIndexKind::hnsw:
      return "hnsw";
    case VectorIndexKind::ivfflat:
      return "ivfflat";
    case VectorIndexKind::none:
      break;
  }
  return "exact";
}

/// The approximate index by which a bank finds nearest vectors, if it has one. It is derived:
/// derive() makes and mends it. Threads and common errors as MemoryStore.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// What is chosen for a bank.
  struct Choice {
    /// Nothing: the store decides, by how long an exact search takes.
    std::optional<VectorIndexKind> kind;
    std::int32_t m = 0;      ///< HNSW: neighbours of a node, 4 to 64; 0: the store's choice.
    std::int32_t lists = 0;  ///< IVFFlat: 1 to 32,768; 0: the store's choice.
    bool operator==(const Choice&) const = default;
  };

  struct Status {
    VectorIndexKind kind = VectorIndexKind::none;  ///< that answers now
    std::optional<VectorIndexKind> chosen;         ///< Choice::kind
    std::int32_t m = 0;                            ///< of the index that is there; HNSW
    std::int32_t ef_construction = 0;              ///< HNSW
    std::int32_t lists = 0;                        ///< IVFFlat
    std::int32_t effort = 0;       ///< `ef_search` or `probes` of each search; 0: exact
    std::int64_t bytes = 0;        ///< of the index
    std::int64_t vectors = 0;      ///< that can be found
    std::int64_t built_for = 0;    ///< of these, in the index; -1: the store does not tell
    std::int64_t tail = 0;         ///< the others, which are searched besides
    std::optional<double> recall;  ///< recall@10 with that effort, when it was measured last
  };
  virtual Result<Status> vector_index() const = 0;

  /// As MemorySearch::nearest() without a filter, but exact, whatever index there is.
  virtual Result<SearchResult> nearest_exact(const QueryVector& query, std::size_t k) const = 0;
  /// As MemorySearch::nearest() without a filter, but with that effort.
  virtual Result<SearchResult> nearest_with(std::int32_t effort, const QueryVector& query,
                                            std::size_t k) const = 0;

  /// From now on searches make that effort, which gave that recall@10.
  /// Errors: invalid_argument (below 1, or more than the store can take).
  virtual Result<> set_effort(std::int32_t effort, double recall) = 0;

  /// Records the choice and makes the index anew, or removes it. What derive() says of progress
  /// holds. Errors: invalid_argument; unsupported (a kind that this store has not, or not for
  /// vectors of that length); locked; cancelled (the choice stands, derive() goes on).
  virtual Result<> rebuild_index(const Choice& choice,
                                 const MemorySearch::DeriveProgress& progress) = 0;
};

}  // namespace bb5
