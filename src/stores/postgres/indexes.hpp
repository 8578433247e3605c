#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "ports/vector_index.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/search.hpp"

namespace bb5::postgres {

struct IndexOptions {
  enum class Kind { automatic, none, hnsw, ivfflat };
  Kind kind = Kind::automatic;  ///< automatic: as the bank says; that: HNSW from `vectors_from` on.
  std::int64_t vectors_from = 20'000;
  std::int32_t m = 16;  ///< HNSW: neighbours of a node
  std::int32_t ef_construction = 64;
  std::int32_t ef_search = 100;
  std::int32_t lists = 0;   ///< IVFFlat; 0: rows / 1000, at least 10
  std::int32_t probes = 0;  ///< 0: the root of lists
  /// The most maintenance_work_mem that a build asks for; it takes what the rows need.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
};

/// What is derived from memories after a load: the keyword index, the planner's statistics, the
/// vector index. Indexes are built CONCURRENTLY, so writers go on; one whose build was cut off is
/// invalid and is built anew.
class Indexes {
 public:
  Indexes(const Database& database, const Search& search, IndexOptions options);

  Result<std::vector<MemorySearch::DerivedStep>> steps() const;
  /// For the transaction: nobody builds indexes meanwhile. Errors: locked, when somebody does.
  static Result<> keep_others_from_deriving(const Database& database, Transaction& transaction);
  /// Of the vectors' index, with {bank} still to be put in.
  static std::string drop_vectors_sql();

  Result<> derive(const MemorySearch::DeriveProgress& progress) const;

  Result<VectorIndex::Status> status() const;
  /// Errors: invalid_argument.
  Result<> set_effort(std::int32_t effort, double recall) const;
  /// Records what is chosen, drops the vector index, and derives.
  Result<> rebuild(const VectorIndex::Choice& choice,
                   const MemorySearch::DeriveProgress& progress) const;
  /// Before memories are added that are no bulk load: makes the keyword index while there are so
  /// few memories that this takes no time; a bank that only ever takes adds has no derive(). Looks
  /// once in the life of this object. Where it cannot be made, searches are slower and steps() says
  /// so.
  void make_words_early() const;

  /// Names of indexes of the bank that a broken-off build left behind.
  Result<std::vector<std::string>> invalid() const;

 private:
  struct State {
    std::int64_t memories = 0;
    std::int64_t vectors = 0;
    std::int32_t dimension = 0;
    std::string settings_index;
    bool words_valid = false;
    std::string vector_method;  // of a valid vector index: `hnsw`, `ivfflat`; empty: none
    bool analyzed = false;
    std::string choice;  // `automatic`, `none`, `hnsw`, `ivfflat`
    std::int32_t m = 0;
    std::int32_t lists = 0;
  };
  Result<State> look() const;
  [[nodiscard]] std::string wanted_method(const State& state) const;
  Result<> derive_all(const MemorySearch::DeriveProgress& progress) const;
  Result<> drop_vectors() const;
  Result<> record(const std::string& index, std::int32_t probes, std::int64_t built_for) const;
  Result<> build(std::string_view step, const std::string& name, const std::string& definition,
                 std::int64_t total, std::int64_t memory_bytes,
                 const MemorySearch::DeriveProgress& progress) const;
  Result<> build_words(const State& state, const MemorySearch::DeriveProgress& progress) const;
  Result<> build_vectors(const State& state, const MemorySearch::DeriveProgress& progress) const;
  Result<> analyze(const State& state, const MemorySearch::DeriveProgress& progress) const;

  const Database& database_;
  const Search& search_;
  const IndexOptions options_;
  Statement look_;
  Statement counts_;
  Statement invalid_;
  Statement progress_;
  Statement set_index_;
  Statement set_effort_;
  Statement choose_;
  Statement status_;
  Statement words_state_;
  mutable std::atomic<bool> words_looked_at_{false};
};

}  // namespace bb5::postgres
