#include "stores/embedded/embedded_bank.hpp"

#include <fmt/format.h>

#include "stores/embedded/batch_writer.hpp"
#include "stores/embedded/checks.hpp"
#include "stores/embedded/connections.hpp"
#include "stores/embedded/document_rows.hpp"
#include "stores/embedded/fact_rows.hpp"
#include "stores/embedded/file_lock.hpp"
#include "stores/embedded/graph_fold_rows.hpp"
#include "stores/embedded/graph_rows.hpp"
#include "stores/embedded/keyword_search.hpp"
#include "stores/embedded/ledger_rows.hpp"
#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/merge_rows.hpp"
#include "stores/embedded/other_vectors.hpp"
#include "stores/embedded/ranking_rows.hpp"
#include "stores/embedded/statement_rows.hpp"
#include "stores/embedded/vector_search.hpp"

namespace bb5 {
namespace {

using namespace embedded;  // NOLINT(google-build-using-namespace): the parts of this class

/// Takes a connection, opens the transaction that a call needs, and leaves the rest to the parts.
class EmbeddedBank final : public Bank {
 public:
  explicit EmbeddedBank(std::unique_ptr<Connections> connections)
      : connections_(std::move(connections)), vectors_(connections_->file()) {}

  // --- memories ---

  Result<WriteOutcome> write(const WriteBatch& batch) override {
    return with_writer([&](Connection& c) { return write_batch(c, batch); });
  }
  Result<std::vector<Memory>> get(std::span<const MemoryId> ids,
                                  bool with_embeddings) const override {
    return read([&](Connection& c) { return get_memories(c, ids, with_embeddings); });
  }
  Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const override {
    return read([&](Connection& c) { return find_memories(c, legacy_id_or_uuid); });
  }
  Result<std::vector<Memory>> page(const PageRequest& request) const override {
    return read([&](Connection& c) { return page_of_memories(c, request); });
  }
  Result<bool> erase(const MemoryId& id) override {
    return with_writer([&](Connection& c) { return erase_memory(c, id); });
  }
  Result<std::int64_t> count() const override {
    return with_reader([](Connection& c) { return count_memories(c, std::nullopt, std::nullopt); });
  }
  Result<StoreStats> stats() const override {
    auto stats = read([&](Connection& c) { return read_stats(c); });
    if (stats) stats->bytes_on_disk = bytes_on_disk();
    return stats;
  }
  Result<EmbedderInfo> embedder() const override {
    return read([&](Connection& c) { return read_embedder(c); });
  }
  Result<> set_embedder(const EmbedderInfo& embedder) override {
    // Mostly it is recorded already: nobody who writes is waited for.
    auto recorded = this->embedder();
    if (recorded && *recorded == embedder) return ok();
    return with_writer([&](Connection& c) { return record_embedder(c, embedder); });
  }
  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) override {
    return with_writer([&](Connection& c) { return give_made_vectors(c, embedder, vectors); });
  }
  Result<std::vector<std::string>> check(bool thorough) const override;

  // --- vectors of other models ---

