#include "stores/embedded/ledger_rows.hpp"

#include <fmt/format.h>

#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

/// Adds what the store did to what was known before. Returns the number of conflicts.
std::int64_t count_actions(LedgerBatch& batch, std::span<const WriteAction> actions) {
  std::int64_t conflicts = 0;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    switch (actions[i]) {
      case WriteAction::inserted:
      case WriteAction::replaced:
        ++batch.loaded;
        break;
      case WriteAction::identical:
        ++batch.identical;
        break;
      case WriteAction::conflict: {
        ++conflicts;
        ++batch.rejected;
        const auto place = i < batch.places.size() ? batch.places[i] : LedgerBatch::Place{};
        batch.issues.push_back({.kind = LedgerIssue::Kind::rejected,
                                .ordinal = place.ordinal,
                                .byte_from = place.byte_from,
                                .pointer = {},
                                .code = "conflict",
                                .message = "the bank holds another record under this id",
                                .raw = {}});
        break;
      }
    }
  }
  return conflicts;
}

Result<> insert_batch(Connection& connection, const LedgerBatch& batch) {
  BB5_TRY(connection.run(
      "INSERT INTO batches (run, file, batch_no, part, first_ordinal, records, byte_from, byte_to, "
      "loaded, "
      "identical, rejected, quarantined, content_digest, conflicts_allowed) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      batch.run, batch.file, batch.batch_no, batch.part, batch.first_ordinal, batch.records,
      batch.byte_from, batch.byte_to, batch.loaded, batch.identical, batch.rejected,
      batch.quarantined, Blob{batch.content_digest}, batch.conflicts_allowed));
  for (const LedgerIssue& issue : batch.issues) {
    BB5_TRY(connection.run(
        "INSERT INTO issues (run, file, ordinal, kind, byte_from, pointer, code, message, raw) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        batch.run, batch.file, issue.ordinal, issue.kind, issue.byte_from, issue.pointer,
        issue.code, issue.message, Blob{issue.raw}));
  }
  return ok();
}

}  // namespace

Result<> write_ledger_batch(Connection& connection, const LedgerBatch& given,
                            std::span<const WriteAction> actions) {
  LedgerBatch batch = given;
  auto held =
      connection.integer("SELECT count(*) FROM batches WHERE run = ? AND file = ? AND batch_no = ?",
                         batch.run, batch.file, batch.batch_no);
  if (!held) return std::move(held).error();
  if (*held != 0) {
    return Error{Errc::conflict, fmt::format("batch {} of {} is in the ledger already",
                                             batch.batch_no, batch.file)};
  }
  const std::int64_t conflicts = count_actions(batch, actions);
  if (conflicts > batch.conflicts_allowed) {
    return Error{Errc::conflict,
                 fmt::format("{} records differ from what the bank holds, {} are allowed",
                             conflicts, batch.conflicts_allowed)};
  }
  if (batch.records != batch.loaded + batch.identical + batch.rejected + batch.quarantined) {
    return Error{
        Errc::internal,
        fmt::format(
            "batch {} of {}: {} records, but {} loaded, {} identical, {} rejected, {} quarantined",
            batch.batch_no, batch.file, batch.records, batch.loaded, batch.identical,
            batch.rejected, batch.quarantined)};
  }
  return insert_batch(connection, batch);
}

Result<> insert_run(Connection& connection, const LedgerRun& run) {
  auto held = connection.integer("SELECT count(*) FROM runs WHERE run = ?", run.run);
  if (!held) return std::move(held).error();
  if (*held != 0) {
    return Error{Errc::conflict,
                 fmt::format("run {} is in the ledger already", run.run.to_string())};
  }
  BB5_TRY(connection.run(
      "INSERT INTO runs (run, source, manifest_sha256, tool_version, options, state, started, "
      "ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      run.run, run.source, Blob{run.manifest_sha256}, run.tool_version, run.options, run.state,
      run.started, run.ended));
  for (const LedgerFile& file : run.files) {
    BB5_TRY(connection.run(
        "INSERT INTO run_files (run, file, part, sha256, bytes, records) VALUES (?, ?, ?, ?, ?, ?)",
        run.run, file.file, file.part, Blob{file.sha256}, file.bytes, file.records));
  }
  return ok();
}

