#include "operations/migrate/migration.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/fail_point.hpp"
#include "operations/migrate/batch_maker.hpp"
#include "operations/migrate/foresight.hpp"

namespace bb5 {
namespace {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Hands batches from the reading thread to the writing one, at most two ahead: reading and parsing
/// go on while the store commits, and memory stays bounded.
class BatchQueue {
 public:
  /// False: the consumer gave up.
  bool push(PreparedBatch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() < 2 || abandoned_; });
    if (abandoned_) return false;
    batches_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }
  void finish(Result<> result) {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    finished_ = true;
    changed_.notify_all();
  }
  /// The next batch, nothing at the end.
  Result<std::optional<PreparedBatch>> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || finished_; });
    if (!batches_.empty()) {
      std::optional<PreparedBatch> batch(std::move(batches_.front()));
      batches_.pop_front();
      changed_.notify_all();
      return batch;
    }
    if (!result_) return result_.error();
    return std::optional<PreparedBatch>{};
  }
  void abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PreparedBatch> batches_;  // guarded by mutex_
  Result<> result_;                    // guarded by mutex_
  bool finished_ = false;              // guarded by mutex_
  bool abandoned_ = false;             // guarded by mutex_
};

void count_actions(const std::vector<WriteAction>& actions, LedgerBatch& ledger) {
  for (const WriteAction action : actions) {
    if (action == WriteAction::identical) ++ledger.identical;
    if (action == WriteAction::conflict) ++ledger.rejected;
    if (action == WriteAction::inserted || action == WriteAction::replaced) ++ledger.loaded;
  }
}

/// The newest of the runs that took this source over; end(): there is none.
auto last_run_of(const std::vector<LedgerRun>& runs, const std::string& source_name) {
  return std::find_if(runs.begin(), runs.end(),
                      [&](const LedgerRun& run) { return run.source == source_name; });
}

/// A run that is loaded but not verified was stopped on the way: it is gone on with too.
bool is_on_the_way(const LedgerRun& run, const Manifest& manifest) {
  return run.state == RunState::running ||
         (run.state == RunState::loaded && run.manifest_sha256 == manifest.sha256);
}

/// One run from begin to end; its members are what the phases share.
class Migration {
 public:
  Migration(const MemorySource& source, std::string source_name, Bank& bank,
            const MigrationOptions& options)
      : source_(source), source_name_(std::move(source_name)), bank_(bank), options_(options) {}

  Result<MigrationReport> run() {
    auto lock = bank_.lock_migration();
    if (!lock) return std::move(lock).error();
    BB5_TRY(phases());
    if (stopped() && begun_) BB5_TRY(note_stop());
    return std::move(report_);
  }

 private:
  Result<> phases() {
    BB5_TRY(hash());
    if (stopped()) return ok();
    BB5_TRY(begin());
    begun_ = true;
    if (stopped()) return ok();
    BB5_TRY(load());
    if (stopped()) return ok();
    BB5_TRY(derive());
    if (stopped()) return ok();
    BB5_TRY(prove_source_unchanged());
    if (stopped()) return ok();
    return bank_.set_run_state(report_.run, RunState::loaded, now());
  }

  [[nodiscard]] bool stopped() const { return report_.outcome != MigrationOutcome::loaded; }

  void stop(MigrationOutcome outcome, std::string reason, std::string remedy = {}) {
    report_.outcome = outcome;
    report_.reason = std::move(reason);
    report_.remedy = std::move(remedy);
  }

  /// So that `status` can tell it later: a remark on no file, in a batch without records.
  Result<> note_stop() {
    return write_remarks(
        "", LedgerPart::memories,
        {{.kind = LedgerIssue::Kind::warning,
          .ordinal = -1,
          .code = stopped_code,
          .message =
              report_.remedy.empty() ? report_.reason : report_.reason + "; " + report_.remedy}});
  }

  /// A batch of remarks alone, behind those that its file has.
  Result<> write_remarks(const std::string& file, LedgerPart part,
                         std::vector<LedgerIssue> remarks) {
    auto batches = bank_.batches(report_.run);
    if (!batches) return std::move(batches).error();
    LedgerBatch ledger{.run = report_.run, .file = file, .part = part};
    for (const LedgerBatch& batch : *batches) {
      if (batch.file != file) continue;
      ledger.batch_no = std::max(ledger.batch_no, batch.batch_no + 1);
      ledger.first_ordinal = std::max(ledger.first_ordinal, batch.first_ordinal + batch.records);
    }
    const Sha256 digest = Sha256Stream().finish();
    ledger.content_digest.assign(reinterpret_cast<const char*>(digest.data()), digest.size());
    ledger.issues = std::move(remarks);
    auto written = bank_.write({.fold = false, .ledger = &ledger});
    return written ? ok() : Result<>(std::move(written).error());
  }

