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
#include "operations/migrate/record_mapper.hpp"

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

/// Records of one transaction, ready to be written.
struct PreparedBatch {
  LedgerBatch ledger;
  std::vector<Memory> memories;
  std::vector<bool> by_content;  ///< Parallel to memories.
  std::vector<EntityFact> entities;
  std::vector<RelationshipFact> relationships;
  std::vector<EmbeddingCache::Entry> entries;
  std::int64_t bytes = 0;
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

/// Where a file was left by an earlier, unfinished run.
struct Resume {
  std::int64_t next_batch = 0;
  std::int64_t next_ordinal = 0;
  bool closed = false;  ///< Its closing batch is written.
};

/// Cuts one file into batches.
class BatchMaker {
 public:
  BatchMaker(RunId run, const MemorySource::File& file, Resume resume,
             const MigrationOptions& options, RecordMapper& mapper)
      : run_(run),
        file_(file),
        resume_(resume),
        options_(options),
        mapper_(mapper),
        next_batch_(resume.next_batch) {
    start();
  }

  /// `emit` takes a full batch and says whether to go on.
  template <class Emit>
  Result<> read(RecordReader& reader, const Emit& emit) {
    while (true) {
      auto record = reader.next();
      if (!record) return std::move(record).error();
      if (!*record) break;
      add(**record);
      if (batch_.ledger.records >= options_.batch_records || batch_.bytes >= options_.batch_bytes) {
        if (!emit(take())) return ok();
      }
    }
    if (batch_.ledger.records > 0 && !emit(take())) return ok();
    close(reader, emit);
    return ok();
  }

  /// Records of the file, and vectors of its memories by length, those of an earlier run included.
  [[nodiscard]] std::int64_t records() const { return records_; }
  [[nodiscard]] const std::map<std::size_t, std::int64_t>& vectors() const { return vectors_; }

 private:
  /// Remarks on the file as a whole have a batch of their own, without records; a file of no
  /// records too, so that the ledger says it was read.
  template <class Emit>
  void close(const RecordReader& reader, const Emit& emit) {
    batch_.ledger.issues = reader.file_issues();
    if (resume_.closed || (batch_.ledger.issues.empty() && next_batch_ > 0)) return;
    batch_.ledger.first_ordinal = records_;
    emit(take());
  }

  void start() {
    batch_ = PreparedBatch{};
    batch_.ledger.run = run_;
    batch_.ledger.file = file_.name;
    batch_.ledger.part = file_.part;
    batch_.ledger.batch_no = next_batch_;
  }

  PreparedBatch take() {
    const Sha256 digest = digest_.finish();
    batch_.ledger.content_digest.assign(reinterpret_cast<const char*>(digest.data()),
                                        digest.size());
    PreparedBatch full = std::move(batch_);
    ++next_batch_;
    start();
    return full;
  }

  void add(SourceRecord& record) {
    ++records_;
    const bool done_before = record.ordinal < resume_.next_ordinal;
    if (auto* memory = std::get_if<Memory>(&record.item)) {
      // Ids depend on what came before, so records that are in the bank already are mapped too.
      const auto outcome = mapper_.map(record, *memory);
      if (record.vector_length > 0 && outcome != RecordMapper::Outcome::repeated)
        ++vectors_[record.vector_length];
      if (done_before) return;
      if (outcome == RecordMapper::Outcome::repeated) {
        ++batch_.ledger.identical;
      } else {
        digest_.add(record_hash(*memory));
        place(record);
        batch_.memories.push_back(std::move(*memory));
        batch_.by_content.push_back(record.identity_by_content);
      }
    } else if (auto* entity = std::get_if<EntityFact>(&record.item)) {
      add_fact(record, *entity, batch_.entities, done_before);
    } else if (auto* relationship = std::get_if<RelationshipFact>(&record.item)) {
      add_fact(record, *relationship, batch_.relationships, done_before);
    } else if (auto* entry = std::get_if<EmbeddingCache::Entry>(&record.item)) {
      if (!done_before) batch_.entries.push_back(std::move(*entry));
    } else if (!done_before) {
      ++batch_.ledger.quarantined;
    }
    if (done_before) return;
    if (batch_.ledger.records == 0) {
      batch_.ledger.first_ordinal = record.ordinal;
      batch_.ledger.byte_from = record.byte_from;
    }
    ++batch_.ledger.records;
    batch_.ledger.byte_to = record.byte_to;
    batch_.bytes += record.byte_to - record.byte_from;
    for (LedgerIssue& issue : record.issues) batch_.ledger.issues.push_back(std::move(issue));
  }