Result<> insert_restored_run(Connection& connection, const LedgerRun& run,
                             std::span<const LedgerBatch> batches) {
  BB5_TRY(insert_run(connection, run));
  for (LedgerBatch batch : batches) {
    batch.run = run.run;
    BB5_TRY(insert_batch(connection, batch));
  }
  return ok();
}

Result<std::vector<LedgerRun>> read_runs(Connection& connection) {
  std::vector<LedgerRun> runs;
  BB5_TRY(connection.each(
      "SELECT run, source, manifest_sha256, tool_version, options, state, started, ended FROM runs "
      "ORDER BY started DESC, place DESC",
      [&](const Row& row) {
        LedgerRun run;
        run.run = {row.uuid(0)};
        run.source = row.string(1);
        run.manifest_sha256 = row.blob(2);
        run.tool_version = row.string(3);
        run.options = row.string(4);
        run.state = static_cast<RunState>(row.integer(5));
        run.started = Timestamp(std::chrono::microseconds(row.integer(6)));
        run.ended = row.maybe_time(7);
        runs.push_back(std::move(run));
      }));
  for (LedgerRun& run : runs) {
    BB5_TRY(connection.each(
        "SELECT file, part, sha256, bytes, records FROM run_files WHERE run = ? ORDER BY place",
        [&](const Row& row) {
          run.files.push_back({.file = row.string(0),
                               .part = static_cast<LedgerPart>(row.integer(1)),
                               .sha256 = std::string(row.blob(2)),
                               .bytes = row.integer(3),
                               .records = row.integer(4)});
        },
        run.run));
  }
  return runs;
}

Result<> update_file_records(Connection& connection, const RunId& run, std::string_view file,
                             std::int64_t records) {
  return connection.run("UPDATE run_files SET records = ? WHERE run = ? AND file = ?", records, run,
                        file);
}

Result<> update_run_state(Connection& connection, const RunId& run, RunState state,
                          std::optional<Timestamp> ended) {
  BB5_TRY(connection.run("UPDATE runs SET state = ?, ended = ? WHERE run = ?", state, ended, run));
  if (connection.changes() == 0) {
    return Error{Errc::not_found, fmt::format("no run {}", run.to_string())};
  }
  return ok();
}

Result<std::vector<LedgerBatch>> read_batches(Connection& connection, const RunId& run) {
  std::vector<LedgerBatch> batches;
  BB5_TRY(connection.each(
      "SELECT file, batch_no, part, first_ordinal, records, byte_from, byte_to, loaded, identical, "
      "rejected, "
      "quarantined, content_digest, conflicts_allowed FROM batches WHERE run = ? ORDER BY file, "
      "batch_no",
      [&](const Row& row) {
        LedgerBatch batch;
        batch.run = run;
        batch.file = row.string(0);
        batch.batch_no = row.integer(1);
        batch.part = static_cast<LedgerPart>(row.integer(2));
        batch.first_ordinal = row.integer(3);
        batch.records = row.integer(4);
        batch.byte_from = row.integer(5);
        batch.byte_to = row.integer(6);
        batch.loaded = row.integer(7);
        batch.identical = row.integer(8);
        batch.rejected = row.integer(9);
        batch.quarantined = row.integer(10);
        batch.content_digest = row.blob(11);
        batch.conflicts_allowed = row.integer(12);
        batches.push_back(std::move(batch));
      },
      run));
  return batches;
}

Result<std::vector<MigrationLedger::FileIssue>> read_issues(Connection& connection,
                                                            const RunId& run, std::size_t limit) {
  std::vector<MigrationLedger::FileIssue> issues;
  BB5_TRY(connection.each(
      "SELECT file, kind, ordinal, byte_from, pointer, code, message, raw FROM issues WHERE run = "
      "? "
      "ORDER BY file, ordinal, place LIMIT ?",
      [&](const Row& row) {
        issues.push_back({.file = row.string(0),
                          .issue = {.kind = static_cast<LedgerIssue::Kind>(row.integer(1)),
                                    .ordinal = row.integer(2),
                                    .byte_from = row.integer(3),
                                    .pointer = row.string(4),
                                    .code = row.string(5),
                                    .message = row.string(6),
                                    .raw = std::string(row.blob(7))}});
      },
      run, limit_of(limit)));
  return issues;
}

