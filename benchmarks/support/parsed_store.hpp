#pragma once

#include <string>
#include <vector>

#include "model/memory.hpp"
#include "ports/bank.hpp"
#include "tools/store_generator.hpp"

namespace bb5::bench {

/// The records of a generated store as a migration has them in hand: parsed, with their ledger row,
/// in transactions as a migration makes them.
struct ParsedBatch {
  LedgerBatch ledger;
  std::vector<Memory> memories;
  [[nodiscard]] WriteBatch to_write() const {
    return {.memories = memories, .fold = false, .ledger = &ledger};
  }
};
struct ParsedStore {
  LedgerRun run;
  std::vector<ParsedBatch> batches;
  [[nodiscard]] std::int64_t records() const;
};
/// batch_bytes: of JSON in a transaction, at most 1,000 records; the default is a migration's.
[[nodiscard]] ParsedStore parse_store(const StoreShape& shape, std::int64_t batch_bytes);
[[nodiscard]] std::int64_t default_batch_bytes();

/// Records the embedder and begins the run: what a migration does before its first batch.
void begin_load(Bank& bank, const ParsedStore& store, std::size_t dimension);

/// Writes all batches; gives up unless every record is new.
void load(Bank& bank, const ParsedStore& store);

/// What a whole migration of the file into the bank took: hashing, loading, graph, indexes, the
/// source once more, and the proof.
struct EndToEnd {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  double hash = 0;
  double load = 0;
  double graph = 0;
  double index = 0;
  double verify = 0;
  double all = 0;
  double peak_mib = 0;
};
[[nodiscard]] EndToEnd migrate_and_verify(const std::string& file, Bank& bank);

/// The columns that a report shows of it, and their names.
[[nodiscard]] std::vector<std::string> end_to_end_columns();
[[nodiscard]] std::vector<std::string> end_to_end_row(const EndToEnd& run);

/// A folder of its own, removed at the end; `in`: where, empty: where temporary files go.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& in = {});
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string file(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace bb5::bench