  bool tell(const char* phase, std::int64_t done, std::int64_t total) {
    if (!options_.progress) return true;
    MigrationProgress progress{.phase = phase, .done = done, .total = total};
    PartCounts sum;
    for (const auto& [part, counts] : report_.parts) {
      sum.read += counts.read;
      sum.rejected += counts.rejected;
      sum.quarantined += counts.quarantined;
    }
    progress.records = sum.read;
    if (std::string_view(phase) == "load") {
      progress.rejected = sum.rejected;
      progress.quarantined = sum.quarantined;
    }
    return options_.progress(progress);
  }

  Result<> hash() {
    const Stopwatch watch;
    // The copy goes to a folder of the manifest's name, which is known only at its end.
    const auto unfinished = options_.backup_folder.empty() ? options_.backup_folder
                                                           : options_.backup_folder / "incoming";
    auto manifest = read_manifest(source_, unfinished, [&](std::int64_t done, std::int64_t of) {
      return tell("hash", done, of);
    });
    if (!manifest && manifest.error().code == Errc::cancelled) {
      stop(MigrationOutcome::interrupted, "stopped before anything was written");
      return ok();
    }
    if (!manifest) return std::move(manifest).error();
    manifest_ = std::move(*manifest);
    if (!unfinished.empty()) BB5_TRY(keep_copy(unfinished));
    report_.seconds_hash = watch.seconds();
    return ok();
  }

