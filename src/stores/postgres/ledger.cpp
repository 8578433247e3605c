#include "stores/postgres/ledger.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/copy_writer.hpp"

namespace bb5::postgres {
namespace {

class HeldLock final : public MigrationLock {
 public:
  explicit HeldLock(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  /// Whoever comes next finds it free. (Hanging up alone frees it too, a moment later.)
  ~HeldLock() override { static_cast<void>(connection_->run(Statement("ROLLBACK"))); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  std::unique_ptr<Connection> connection_;
};

constexpr std::string_view issue_columns =
    "run_id, file, batch_no, number, kind, ordinal, byte_from, pointer, code, message, raw";
constexpr int issue_column_count = 11;

/// Names of files and messages about damaged bytes may hold what no text column can.
std::string kept(std::string_view text) {
  return to_storable_utf8(text);
}

}  // namespace

Ledger::Ledger(const Database& database)
    : database_(database),
      look_up_(database.names().sql("SELECT count(*) FROM {bank}.migration_batches WHERE run_id = "
                                    "$1 AND file = $2 AND batch_no = $3")),
      holds_(database.names().sql(
          "SELECT count(*) FROM {bank}.migration_batches"
          " WHERE run_id = $1 AND file = $2 AND batch_no = $3 AND content_digest = $4")),
      insert_batch_(database.names().sql(
          "INSERT INTO {bank}.migration_batches (run_id, file, part, batch_no, first_ordinal, "
          "records, byte_from,"
          " byte_to, loaded, identical, rejected, quarantined, content_digest, conflicts_allowed)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")),
      insert_run_(database.names().sql("INSERT INTO {bank}.migration_runs (run_id, source, "
                                       "manifest_sha256, tool_version, options, state, started,"
                                       " ended) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")),
      insert_file_(database.names().sql(
          "INSERT INTO {bank}.migration_files (run_id, ordinal, file, part, sha256, bytes, records)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7)")),
      runs_(database.names().sql(
          "SELECT run_id, source, manifest_sha256, tool_version, options, state, started, ended"
          " FROM {bank}.migration_runs ORDER BY ordinal DESC")),
      files_(database.names().sql("SELECT run_id, file, part, sha256, bytes, records"
                                  " FROM {bank}.migration_files ORDER BY run_id, ordinal")),
      finish_file_(database.names().sql(
          "UPDATE {bank}.migration_files SET records = $3 WHERE run_id = $1 AND file = $2")),
      set_state_(database.names().sql(
          "UPDATE {bank}.migration_runs SET state = $2, ended = $3 WHERE run_id = $1")),
      batches_(database.names().sql("SELECT file, part, batch_no, first_ordinal, records, "
                                    "byte_from, byte_to, loaded, identical, rejected,"
                                    " quarantined, content_digest, conflicts_allowed FROM "
                                    "{bank}.migration_batches WHERE run_id = $1"
                                    " ORDER BY file COLLATE \"C\", batch_no")),
      issues_(database.names().sql(
          "SELECT file, kind, ordinal, byte_from, pointer, code, message, raw FROM "
          "{bank}.migration_issues"
          " WHERE run_id = $1 ORDER BY file COLLATE \"C\", ordinal, batch_no, number LIMIT $2")) {}

Command Ledger::look_up(const LedgerBatch& batch) const {
  return {look_up_, Params().uuid(batch.run.uuid).text(kept(batch.file)).int8(batch.batch_no)};
}

Error Ledger::already_there(const LedgerBatch& batch) {
  return {Errc::conflict,
          fmt::format("batch {} of {} is in the ledger already", batch.batch_no, batch.file)};
}

Result<LedgerBatch> Ledger::counted(const LedgerBatch& given,
                                    std::span<const WriteAction> actions) {
  LedgerBatch batch = given;
  std::int64_t conflicts = 0;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i] == WriteAction::identical) {
      ++batch.identical;
    } else if (actions[i] != WriteAction::conflict) {
      ++batch.loaded;
    } else {
      ++conflicts;
      ++batch.rejected;
      const auto place = i < batch.places.size() ? batch.places[i] : LedgerBatch::Place{};
      batch.issues.push_back({.kind = LedgerIssue::Kind::rejected,
                              .ordinal = place.ordinal,
                              .byte_from = place.byte_from,
                              .code = "conflict",
                              .message = "the bank holds another record under this id"});
    }
  }
  if (conflicts > batch.conflicts_allowed) {
    return Error{Errc::conflict,
                 fmt::format("{} records differ from what the bank holds, {} are allowed",
                             conflicts, batch.conflicts_allowed)};
  }
  if (batch.records != batch.loaded + batch.identical + batch.rejected + batch.quarantined) {
    return Error{
        Errc::internal,
        fmt::format("the ledger's counts do not add up: {} records, {} loaded, {} identical, "
                    "{} rejected, {} quarantined",
                    batch.records, batch.loaded, batch.identical, batch.rejected,
                    batch.quarantined)};
  }
  return batch;
}