  Result<Lack> lack_of(std::string_view model) const override {
    return read([&](Connection& c) { return count_lack(c, model); });
  }
  Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                      std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_lacking(c, model, after_seq, limit); });
  }
  Result<std::int64_t> hold_vectors(const EmbedderInfo& of,
                                    std::span<const MadeVector> vectors) override {
    return change([&](Connection& c) { return put_other_vectors(c, of, vectors); });
  }
  Result<std::vector<Held>> held_vectors(std::string_view model, std::int64_t after_seq,
                                         std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_other_vectors(c, model, after_seq, limit); });
  }
  Result<std::int64_t> change_model(const EmbedderInfo& next) override {
    return change([&](Connection& c) { return exchange_vectors(c, next); });
  }
  Result<std::int64_t> drop_other_vectors() override {
    return change([&](Connection& c) { return remove_other_vectors(c); });
  }

  // --- search ---

  Result<SearchResult> nearest(const QueryVector& query, std::size_t k,
                               const MemoryFilter& filter) const override {
    return with_reader([&](Connection& c) { return vectors_.nearest(c, query, k, filter, {}); });
  }
  Result<std::vector<ranking::Neighbour>> near(
      std::span<const ranking::Reach> memories) const override {
    return with_reader([&](Connection& c) { return find_thread_neighbours(c, memories); });
  }
  Result<RankingMaterial> ranking_material(
      std::span<const MemoryId> memories, const QueryVector* query, const MemoryFilter& filter,
      std::span<const ranking::AskedTerm> terms) const override {
    return with_reader(
        [&](Connection& c) { return read_ranking_material(c, memories, query, filter, terms); });
  }
  Result<SearchResult> keyword(std::string_view text, std::size_t k,
                               const MemoryFilter& filter) const override {
    return with_reader([&](Connection& c) { return search_keywords(c, text, k, filter); });
  }
  Result<std::vector<DerivedStep>> derived_steps() const override;
  Result<> derive(const DeriveProgress& progress) override;

  // --- the index ---

  Result<Status> vector_index() const override;
  Result<SearchResult> nearest_exact(const QueryVector& query, std::size_t k) const override {
    return with_reader(
        [&](Connection& c) { return vectors_.nearest(c, query, k, {}, {.exact = true}); });
  }
  Result<SearchResult> nearest_with(std::int32_t effort, const QueryVector& query,
                                    std::size_t k) const override {
    BB5_TRY(GraphIndex::check_ef_search(effort));
    return with_reader([&](Connection& c) {
      return vectors_.nearest(c, query, k, {}, {.ef_search = static_cast<std::size_t>(effort)});
    });
  }
  Result<> set_effort(std::int32_t effort, double recall) override {
    return change([&](Connection& c) { return GraphIndex::record_effort(c, effort, recall); });
  }
  Result<> rebuild_index(const Choice& choice, const DeriveProgress& progress) override;

  Result<std::vector<WriteAction>> cache_embeddings(std::span<const Entry> entries,
                                                    const LedgerBatch* ledger) override {
    return change([&](Connection& c) -> Result<std::vector<WriteAction>> {
      auto actions = put_cached_embeddings(c, entries);
      if (actions && ledger != nullptr) BB5_TRY(write_ledger_batch(c, *ledger, *actions));
      return actions;
    });
  }
  Result<std::optional<std::vector<float>>> cached_embedding(
      std::string_view model, std::string_view text_md5) const override {
    return read([&](Connection& c) { return read_cached_embedding(c, model, text_md5); });
  }
  Result<std::vector<Entry>> cached_embeddings(std::string_view after_model,
                                               std::string_view after_md5,
                                               std::size_t limit) const override {
    return read(
        [&](Connection& c) { return page_of_cached_embeddings(c, after_model, after_md5, limit); });
  }

  Result<> keep_computed(std::span<const Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) override {
    return change(
        [&](Connection& c) { return put_computed_embeddings(c, entries, used, limit_bytes); });
  }
  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) override {
    // A question is not kept waiting for another writer without need.
    auto worth_it =
        read([&](Connection& c) { return use_is_worth_noting(c, model, text_md5, used); });
    if (!worth_it) return std::move(worth_it).error();
    if (!*worth_it) return ok();
    return change([&](Connection& c) { return update_use(c, model, text_md5, used); });
  }

  // --- statements ---

  Result<Missing> missing_statements(std::size_t limit) const override {
    return read([&](Connection& c) { return read_missing_statements(c, limit); });
  }
  Result<> index_statements(std::span<const StatementKey> entries, std::int64_t up_to) override {
    return change([&](Connection& c) { return put_statements(c, entries, up_to); });
  }
  Result<std::vector<StatementKey>> statements(std::span<const std::int64_t> keys) const override {
    return read([&](Connection& c) { return read_statements(c, keys); });
  }

  // --- the graph ---

  Result<GraphCounts> graph_counts() const override {
    return read([&](Connection& c) { return count_graph(c); });
  }
  Result<std::vector<Entity>> entities(std::string_view after_key,
                                       std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_entities(c, after_key, limit); });
  }
  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_relationships(c, after_key, limit); });
  }
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_mentions(c, after, limit); });
  }
  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    return read([&](Connection& c) { return read_neighbours(c, entity_key, limit); });
  }
  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    return read([&](Connection& c) { return read_entity_named(c, name); });
  }
  Result<> fold_graph() override {
    return change([&](Connection& c) { return fold_everything(c); });
  }
  Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq,
                                               std::size_t limit) const override {
    return read([&](Connection& c) { return read_entity_facts(c, after_seq, limit); });
  }
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                           std::size_t limit) const override {
    return read([&](Connection& c) { return read_relationship_facts(c, after_seq, limit); });
  }
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const override {
    return read([&](Connection& c) { return embedded::get_entity_facts(c, ids); });
  }
  Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const override {
    return read([&](Connection& c) { return embedded::get_relationship_facts(c, ids); });
  }
  Result<std::vector<EntityMerge>> merges() const override {
    return read([&](Connection& c) { return read_merges(c); });
  }
  Result<> merge_entities(std::span<const EntityMerge> merges) override {
    return change([&](Connection& c) { return add_merges(c, merges); });
  }
  Result<bool> split_entity(std::string_view from_key) override {
    return change([&](Connection& c) { return remove_merge(c, from_key); });
  }
  Result<std::vector<KeptApart>> kept_apart() const override {
    return read([&](Connection& c) { return read_kept_apart(c); });
  }
  Result<> keep_apart(std::span<const KeptApart> pairs) override {
    return change([&](Connection& c) { return add_kept_apart(c, pairs); });
  }
  Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) override {
    return change([&](Connection& c) { return remove_kept_apart(c, key, other); });
  }
  Result<> visit_entities(std::int64_t after_rev,
                          const std::function<void(const Entity&)>& visit) const override {
    return read([&](Connection& c) { return embedded::visit_entities(c, after_rev, visit); });
  }
  Result<ResolvedMark> resolved_mark() const override {
    return read([&](Connection& c) { return read_resolved_mark(c); });
  }
  Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                  std::int64_t up_to) override {
    return change([&](Connection& c) { return add_resolved_merges(c, merges, up_to); });
  }
  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) override {
    return read([&](Connection& c) { return read_pending_changes(c, limit); });
  }
  Result<> mark_applied(std::span<const GraphChange> changes) override {
    return change([&](Connection& c) { return mark_changes_applied(c, changes); });
  }
  Result<> requeue_all() override {
    return change([&](Connection& c) { return requeue_everything(c); });
  }
  Result<std::unique_ptr<MigrationLock>> lock_relay() override {
    return take_lock("-relay-lock", "another relay");
  }

  // --- documents ---

  Result<std::optional<RetainedDocument>> document(std::string_view source) const override {
    return read([&](Connection& c) { return read_document(c, source); });
  }
  Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                  std::size_t limit) const override {
    return read([&](Connection& c) { return page_of_documents(c, after_source, limit); });
  }
  Result<std::int64_t> times_said(const MemoryId& memory) const override {
    return read([&](Connection& c) { return count_sayings(c, memory); });
  }
  Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const override {
    return read([&](Connection& c) { return read_standings(c, memories); });
  }

  // --- the ledger ---

  Result<std::unique_ptr<MigrationLock>> lock_migration() override {
    return take_lock("-migration-lock", "another migration");
  }
  Result<> begin_run(const LedgerRun& run) override {
    return change([&](Connection& c) { return insert_run(c, run); });
  }
  Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) override {
    return change([&](Connection& c) { return insert_restored_run(c, run, batches); });
  }
  Result<std::vector<LedgerRun>> runs() const override {
    return read([&](Connection& c) { return read_runs(c); });
  }
  Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) override {
    return change([&](Connection& c) { return update_file_records(c, run, file, records); });
  }
  Result<> set_run_state(const RunId& run, RunState state,
                         std::optional<Timestamp> ended) override {
    return change([&](Connection& c) { return update_run_state(c, run, state, ended); });
  }
  Result<std::vector<LedgerBatch>> batches(const RunId& run) const override {
    return read([&](Connection& c) { return read_batches(c, run); });
  }
  Result<std::vector<FileIssue>> issues(const RunId& run, std::size_t limit) const override {
    return read([&](Connection& c) { return read_issues(c, run, limit); });
  }

 private:
  /// `work` with a reading connection; it opens its own transaction.
  template <class Work>
  std::invoke_result_t<Work&, Connection&> with_reader(Work work) const {
    auto reader = connections_->reader();
    if (!reader) return std::move(reader).error();
    return work(**reader);
  }

  /// `work` over one state of the bank.
  template <class Work>
  std::invoke_result_t<Work&, Connection&> read(Work work) const {
    return with_reader([&](Connection& connection) -> std::invoke_result_t<Work&, Connection&> {
      auto transaction = Transaction::read(connection);
      if (!transaction) return std::move(transaction).error();
      return work(connection);
    });
  }

  /// `work` with the writing connection; it opens its own transaction.
  template <class Work>
  std::invoke_result_t<Work&, Connection&> with_writer(Work work) {
    auto writer = connections_->writer();
    if (!writer) return std::move(writer).error();
    return work(**writer);
  }

  /// `work` in one write transaction: all of it, or, when it fails, nothing.
  template <class Work>
  std::invoke_result_t<Work&, Connection&> change(Work work) {
    return with_writer([&](Connection& connection) -> std::invoke_result_t<Work&, Connection&> {
      auto transaction = Transaction::write(connection);
      if (!transaction) return std::move(transaction).error();
      auto result = work(connection);
      if (result) BB5_TRY(transaction->commit());
      return result;
    });
  }

  Result<std::unique_ptr<MigrationLock>> take_lock(const char* suffix, const char* holder) const {
    auto lock = FileLock::take(side_file(connections_->file(), suffix), holder);
    if (!lock) return std::move(lock).error();
    return std::unique_ptr<MigrationLock>(std::move(*lock));
  }

  [[nodiscard]] std::int64_t bytes_on_disk() const;
  static DerivedStep codes_step(const VectorSearch::Coverage& coverage);
  static DerivedStep index_step(const VectorSearch::Coverage& coverage);
  Result<> derive_codes(const DeriveProgress& progress);
  Result<> derive_index(const DeriveProgress& progress);

  std::unique_ptr<Connections> connections_;
  mutable VectorSearch vectors_;
};

