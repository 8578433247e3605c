#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ports/memory_search.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// What bank_info says about searching: equal for every process.
struct SearchSettings {
  std::int32_t dimension = 0;
  std::string index = "none";  ///< `none`, `hnsw`, `ivfflat`
  std::int32_t ef_search = 100;
  std::int32_t probes = 1;
  std::string model;
};

/// The expression that a vector index holds and a query must repeat: of unit length first, so that
/// no number is out of halfvec's range.
[[nodiscard]] std::string indexed_expression(std::int32_t dimension);

/// The two arms that the store answers by itself.
///
/// nearest: pgvector finds candidates by its binary32 sums; they come back with their vectors, and
/// the order that counts is made here from float64 cosines. Without an index a few more than k are
/// asked for, and when the last of them is still within the sums' error of the k-th, all that are:
/// so the answer is that of brute force, ties included. Vectors too long or short for binary32 sums
/// (a partial index knows them) are always candidates.
///
/// keyword: any term of the question; a term counts ln(1 + (n - df + ½)/(df + ½)) times its
/// saturated frequency (ts_rank of it alone), over the document's length (b = ½), where n and df
/// count among the documents that hold any of the terms, so equal banks give equal scores.
class Search {
 public:
  explicit Search(const Database& database);

  /// effort: `ef_search` or `probes` instead of what the bank says; 0: exact.
  Result<SearchResult> nearest(const QueryVector& query, std::size_t k, const MemoryFilter& filter,
                               std::optional<std::int32_t> effort = {}) const;
  /// Errors: invalid_argument.
  static Result<> check_effort(std::int32_t effort);
  /// Whether nearest() would take the query. Errors: as there.
  Result<> check(const QueryVector& query) const;
  Result<SearchResult> keyword(std::string_view text, std::size_t k,
                               const MemoryFilter& filter) const;

  /// Read anew when older than some seconds.
  Result<SearchSettings> settings() const;
  /// The next search reads the settings first.
  void forget_settings() const;

  /// The statements, {bank} and {vector} still to be put in, and the LIMIT that they get for k: for
  /// tests of their plans, and to measure against. $1 the query in unit length, $2 the LIMIT, the
  /// filter from $3.
  [[nodiscard]] static std::string exact_sql(const MemoryFilter& filter);
  [[nodiscard]] static std::string indexed_sql(std::int32_t dimension, const MemoryFilter& filter);
  [[nodiscard]] static std::size_t exact_limit(std::size_t k) { return k + 8 + k / 4; }
  /// More than k, since halfvec's order is a little off and the vectors themselves decide.
  [[nodiscard]] static std::size_t indexed_limit(std::size_t k) { return k + 10 + k / 2; }

 private:
  struct Candidates;
  /// The settings, read anew where those that are known do not fit the query. Errors: conflict,
  /// invalid_argument.
  Result<SearchSettings> settings_for(const QueryVector& query) const;
  /// The commands' answers. Errors: conflict, when the bank's model is not that of the settings any
  /// more, so that the answers may be over vectors of another one.
  Result<std::vector<Rows>> run(const SearchSettings& settings,
                                std::vector<Command> commands) const;
  Result<Candidates> candidates(const SearchSettings& settings, std::span<const float> query,
                                std::size_t k, const MemoryFilter& filter) const;
  Result<Candidates> exact(const SearchSettings& settings, std::span<const float> query,
                           std::size_t k, const MemoryFilter& filter) const;
  Result<Candidates> indexed(const SearchSettings& settings, std::span<const float> query,
                             std::size_t k, const MemoryFilter& filter) const;

  const Database& database_;
  Statement settings_;

  mutable std::mutex mutex_;
  mutable SearchSettings known_;                               // guarded by mutex_
  mutable std::chrono::steady_clock::time_point known_since_;  // guarded by mutex_; zero: never
};

}  // namespace bb5::postgres