  Result<> keep_copy(const std::filesystem::path& unfinished) {
    const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(manifest_.sha256.data()), 8);
    report_.backup = options_.backup_folder / to_hex(bytes);
    std::error_code error;
    if (std::filesystem::exists(report_.backup)) {
      std::filesystem::remove_all(unfinished,
                                  error);  // the same bytes are there from an earlier run
    } else {
      std::filesystem::rename(unfinished, report_.backup, error);
      if (error)
        return Error{Errc::refused, fmt::format("cannot keep the copy of the source in {}: {}",
                                                report_.backup.string(), error.message())};
    }
    return ok();
  }

  /// The run to go on with, or a new one.
  Result<> begin() {
    BB5_TRY(choose_embedder());
    auto runs = bank_.runs();
    if (!runs) return std::move(runs).error();
    const auto last = last_run_of(*runs, source_name_);
    if (last != runs->end() && is_on_the_way(*last, manifest_) && !options_.restart) {
      if (last->manifest_sha256 != manifest_.sha256) {
        report_.run = last->run;
        stop(MigrationOutcome::source_changed,
             "the source is not what it was when the unfinished run began",
             "--restart gives that run up and begins a new one");
        return ok();
      }
      report_.run = last->run;
      report_.resumed = true;
      report_.files = last->files;
      return read_ledger();
    }
    LedgerRun run{.run = {Uuid::random()},
                  .source = source_name_,
                  .manifest_sha256 = manifest_.sha256,
                  .tool_version = options_.tool_version,
                  .options = "{}",
                  .state = RunState::running,
                  .started = now(),
                  .files = manifest_.files};
    report_.run = run.run;
    report_.files = run.files;
    BB5_TRY(bank_.begin_run(run));
    fail_point("migrate.run_begun");
    return ok();
  }

  Result<> choose_embedder() {
    auto held = bank_.embedder();
    if (!held) return std::move(held).error();
    if (held->dimension != 0) {
      embedder_ = *held;
      return ok();
    }
    auto found = embedder_of(source_, options_.source_model);
    if (!found) return std::move(found).error();
    embedder_ = *found;
    return embedder_.dimension == 0 ? ok() : bank_.set_embedder(embedder_);
  }

  Result<> read_ledger() {
    auto batches = bank_.batches(report_.run);
    if (!batches) return std::move(batches).error();
    for (const LedgerBatch& batch : *batches) {
      if (batch.file.empty()) continue;  // why an earlier attempt stopped
      report_.parts[batch.part].add(batch);
      Resume& resume = resume_[batch.file];
      resume.next_batch = std::max(resume.next_batch, batch.batch_no + 1);
      if (batch.records > 0)
        resume.next_ordinal = std::max(resume.next_ordinal, batch.first_ordinal + batch.records);
      resume.closed = resume.closed || batch.records == 0;
      bytes_before_ += batch.byte_to - batch.byte_from;
    }
    return ok();
  }

  Result<> load() {
    const Stopwatch watch;
    BatchQueue queue;
    std::jthread reading([&] {
      try {
        queue.finish(read_all(queue));
      } catch (const std::exception& exception) {
        queue.finish(
            Error{Errc::internal, fmt::format("reading the source failed: {}", exception.what())});
      }
    });
    auto written = write_all(queue);
    queue.abandon();
    reading.join();
    if (!written) return written;
    if (stopped()) return ok();
    for (const LedgerFile& file : manifest_.files) {
      BB5_TRY(bank_.finish_file(report_.run, file.file, records_[file.file]));
      for (LedgerFile& shown : report_.files) {
        if (shown.file == file.file) shown.records = records_[file.file];
      }
    }
    report_.vectors = vectors_;
    report_.seconds_load = watch.seconds();
    return ok();
  }

  /// On the reading thread. Touches only what no other thread does until it is joined.
  Result<> read_all(BatchQueue& queue) {
    RecordMapper mapper;
    auto files = source_.files();
    if (!files) return std::move(files).error();
    bool wanted = true;
    for (const MemorySource::File& file : *files) {
      if (!wanted) return ok();
      const std::string path = report_.backup.empty() ? source_.path_of(file.name)
                                                      : (report_.backup / file.name).string();
      auto reader =
          source_.open(file, path, {.embedder = embedder_, .source_model = options_.source_model});
      if (!reader) return std::move(reader).error();
      const auto resume = resume_.find(file.name);
      BatchMaker maker(report_.run, file, resume == resume_.end() ? Resume{} : resume->second,
                       options_, mapper, choices_);
      BB5_TRY(maker.read(
          **reader, [&](PreparedBatch batch) { return wanted = queue.push(std::move(batch)); }));
      records_[file.name] = maker.records();
      for (const auto& [length, count] : maker.vectors()) vectors_[length] += count;
    }
    return ok();
  }

  Result<> write_all(BatchQueue& queue) {
    std::int64_t bytes = bytes_before_;
    while (true) {
      auto batch = queue.pop();
      if (!batch) return std::move(batch).error();
      if (!*batch) return ok();
      fail_point("migrate.before_batch");
      BB5_TRY(write(**batch));
      if (stopped()) return ok();
      fail_point("migrate.after_batch");
      bytes += (*batch)->bytes;
      if (!tell("load", bytes, manifest_.bytes)) {
        stop(MigrationOutcome::interrupted,
             "stopped after the batch in hand; the same command goes on");
        return ok();
      }
    }
  }

  Result<> write(PreparedBatch& batch) {
    BB5_TRY(drop_held_by_content(bank_, batch));
    LedgerBatch& ledger = batch.ledger;
    std::int64_t rejected = 0;
    for (const auto& [part, counts] : report_.parts) rejected += counts.rejected;
    ledger.conflicts_allowed = options_.max_rejects - rejected;
    std::vector<WriteAction> actions;
    if (ledger.part == LedgerPart::embedding_cache) {
      auto written = bank_.cache_embeddings(batch.entries, &ledger);
      if (!written) return std::move(written).error();
      actions = std::move(*written);
    } else {
      auto written = bank_.write({.memories = batch.memories,
                                  .entity_facts = batch.entities,
                                  .relationship_facts = batch.relationships,
                                  .on_conflict = OnConflict::keep,
                                  .fold = false,
                                  .ledger = &ledger,
                                  .model = embedder_.model});
      if (!written && written.error().code == Errc::conflict)
        return stop_before(batch, rejected, std::move(written).error());
      if (!written) return std::move(written).error();
      actions = ledger.part == LedgerPart::memories   ? std::move(written->memories)
                : ledger.part == LedgerPart::entities ? std::move(written->entity_facts)
                                                      : std::move(written->relationship_facts);
    }
    count_actions(actions, ledger);
    report_.parts[ledger.part].add(ledger);
    if (!report_.parts[ledger.part].adds_up())
      return Error{Errc::internal, "the counts of the run do not add up"};
    return ok();
  }

  /// The batch would cross --max-rejects: names what is in the way. `rejected`: before this batch.
  Result<> stop_before(const PreparedBatch& batch, std::int64_t rejected, Error error) {
    auto actions = foresee(bank_, batch);
    if (!actions) return std::move(actions).error();
    report_.rejected = rejected_of(batch, *actions);
    const std::int64_t here = std::ssize(report_.rejected);
    if (here <= batch.ledger.conflicts_allowed) return error;  // another conflict than this
    constexpr std::size_t named = 3;
    std::string places;
    for (std::size_t i = 0; i < std::min(named, report_.rejected.size()); ++i) {
      const RejectedRecord& record = report_.rejected[i];
      places += fmt::format("{}record {} at byte {} (id {})", i == 0 ? "" : ", ", record.ordinal,
                            record.byte_from, record.id);
    }
    if (report_.rejected.size() > named)
      places += fmt::format(" and {} more", report_.rejected.size() - named);
    stop(MigrationOutcome::too_many_rejects,
         fmt::format("the bank holds other records under the same ids as {}: {}; rejected would be "
                     "{}, allowed are {}; nothing of that batch was written",
                     batch.ledger.file, places, rejected + here, options_.max_rejects),
         fmt::format("mend the source, or give --max-rejects {} or more to keep what the bank "
                     "holds; `migrate plan` counts them all",
                     rejected + here));
    constexpr std::size_t kept = 100;
    if (report_.rejected.size() > kept) report_.rejected.resize(kept);
    return ok();
  }

  Result<> count_issues() {
    auto issues = bank_.issues(report_.run, 10'000'000);
    if (!issues) return std::move(issues).error();
    for (const auto& [file, issue] : *issues) {
      if (is_about_source(issue)) ++report_.issues[issue.code];
    }
    return ok();
  }

  /// A file's remarks are one batch, so a run that is gone on with finds all of them or none.
  Result<> note_choices() {
    auto remarks = choices_.remarks(bank_);
    if (!remarks) return std::move(remarks).error();
    if (remarks->empty()) return ok();
    auto issues = bank_.issues(report_.run, 10'000'000);
    if (!issues) return std::move(issues).error();
    for (const auto& [file, issue] : *issues) {
      if (issue.code == NameChoices::placeholder_code || issue.code == NameChoices::ambiguous_code)
        remarks->erase(file);
    }
    for (const LedgerFile& file : manifest_.files) {
      if (const auto found = remarks->find(file.file); found != remarks->end())
        BB5_TRY(write_remarks(file.file, file.part, std::move(found->second)));
    }
    return ok();
  }

  Result<> derive() {
    Stopwatch graph;
    if (!tell("graph", 0, 0)) {
      stop(MigrationOutcome::interrupted,
           "stopped before the graph was folded; the same command goes on");
      return ok();
    }
    BB5_TRY(bank_.fold_graph());
    fail_point("migrate.graph_folded");
    BB5_TRY(note_choices());
    BB5_TRY(count_issues());
    report_.seconds_graph = graph.seconds();
    const Stopwatch index;
    auto derived = bank_.derive([&](const MemorySearch::DerivedStep& step) {
      return tell("index", step.done, step.total);
    });
    if (!derived && derived.error().code == Errc::cancelled) {
      stop(MigrationOutcome::interrupted,
           "stopped while the indexes were built; the same command goes on");
      return ok();
    }
    if (!derived) return derived;
    fail_point("migrate.derived");
    report_.seconds_index = index.seconds();
    return ok();
  }

  Result<> prove_source_unchanged() {
    auto again = read_manifest(
        source_, {}, [&](std::int64_t done, std::int64_t of) { return tell("hash", done, of); });
    if (!again && again.error().code == Errc::cancelled) {
      stop(MigrationOutcome::interrupted,
           "stopped before the source was proved unchanged; the same command goes on");
      return ok();
    }
    if (!again) return std::move(again).error();
    if (again->sha256 != manifest_.sha256) {
      BB5_TRY(bank_.set_run_state(report_.run, RunState::failed, now()));
      stop(MigrationOutcome::source_changed,
           "the source was written to while it was taken over; run again to take over its new "
           "state");
    }
    return ok();
  }

  const MemorySource& source_;
  std::string source_name_;
  Bank& bank_;
  const MigrationOptions& options_;
  Manifest manifest_;
  EmbedderInfo embedder_;
  bool begun_ = false;  ///< The run is in the ledger.
  std::map<std::string, Resume, std::less<>> resume_;
  NameChoices choices_;                          // filled by the reading thread, read after it
  std::map<std::string, std::int64_t> records_;  // written by the reading thread, read after it
  std::map<std::size_t, std::int64_t> vectors_;  // likewise
  std::int64_t bytes_before_ = 0;
  MigrationReport report_;
};

}  // namespace

