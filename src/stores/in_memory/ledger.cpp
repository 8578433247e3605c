#include "stores/in_memory/ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bb5::in_memory {
namespace {

LedgerRun* find_run(State& state, const RunId& run) {
  const auto found = std::find_if(state.runs.begin(), state.runs.end(),
                                  [&](const LedgerRun& held) { return held.run == run; });
  return found == state.runs.end() ? nullptr : &*found;
}

LedgerIssue conflict_at(const LedgerBatch::Place& place) {
  return {.kind = LedgerIssue::Kind::rejected,
          .ordinal = place.ordinal,
          .byte_from = place.byte_from,
          .code = "conflict",
          .message = "the bank holds another record under this id"};
}

/// Returns how many of them are conflicts.
std::int64_t count_actions(LedgerBatch& batch, std::span<const WriteAction> actions) {
  std::int64_t conflicts = 0;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i] == WriteAction::identical) {
      ++batch.identical;
    } else if (actions[i] != WriteAction::conflict) {
      ++batch.loaded;
    } else {
      ++conflicts;
      ++batch.rejected;
      batch.issues.push_back(
          conflict_at(i < batch.places.size() ? batch.places[i] : LedgerBatch::Place{}));
    }
  }
  return conflicts;
}

}  // namespace

Result<> write_ledger_batch(State& state, const LedgerBatch& given,
                            std::span<const WriteAction> actions) {
  LedgerBatch batch = given;
  const std::int64_t conflicts = count_actions(batch, actions);
  if (conflicts > batch.conflicts_allowed) {
    return Error{Errc::conflict,
                 fmt::format("{} records differ from what the bank holds, {} are allowed",
                             conflicts, batch.conflicts_allowed)};
  }
  if (batch.records != batch.loaded + batch.identical + batch.rejected + batch.quarantined)
    return Error{Errc::internal, "the ledger's counts do not add up"};
  if (!state.batches.try_emplace({batch.run.uuid, batch.file, batch.batch_no}, batch).second) {
    return Error{Errc::conflict, fmt::format("batch {} of {} is in the ledger already",
                                             batch.batch_no, batch.file)};
  }
  return ok();
}

Result<> restore_run(State& state, const LedgerRun& run, std::span<const LedgerBatch> batches) {
  if (find_run(state, run.run) != nullptr)
    return Error{Errc::conflict, "the ledger has this run already"};
  state.runs.push_back(run);
  for (const LedgerBatch& batch : batches)
    state.batches.insert_or_assign({run.run.uuid, batch.file, batch.batch_no}, batch);
  return ok();
}

std::vector<LedgerRun> read_runs(const State& state) {
  return {state.runs.rbegin(), state.runs.rend()};
}

void update_file_records(State& state, const RunId& run, std::string_view file,
                         std::int64_t records) {
  LedgerRun* held = find_run(state, run);
  if (held == nullptr) return;
  for (LedgerFile& part : held->files) {
    if (part.file == file) part.records = records;
  }
}

Result<> update_run_state(State& state, const RunId& run, RunState run_state,
                          std::optional<Timestamp> ended) {
  LedgerRun* held = find_run(state, run);
  if (held == nullptr) return Error{Errc::not_found, "no such run"};
  held->state = run_state;
  held->ended = ended;
  return ok();
}

std::vector<LedgerBatch> read_batches(const State& state, const RunId& run) {
  std::vector<LedgerBatch> found;
  for (const auto& [key, batch] : state.batches) {
    if (batch.run != run) continue;
    found.push_back(batch);
    found.back().issues.clear();
    found.back().places.clear();
  }
  return found;
}

std::vector<MigrationLedger::FileIssue> read_issues(const State& state, const RunId& run,
                                                    std::size_t limit) {
  using FileIssue = MigrationLedger::FileIssue;
  std::vector<FileIssue> found;
  for (const auto& [key, batch] : state.batches) {
    if (batch.run != run) continue;
    for (const LedgerIssue& issue : batch.issues) found.push_back({batch.file, issue});
  }
  std::stable_sort(found.begin(), found.end(), [](const FileIssue& a, const FileIssue& b) {
    return std::tie(a.file, a.issue.ordinal) < std::tie(b.file, b.issue.ordinal);
  });
  if (found.size() > limit) found.resize(limit);
  return found;
}

}  // namespace bb5::in_memory