Result<std::vector<WriteAction>> put_cached_embeddings(
    Connection& connection, std::span<const EmbeddingCache::Entry> entries) {
  std::vector<WriteAction> actions;
  for (const auto& entry : entries) {
    const auto bytes = bytes_of(entry.embedding);
    auto same = connection.first(
        "SELECT embedding = ? FROM embedding_cache WHERE model = ? AND text_md5 = ?",
        [](const Row& row) { return row.integer(0) != 0; }, Blob{bytes}, entry.model,
        entry.text_md5);
    if (!same) return std::move(same).error();
    if (*same && **same) {
      BB5_TRY(
          connection.run("UPDATE embedding_cache SET used_at = NULL WHERE model = ? AND text_md5 = "
                         "? AND used_at IS NOT NULL",
                         entry.model, entry.text_md5));
      actions.push_back(WriteAction::identical);
      continue;
    }
    BB5_TRY(connection.run(
        "INSERT INTO embedding_cache (model, text_md5, embedding) VALUES (?, ?, ?) "
        "ON CONFLICT (model, text_md5) DO UPDATE SET embedding = excluded.embedding, "
        "used_at = NULL",
        entry.model, entry.text_md5, Blob{bytes}));
    actions.push_back(*same ? WriteAction::replaced : WriteAction::inserted);
  }
  return actions;
}

Result<std::optional<std::vector<float>>> read_cached_embedding(Connection& connection,
                                                                std::string_view model,
                                                                std::string_view text_md5) {
  return connection.first(
      "SELECT embedding FROM embedding_cache WHERE model = ? AND text_md5 = ?",
      [](const Row& row) { return floats_of(row.blob(0)); }, model, text_md5);
}

Result<std::vector<EmbeddingCache::Entry>> page_of_cached_embeddings(Connection& connection,
                                                                     std::string_view after_model,
                                                                     std::string_view after_md5,
                                                                     std::size_t limit) {
  std::vector<EmbeddingCache::Entry> entries;
  BB5_TRY(connection.each(
      "SELECT text_md5, model, embedding FROM embedding_cache WHERE (model, text_md5) > (?, ?) "
      "AND used_at IS NULL ORDER BY model, text_md5 LIMIT ?",
      [&](const Row& row) {
        entries.push_back({.text_md5 = row.string(0),
                           .model = row.string(1),
                           .embedding = floats_of(row.blob(2))});
      },
      after_model, after_md5, limit_of(limit)));
  return entries;
}

Result<> put_computed_embeddings(Connection& connection,
                                 std::span<const EmbeddingCache::Entry> entries, Timestamp used,
                                 std::int64_t limit_bytes) {
  for (const auto& entry : entries) {
    BB5_TRY(connection.run(
        "INSERT INTO embedding_cache (model, text_md5, embedding, used_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (model, text_md5) DO NOTHING",
        entry.model, entry.text_md5, Blob{bytes_of(entry.embedding)}, used));
  }
  return connection.run(
      "DELETE FROM embedding_cache WHERE place IN (SELECT place FROM (SELECT place, "
      "sum(length(embedding)) OVER (ORDER BY used_at DESC, place DESC) AS bytes "
      "FROM embedding_cache WHERE used_at IS NOT NULL) WHERE bytes > ?)",
      limit_bytes);
}

Result<bool> use_is_worth_noting(Connection& connection, std::string_view model,
                                 std::string_view text_md5, Timestamp used) {
  auto old = connection.integer(
      "SELECT count(*) FROM embedding_cache WHERE model = ? AND text_md5 = ? AND used_at <= ?",
      model, text_md5, used - cache_use_step);
  if (!old) return std::move(old).error();
  return *old != 0;
}

Result<> update_use(Connection& connection, std::string_view model, std::string_view text_md5,
                    Timestamp used) {
  return connection.run(
      "UPDATE embedding_cache SET used_at = ?1 WHERE model = ?2 AND text_md5 = ?3 AND used_at < ?1",
      used, model, text_md5);
}

}  // namespace bb5::embedded
