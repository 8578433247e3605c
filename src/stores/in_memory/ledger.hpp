#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "ports/migration_ledger.hpp"
#include "stores/in_memory/state.hpp"

/// The ledger of migrations.
namespace bb5::in_memory {

/// Writes the ledger's row with its counts and issues, after what it counts. Errors: conflict.
Result<> write_ledger_batch(State& state, const LedgerBatch& given,
                            std::span<const WriteAction> actions);

/// Errors: conflict.
Result<> restore_run(State& state, const LedgerRun& run, std::span<const LedgerBatch> batches);
[[nodiscard]] std::vector<LedgerRun> read_runs(const State& state);
void update_file_records(State& state, const RunId& run, std::string_view file,
                         std::int64_t records);
/// Errors: not_found.
Result<> update_run_state(State& state, const RunId& run, RunState run_state,
                          std::optional<Timestamp> ended);
[[nodiscard]] std::vector<LedgerBatch> read_batches(const State& state, const RunId& run);
[[nodiscard]] std::vector<MigrationLedger::FileIssue> read_issues(const State& state,
                                                                  const RunId& run,
                                                                  std::size_t limit);

}  // namespace bb5::in_memory
