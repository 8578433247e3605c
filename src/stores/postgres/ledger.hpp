#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ports/memory_store.hpp"
#include "ports/migration_ledger.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// The migration ledger's tables.
class Ledger {
 public:
  explicit Ledger(const Database& database);

  /// Whether the batch is there already: to run first in a transaction that would write it.
  [[nodiscard]] Command look_up(const LedgerBatch& batch) const;
  /// The error to give when look_up() or the insertion found it there.
  [[nodiscard]] static Error already_there(const LedgerBatch& batch);
  /// Counts what became of the batch's items and names each conflict.
  /// Errors: conflict, more of them than are allowed; internal, the sums do not add up.
  [[nodiscard]] static Result<LedgerBatch> counted(const LedgerBatch& batch,
                                                   std::span<const WriteAction> actions);
  /// Writes the row and its issues.
  Result<> write(Transaction& transaction, const LedgerBatch& batch) const;
  /// Whether the row is there, with the same digest: asked after a lost COMMIT.
  Result<bool> holds(const LedgerBatch& batch) const;

  Result<> begin_run(const LedgerRun& run) const;
  Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) const;
  Result<std::vector<LedgerRun>> runs() const;
  Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) const;
  Result<> set_run_state(const RunId& run, RunState state, std::optional<Timestamp> ended) const;
  Result<std::vector<LedgerBatch>> batches(const RunId& run) const;
  Result<std::vector<MigrationLedger::FileIssue>> issues(const RunId& run, std::size_t limit) const;

 private:
  Result<> insert_run(Transaction& transaction, const LedgerRun& run) const;

  const Database& database_;
  Statement look_up_;
  Statement holds_;
  Statement insert_batch_;
  Statement insert_run_;
  Statement insert_file_;
  Statement runs_;
  Statement files_;
  Statement finish_file_;
  Statement set_state_;
  Statement batches_;
  Statement issues_;
};

/// A lock of this bank that only one session of all processes has. It is an open transaction on a
/// connection of its own with a transaction-level advisory lock, so that a pooler in transaction
/// mode cannot hand the session to others meanwhile; it reads nothing, and so holds back no VACUUM.
/// Errors: locked.
Result<std::unique_ptr<MigrationLock>> take_lock(const Database& database,
                                                 std::string_view purpose);

}  // namespace bb5::postgres