std::int64_t EmbeddedBank::bytes_on_disk() const {
  std::int64_t bytes = 0;
  for (const char* suffix : {"", "-wal", "-shm", "-codes", "-codes-lock", "-index", "-index-lock",
                             "-migration-lock", "-relay-lock"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(side_file(connections_->file(), suffix), missing);
    if (!missing) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

Result<std::vector<std::string>> EmbeddedBank::check(bool thorough) const {
  auto findings = with_reader([&](Connection& c) { return check_bank(c, vectors_, thorough); });
  // A damaged page is a finding, not a failure of the check.
  if (!findings && findings.error().code == Errc::corrupt) {
    return std::vector<std::string>{"file: " + findings.error().message + ": " +
                                    findings.error().detail};
  }
  return findings;
}

Result<std::vector<MemorySearch::DerivedStep>> EmbeddedBank::derived_steps() const {
  auto coverage = with_reader([&](Connection& c) { return vectors_.coverage(c); });
  if (!coverage) return std::move(coverage).error();
  return std::vector<DerivedStep>{codes_step(*coverage), index_step(*coverage)};
}

MemorySearch::DerivedStep EmbeddedBank::codes_step(const VectorSearch::Coverage& coverage) {
  // A few vectors are read as they are: that is no unfinished work.
  const bool ready = coverage.vectors - coverage.coded <= VectorSearch::longest_tail;
  return DerivedStep{.name = "vector codes",
                     .done = ready ? coverage.vectors : coverage.coded,
                     .total = coverage.vectors,
                     .state = ready                ? "ready"
                              : coverage.coded > 0 ? "building"
                                                   : "waiting"};
}

MemorySearch::DerivedStep EmbeddedBank::index_step(const VectorSearch::Coverage& coverage) {
  // In rows of the codes: those of vectors that are gone take part until the codes are made anew.
  const auto total = static_cast<std::int64_t>(coverage.rows);
  const std::int64_t done = coverage.graph ? coverage.graph->graph().rows() : 0;
  const auto allowed =
      static_cast<std::int64_t>(GraphIndex::longest_tail(static_cast<std::size_t>(done)));
  const bool ready = !coverage.graph_wanted || (coverage.graph && total - done <= allowed);
  return DerivedStep{.name = "vector index",
                     .done = ready ? total : done,
                     .total = total,
                     .state = ready      ? "ready"
                              : done > 0 ? "building"
                                         : "waiting"};
}

Result<VectorIndex::Status> EmbeddedBank::vector_index() const {
  auto coverage = with_reader([&](Connection& c) { return vectors_.coverage(c); });
  if (!coverage) return std::move(coverage).error();
  Status status{.chosen = coverage->settings.choice(), .vectors = coverage->vectors};
  status.tail = status.vectors;
  if (!coverage->graph) return status;
  const HnswGraph& graph = coverage->graph->graph();
  status.kind = VectorIndexKind::hnsw;
  status.m = static_cast<std::int32_t>(graph.shape.m);
  status.ef_construction = static_cast<std::int32_t>(graph.shape.ef_construction);
  status.effort = static_cast<std::int32_t>(coverage->settings.ef_search);
  status.bytes = static_cast<std::int64_t>(coverage->graph->bytes());
  // Rows of vectors that are gone are in the graph too; they are never found.
  status.built_for = std::min<std::int64_t>(graph.rows(), coverage->vectors);
  status.tail = coverage->vectors - coverage->coded + static_cast<std::int64_t>(coverage->rows) -
                graph.rows();
  status.recall = coverage->settings.recall;
  return status;
}

Result<> EmbeddedBank::rebuild_index(const Choice& choice, const DeriveProgress& progress) {
  BB5_TRY(GraphIndex::check(choice));
  BB5_TRY(vectors_.graph_index().drop());
  BB5_TRY(change([&](Connection& c) { return GraphIndex::record(c, choice); }));
  BB5_TRY(derive(progress));
  auto coverage = with_reader([&](Connection& c) { return vectors_.coverage(c); });
  if (!coverage) return std::move(coverage).error();
  if (!coverage->graph_wanted || coverage->graph) return ok();
  return Error{Errc::locked,
               "the index was not built: another process is at it, or its file cannot be written",
               "look at the folder, then: bb5-memory doctor --fix"};
}

Result<> EmbeddedBank::derive(const DeriveProgress& progress) {
  BB5_TRY(derive_codes(progress));
  return derive_index(progress);
}

Result<> EmbeddedBank::derive_codes(const DeriveProgress& progress) {
  constexpr std::size_t rows_a_piece = 16'384;
  for (std::int64_t before = -1;;) {
    auto coverage = with_reader([&](Connection& c) { return vectors_.coverage(c); });
    if (!coverage) return std::move(coverage).error();
    const DerivedStep step = codes_step(*coverage);
    if (progress && step.done != before && !progress(step)) {
      return Error{Errc::cancelled, "deriving was stopped; it goes on from there next time"};
    }
    if (step.done == before) return ok();
    // The last round looks whether the file has to be made anew.
    before = step.done;
    auto done = with_reader([&](Connection& c) { return vectors_.catch_up(c, rows_a_piece); });
    if (!done) return std::move(done).error();
  }
}

Result<> EmbeddedBank::derive_index(const DeriveProgress& progress) {
  auto coverage = with_reader([&](Connection& c) { return vectors_.coverage(c); });
  if (!coverage) return std::move(coverage).error();
  DerivedStep step = index_step(*coverage);
  if (step.state == "ready") return ok();
  auto built = with_reader([&](Connection& c) {
    return vectors_.build_graph(c, [&](std::size_t rows) {
      step.done = static_cast<std::int64_t>(rows);
      step.state = step.done < step.total ? "building" : "ready";
      return !progress || progress(step);
    });
  });
  if (!built) return std::move(built).error();
  return ok();
}

}  // namespace

Result<std::unique_ptr<Bank>> open_embedded_bank(const EmbeddedOptions& options) {
  // Absolute: the file stays the same when the process goes to another folder, and no name means
  // anything special to SQLite (`:memory:`, `file:…`).
  EmbeddedOptions absolute = options;
  std::error_code failed;
  absolute.file = std::filesystem::absolute(options.file, failed);
  if (failed || options.file.empty())
    return Error{Errc::invalid_argument, "the store's path is empty or too long"};
  auto connections = Connections::open(absolute);
  if (!connections) return std::move(connections).error();
  return std::unique_ptr<Bank>(std::make_unique<EmbeddedBank>(std::move(*connections)));
}

std::filesystem::path bank_file(const std::filesystem::path& store, std::string_view bank) {
  if (bank == "default") return store;
  std::filesystem::path file = store;
  const std::string extension = store.extension().string();
  file.replace_extension();
  file += '.';
  file += bank;
  return file += extension;
}

}  // namespace bb5