void PartCounts::add(const LedgerBatch& batch) {
  read += batch.records;
  loaded += batch.loaded;
  identical += batch.identical;
  rejected += batch.rejected;
  quarantined += batch.quarantined;
}

bool is_about_source(const LedgerIssue& issue) {
  return issue.code != stopped_code;
}

Result<MigrationReport> run_migration(const MemorySource& source, const std::string& source_name,
                                      Bank& bank, const MigrationOptions& options) {
  return Migration(source, source_name, bank, options).run();
}

Result<EmbedderInfo> embedder_of(const MemorySource& source, const std::string& source_model) {
  constexpr const char* openai_small = "openai/text-embedding-3-small";
  auto files = source.files();
  if (!files) return std::move(files).error();
  for (const MemorySource::File& file : *files) {
    if (file.part != LedgerPart::memories) continue;
    auto reader = source.open(file, source.path_of(file.name), {.source_model = source_model});
    if (!reader) return std::move(reader).error();
    while (true) {
      auto record = (*reader)->next();
      if (!record) return std::move(record).error();
      if (!*record) break;
      const auto* memory = std::get_if<Memory>(&(*record)->item);
      if (memory == nullptr || memory->vector_state != VectorState::foreign) continue;
      if (!source_model.empty()) return EmbedderInfo{source_model, (*record)->vector_length};
      if ((*record)->vector_length == 1536) return EmbedderInfo{openai_small, 1536};
    }
  }
  return EmbedderInfo{};
}