  template <class Fact>
  void add_fact(const SourceRecord& record, Fact& fact, std::vector<Fact>& facts,
                bool done_before) {
    const bool repeated = mapper_.is_repeated(fact.id);
    if (done_before) return;
    if (repeated) {
      ++batch_.ledger.identical;
      return;
    }
    place(record);
    facts.push_back(std::move(fact));
  }

  void place(const SourceRecord& record) {
    batch_.ledger.places.push_back({record.ordinal, record.byte_from});
  }

  RunId run_;
  const MemorySource::File& file_;
  Resume resume_;
  const MigrationOptions& options_;
  RecordMapper& mapper_;
  std::int64_t next_batch_;
  std::int64_t records_ = 0;
  std::map<std::size_t, std::int64_t> vectors_;
  Sha256Stream digest_;
  PreparedBatch batch_;
};

/// One run from begin to end; its members are what the phases share.
class Migration {
 public:
  Migration(const MemorySource& source, std::string source_name, Bank& bank,
            const MigrationOptions& options)
      : source_(source), source_name_(std::move(source_name)), bank_(bank), options_(options) {}

  Result<MigrationReport> run() {
    auto lock = bank_.lock_migration();
    if (!lock) return std::move(lock).error();
    BB5_TRY(hash());
    if (stopped()) return std::move(report_);
    BB5_TRY(begin());
    if (stopped()) return std::move(report_);
    BB5_TRY(load());
    if (stopped()) return std::move(report_);
    BB5_TRY(derive());
    if (stopped()) return std::move(report_);
    BB5_TRY(prove_source_unchanged());
    if (stopped()) return std::move(report_);
    BB5_TRY(bank_.set_run_state(report_.run, RunState::loaded, now()));
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool stopped() const { return report_.outcome != MigrationOutcome::loaded; }

  void stop(MigrationOutcome outcome, std::string reason) {
    report_.outcome = outcome;
    report_.reason = std::move(reason);
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
    const auto last = std::find_if(runs->begin(), runs->end(), [&](const LedgerRun& run) {
      return run.source == source_name_;
    });
    // A run that is loaded but not verified was stopped on the way: it is gone on with too.
    const bool on_the_way =
        last != runs->end() &&
        (last->state == RunState::running ||
         (last->state == RunState::loaded && last->manifest_sha256 == manifest_.sha256));
    if (on_the_way && !options_.restart) {
      if (last->manifest_sha256 != manifest_.sha256) {
        report_.run = last->run;
        stop(MigrationOutcome::source_changed,
             "the source is not what it was when the unfinished run began; --restart begins a new "
             "one");
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
    BB5_TRY(count_issues());
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
                       options_, mapper);
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
    BB5_TRY(drop_held_by_content(batch));
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
                                  .ledger = &ledger});
      if (!written && written.error().code == Errc::conflict) {
        stop(MigrationOutcome::too_many_rejects,
             written.error().message + "; nothing of that batch was written");
        return ok();
      }
      if (!written) return std::move(written).error();
      actions = ledger.part == LedgerPart::memories   ? std::move(written->memories)
                : ledger.part == LedgerPart::entities ? std::move(written->entity_facts)
                                                      : std::move(written->relationship_facts);
    }
    for (const WriteAction action : actions) {
      if (action == WriteAction::identical) ++ledger.identical;
      if (action == WriteAction::conflict) ++ledger.rejected;
      if (action == WriteAction::inserted || action == WriteAction::replaced) ++ledger.loaded;
    }
    report_.parts[ledger.part].add(ledger);
    if (!report_.parts[ledger.part].adds_up())
      return Error{Errc::internal, "the counts of the run do not add up"};
    return ok();
  }