Result<> Ledger::write(Transaction& transaction, const LedgerBatch& batch) const {
  auto row = transaction.run(insert_batch_, Params()
                                                .uuid(batch.run.uuid)
                                                .text(kept(batch.file))
                                                .int2(static_cast<std::int16_t>(batch.part))
                                                .int8(batch.batch_no)
                                                .int8(batch.first_ordinal)
                                                .int8(batch.records)
                                                .int8(batch.byte_from)
                                                .int8(batch.byte_to)
                                                .int8(batch.loaded)
                                                .int8(batch.identical)
                                                .int8(batch.rejected)
                                                .int8(batch.quarantined)
                                                .bytes(batch.content_digest)
                                                .int8(batch.conflicts_allowed));
  if (!row) {
    if (transaction.connection().failure().is("23505")) return already_there(batch);
    return std::move(row).error();
  }
  CopyWriter copy(transaction, database_.names().sql("{bank}.migration_issues"),
                  std::string(issue_columns), issue_column_count);
  std::int32_t number = 0;
  for (const LedgerIssue& issue : batch.issues) {
    FieldWriter& fields = copy.row();
    fields.uuid(batch.run.uuid);
    fields.text(kept(batch.file));
    fields.int8(batch.batch_no);
    fields.int4(number++);
    fields.int2(static_cast<std::int16_t>(issue.kind));
    fields.int8(issue.ordinal);
    fields.int8(issue.byte_from);
    fields.text(kept(issue.pointer));
    fields.text(kept(issue.code));
    fields.text(kept(issue.message));
    fields.bytes(issue.raw);
    BB5_TRY(copy.send_if_full());
  }
  return copy.finish();
}

Result<bool> Ledger::holds(const LedgerBatch& batch) const {
  auto rows = database_.read("look for a batch in the ledger", holds_,
                             Params()
                                 .uuid(batch.run.uuid)
                                 .text(kept(batch.file))
                                 .int8(batch.batch_no)
                                 .bytes(batch.content_digest));
  if (!rows) return std::move(rows).error();
  return rows->int8(0, 0) == 1;
}

Result<> Ledger::insert_run(Transaction& transaction, const LedgerRun& run) const {
  std::vector<Command> commands;
  commands.push_back({insert_run_, Params()
                                       .uuid(run.run.uuid)
                                       .text(kept(run.source))
                                       .bytes(run.manifest_sha256)
                                       .text(kept(run.tool_version))
                                       .text(kept(run.options))
                                       .int2(static_cast<std::int16_t>(run.state))
                                       .timestamptz(run.started)
                                       .optional(run.ended)});
  std::int32_t ordinal = 0;
  for (const LedgerFile& file : run.files) {
    commands.push_back({insert_file_, Params()
                                          .uuid(run.run.uuid)
                                          .int4(ordinal++)
                                          .text(kept(file.file))
                                          .int2(static_cast<std::int16_t>(file.part))
                                          .bytes(file.sha256)
                                          .int8(file.bytes)
                                          .int8(file.records)});
  }
  transaction.number_with_next_run();
  auto written = transaction.run(commands);
  if (written) return ok();
  if (transaction.connection().failure().is("23505")) {
    return Error{Errc::conflict, fmt::format("the ledger has run {} already", run.run.to_string())};
  }
  return std::move(written).error();
}

Result<> Ledger::begin_run(const LedgerRun& run) const {
  return database_.transact<std::monostate>("begin a migration run", [&](Transaction& transaction) {
    return insert_run(transaction, run);
  });
}

Result<> Ledger::restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) const {
  return database_.transact<std::monostate>("restore a migration run",
                                            [&](Transaction& transaction) -> Result<> {
                                              BB5_TRY(insert_run(transaction, run));
                                              for (const LedgerBatch& batch : batches)
                                                BB5_TRY(write(transaction, batch));
                                              return ok();
                                            });
}