namespace {

/// What the run would find in the ledger of its bank.
Result<> look_for_run(const Bank& bank, const std::string& source_name, MigrationPlan& plan) {
  auto runs = bank.runs();
  if (!runs) return std::move(runs).error();
  const auto last = last_run_of(*runs, source_name);
  if (last == runs->end() || !is_on_the_way(*last, plan.manifest)) return ok();
  plan.unfinished = last->run;
  plan.source_changed = last->manifest_sha256 != plan.manifest.sha256;
  return ok();
}

/// Counts what the bank would do with the batch.
Result<> plan_batch(const Bank* bank, PreparedBatch batch, MigrationPlan& plan) {
  LedgerBatch& ledger = batch.ledger;
  if (bank == nullptr) {
    ledger.loaded = std::ssize(batch.memories) + std::ssize(batch.entities) +
                    std::ssize(batch.relationships) + std::ssize(batch.entries);
  } else {
    BB5_TRY(drop_held_by_content(*bank, batch));
    auto actions = foresee(*bank, batch);
    if (!actions) return std::move(actions).error();
    count_actions(*actions, ledger);
    for (RejectedRecord& record : rejected_of(batch, *actions)) {
      if (plan.rejected.size() < 100) plan.rejected.push_back(std::move(record));
    }
  }
  plan.parts[ledger.part].add(ledger);
  for (const LedgerIssue& issue : ledger.issues) {
    ++plan.issues[issue.code];
    if (issue.kind == LedgerIssue::Kind::quarantined && plan.quarantined.size() < 100)
      plan.quarantined.push_back({ledger.file, issue});
  }
  return ok();
}

}  // namespace

Result<MigrationPlan> plan_migration(const MemorySource& source, const std::string& source_name,
                                     const Bank* bank, const MigrationOptions& options) {
  MigrationPlan plan;
  auto manifest = read_manifest(source, {}, {});
  if (!manifest) return std::move(manifest).error();
  plan.manifest = std::move(*manifest);
  if (bank != nullptr) BB5_TRY(look_for_run(*bank, source_name, plan));
  auto embedder = bank != nullptr ? bank->embedder() : Result<EmbedderInfo>(EmbedderInfo{});
  if (embedder && embedder->dimension == 0) embedder = embedder_of(source, options.source_model);
  if (!embedder) return std::move(embedder).error();
  auto files = source.files();
  if (!files) return std::move(files).error();
  RecordMapper mapper;
  NameChoices choices;
  for (const MemorySource::File& file : *files) {
    auto reader = source.open(file, source.path_of(file.name),
                              {.embedder = *embedder, .source_model = options.source_model});
    if (!reader) return std::move(reader).error();
    BatchMaker maker({}, file, {}, options, mapper, choices);
    Result<> planned;
    BB5_TRY(maker.read(**reader, [&](PreparedBatch batch) {
      planned = plan_batch(bank, std::move(batch), plan);
      return planned.has_value();
    }));
    BB5_TRY(std::move(planned));
    for (const auto& [length, count] : maker.vectors()) plan.vectors[length] += count;
    for (LedgerFile& shown : plan.manifest.files) {
      if (shown.file == file.name) shown.records = maker.records();
    }
  }
  return plan;
}

}  // namespace bb5
