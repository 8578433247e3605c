#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "ports/memory_store.hpp"
#include "ports/migration_ledger.hpp"
#include "stores/embedded/connection.hpp"

/// The ledger of migrations and the cache of embeddings as rows.
namespace bb5::embedded {

/// Writes the ledger's row with its counts and issues, within the transaction of what it counts.
/// Errors: conflict.
Result<> write_ledger_batch(Connection& connection, const LedgerBatch& given,
                            std::span<const WriteAction> actions);

Result<> insert_run(Connection& connection, const LedgerRun& run);
Result<> insert_restored_run(Connection& connection, const LedgerRun& run,
                             std::span<const LedgerBatch> batches);
Result<std::vector<LedgerRun>> read_runs(Connection& connection);
Result<> update_file_records(Connection& connection, const RunId& run, std::string_view file,
                             std::int64_t records);
Result<> update_run_state(Connection& connection, const RunId& run, RunState state,
                          std::optional<Timestamp> ended);
Result<std::vector<LedgerBatch>> read_batches(Connection& connection, const RunId& run);
Result<std::vector<MigrationLedger::FileIssue>> read_issues(Connection& connection,
                                                            const RunId& run, std::size_t limit);

Result<std::vector<WriteAction>> put_cached_embeddings(
    Connection& connection, std::span<const EmbeddingCache::Entry> entries);
Result<std::optional<std::vector<float>>> read_cached_embedding(Connection& connection,
                                                                std::string_view model,
                                                                std::string_view text_md5);
Result<std::vector<EmbeddingCache::Entry>> page_of_cached_embeddings(Connection& connection,
                                                                     std::string_view after_model,
                                                                     std::string_view after_md5,
                                                                     std::size_t limit);

/// Then those used longest ago go, beyond `limit_bytes`.
Result<> put_computed_embeddings(Connection& connection,
                                 std::span<const EmbeddingCache::Entry> entries, Timestamp used,
                                 std::int64_t limit_bytes);
/// True: the last noted use of this computed vector is long ago.
Result<bool> use_is_worth_noting(Connection& connection, std::string_view model,
                                 std::string_view text_md5, Timestamp used);
Result<> update_use(Connection& connection, std::string_view model, std::string_view text_md5,
                    Timestamp used);

}  // namespace bb5::embedded