Result<std::vector<LedgerRun>> Ledger::runs() const {
  const Command commands[] = {{runs_}, {files_}};
  auto answers = database_.read("read the migration runs", commands);
  if (!answers) return std::move(answers).error();
  const Rows& rows = (*answers)[0];
  const Rows& files = (*answers)[1];
  std::vector<LedgerRun> runs;
  for (int row = 0; row < rows.size(); ++row) {
    LedgerRun run;
    run.run.uuid = rows.uuid(row, 0);
    run.source = rows.text(row, 1);
    run.manifest_sha256 = rows.text(row, 2);
    run.tool_version = rows.text(row, 3);
    run.options = rows.text(row, 4);
    run.state = static_cast<RunState>(rows.int2(row, 5));
    run.started = rows.timestamptz(row, 6);
    run.ended = rows.optional_timestamptz(row, 7);
    for (int line = 0; line < files.size(); ++line) {
      if (files.uuid(line, 0) != run.run.uuid) continue;
      run.files.push_back({.file = files.text(line, 1),
                           .part = static_cast<LedgerPart>(files.int2(line, 2)),
                           .sha256 = files.text(line, 3),
                           .bytes = files.int8(line, 4),
                           .records = files.int8(line, 5)});
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

Result<> Ledger::finish_file(const RunId& run, std::string_view file, std::int64_t records) const {
  BB5_TRY(database_.read("finish a file of a migration run", finish_file_,
                         Params().uuid(run.uuid).text(kept(file)).int8(records)));
  return ok();
}

Result<> Ledger::set_run_state(const RunId& run, RunState state,
                               std::optional<Timestamp> ended) const {
  auto rows = database_.read(
      "set a migration run's state", set_state_,
      Params().uuid(run.uuid).int2(static_cast<std::int16_t>(state)).optional(ended));
  if (!rows) return std::move(rows).error();
  if (rows->affected() == 0)
    return Error{Errc::not_found, fmt::format("there is no run {}", run.to_string())};
  return ok();
}

Result<std::vector<LedgerBatch>> Ledger::batches(const RunId& run) const {
  auto rows = database_.read("read a run's batches", batches_, Params().uuid(run.uuid));
  if (!rows) return std::move(rows).error();
  std::vector<LedgerBatch> batches;
  for (int row = 0; row < rows->size(); ++row) {
    LedgerBatch batch;
    batch.run = run;
    batch.file = rows->text(row, 0);
    batch.part = static_cast<LedgerPart>(rows->int2(row, 1));
    batch.batch_no = rows->int8(row, 2);
    batch.first_ordinal = rows->int8(row, 3);
    batch.records = rows->int8(row, 4);
    batch.byte_from = rows->int8(row, 5);
    batch.byte_to = rows->int8(row, 6);
    batch.loaded = rows->int8(row, 7);
    batch.identical = rows->int8(row, 8);
    batch.rejected = rows->int8(row, 9);
    batch.quarantined = rows->int8(row, 10);
    batch.content_digest = rows->text(row, 11);
    batch.conflicts_allowed = rows->int8(row, 12);
    batches.push_back(std::move(batch));
  }
  return batches;
}

Result<std::vector<MigrationLedger::FileIssue>> Ledger::issues(const RunId& run,
                                                               std::size_t limit) const {
  auto rows =
      database_.read("read a run's issues", issues_, Params().uuid(run.uuid).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) {
    return MigrationLedger::FileIssue{rows->text(row, 0),
                                      {.kind = static_cast<LedgerIssue::Kind>(rows->int2(row, 1)),
                                       .ordinal = rows->int8(row, 2),
                                       .byte_from = rows->int8(row, 3),
                                       .pointer = rows->text(row, 4),
                                       .code = rows->text(row, 5),
                                       .message = rows->text(row, 6),
                                       .raw = rows->text(row, 7)}};
  });
}

Result<std::unique_ptr<MigrationLock>> take_lock(const Database& database,
                                                 std::string_view purpose) {
  auto connection = database.pool().open_own(std::chrono::seconds(30));
  if (!connection) return std::move(connection).error();
  const Statement begin("BEGIN");
  // A machine that vanishes without a word loses the lock after about a minute.
  const Statement notice_death(
      "SELECT set_config('tcp_keepalives_idle', '30', true), set_config('tcp_keepalives_interval', "
      "'10', true), set_config('tcp_keepalives_count', '3', true)");
  const Statement lock("SELECT pg_try_advisory_xact_lock($1)");
  // Last, and no SELECT: a SELECT's portal would keep its snapshot until the next statement, and
  // with it hold back VACUUM and CREATE INDEX CONCURRENTLY.
  const Statement stay("SET LOCAL idle_in_transaction_session_timeout = 0");
  const Command commands[] = {
      {begin}, {notice_death}, {lock, Params().int8(database.names().lock_key(purpose))}, {stay}};
  const auto answers = (*connection)->run(commands);
  if (!answers) return (*connection)->error(fmt::format("take the {} lock", purpose));
  if (!(*answers)[2].boolean(0, 0)) {
    return Error{Errc::locked,
                 fmt::format("another {} works on bank {}", purpose, database.names().bank()),
                 "wait until it is done"};
  }
  return std::unique_ptr<MigrationLock>(std::make_unique<HeldLock>(std::move(*connection)));
}

}  // namespace bb5::postgres
