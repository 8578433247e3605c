#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/bank.hpp"
#include "ports/memory_source.hpp"

namespace bb5 {

struct ImportReport {
  std::int64_t read = 0;
  std::int64_t inserted = 0;  ///< Memories.
  std::int64_t replaced = 0;
  std::int64_t identical = 0;
  std::int64_t facts = 0;              ///< Of entities and relationships, besides the memories.
  std::int64_t cached_embeddings = 0;  ///< Likewise.
  std::vector<std::string> failures;   ///< One line for each record of which nothing could be made.
};

/// Adds the records of a source to a bank; one whose id is held replaces what is there, in its
/// place. Ids, times, vectors and all else come along. Nothing is written to a ledger: for taking a
/// store over with proof there is run_migration.
[[nodiscard]] Result<ImportReport> import_records(const MemorySource& source, Bank& bank,
                                                  const std::string& source_model);

}  // namespace bb5
