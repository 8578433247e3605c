#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "operations/migrate/migration.hpp"
#include "ports/bank.hpp"
#include "ports/memory_source.hpp"

namespace bb5 {

/// One thing in which source and store (or the store's graph tables and their facts) differ.
struct Difference {
  std::string id;     ///< Legacy id of the memory, key of the graph row, MD5 of the cached text.
  std::string field;  ///< `content`, `embedding[912]`, …; `missing` or `extra` for a whole record.
  std::string source;  ///< The value in the source…
  std::string target;  ///< …and in the store, floats with their bits, texts cut.
};

struct VerificationReport {
  RunId run;                                   ///< The run that is verified.
  bool source_changed = false;                 ///< The source is no longer what that run read.
  std::map<LedgerPart, PartCounts> parts;      ///< What became of the run's records…
  std::map<std::string, std::int64_t> issues;  ///< …and its remarks, by code: both by the ledger.
  std::int64_t memories = 0;         ///< Records compared field by field, vectors bit by bit…
  std::int64_t dropped_vectors = 0;  ///< …but those of so many, which `reembed` dropped.
  std::int64_t entity_facts = 0;
  std::int64_t relationship_facts = 0;
  std::int64_t cached_embeddings = 0;
  std::int64_t differing = 0;           ///< Number of differences…
  std::vector<Difference> differences;  ///< …and the first 1,000 of them.
  GraphCounts graph;
  bool counts_add_up = true;
  [[nodiscard]] bool verified() const { return differing == 0 && counts_add_up && !source_changed; }
};

using VerifyProgress =
    std::function<bool(std::int64_t records, std::int64_t bytes, std::int64_t of)>;

/// Reads the source again and compares every record with what the bank holds: all fields, the
/// vector's bits, facts and cached vectors; then folds the bank's facts anew and compares entities,
/// relationships and mentions with its tables; and checks that the ledger's counts add up. Needs no
/// trust in anything that the load computed. Errors: not_found when the bank knows no run of this
/// source; cancelled.
[[nodiscard]] Result<VerificationReport> verify_migration(const MemorySource& source,
                                                          const std::string& source_name,
                                                          Bank& bank,
                                                          const std::string& source_model,
                                                          const VerifyProgress& progress);

/// The last part alone: the bank's graph tables against a fresh fold of its facts.
[[nodiscard]] Result<std::vector<Difference>> verify_graph_tables(const Bank& bank);

}  // namespace bb5