  /// A record whose identity is its content is the memory that the bank holds under it, whatever
  /// else it says.
  Result<> drop_held_by_content(PreparedBatch& batch) {
    std::vector<MemoryId> ids;
    for (std::size_t i = 0; i < batch.memories.size(); ++i) {
      if (batch.by_content[i]) ids.push_back(batch.memories[i].id);
    }
    if (ids.empty()) return ok();
    auto held = bank_.get(ids, true);
    if (!held) return std::move(held).error();
    std::unordered_map<Uuid, std::string> hashes;
    for (const Memory& memory : *held) hashes.emplace(memory.id.uuid, record_hash(memory));
    std::vector<Memory> kept;
    std::vector<LedgerBatch::Place> places;
    for (std::size_t i = 0; i < batch.memories.size(); ++i) {
      Memory& memory = batch.memories[i];
      const auto found = hashes.find(memory.id.uuid);
      if (batch.by_content[i] && found != hashes.end() && found->second != record_hash(memory)) {
        ++batch.ledger.identical;
        batch.ledger.issues.push_back(
            {.kind = LedgerIssue::Kind::warning,
             .ordinal = batch.ledger.places[i].ordinal,
             .byte_from = batch.ledger.places[i].byte_from,
             .code = "already_held",
             .message = "the bank holds a memory of this content, with other details: it stays"});
        continue;
      }
      kept.push_back(std::move(memory));
      places.push_back(batch.ledger.places[i]);
    }
    batch.memories = std::move(kept);
    batch.ledger.places = std::move(places);
    return ok();
  }

  Result<> count_issues() {
    auto issues = bank_.issues(report_.run, 10'000'000);
    if (!issues) return std::move(issues).error();
    for (const auto& [file, issue] : *issues) ++report_.issues[issue.code];
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
  std::map<std::string, Resume, std::less<>> resume_;
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

Result<MigrationPlan> plan_migration(const MemorySource& source, const MigrationOptions& options) {
  MigrationPlan plan;
  auto manifest = read_manifest(source, {}, {});
  if (!manifest) return std::move(manifest).error();
  plan.manifest = std::move(*manifest);
  auto embedder = embedder_of(source, options.source_model);
  if (!embedder) return std::move(embedder).error();
  auto files = source.files();
  if (!files) return std::move(files).error();
  RecordMapper mapper;
  for (const MemorySource::File& file : *files) {
    auto reader = source.open(file, source.path_of(file.name),
                              {.embedder = *embedder, .source_model = options.source_model});
    if (!reader) return std::move(reader).error();
    BatchMaker maker({}, file, {}, options, mapper);
    BB5_TRY(maker.read(**reader, [&](PreparedBatch batch) {
      batch.ledger.loaded = std::ssize(batch.memories) + std::ssize(batch.entities) +
                            std::ssize(batch.relationships) + std::ssize(batch.entries);
      plan.parts[file.part].add(batch.ledger);
      for (const LedgerIssue& issue : batch.ledger.issues) {
        ++plan.issues[issue.code];
        if (issue.kind == LedgerIssue::Kind::quarantined && plan.quarantined.size() < 100)
          plan.quarantined.push_back({file.name, issue});
      }
      return true;
    }));
    for (const auto& [length, count] : maker.vectors()) plan.vectors[length] += count;
    for (LedgerFile& shown : plan.manifest.files) {
      if (shown.file == file.name) shown.records = maker.records();
    }
  }
  return plan;
}

}  // namespace bb5
