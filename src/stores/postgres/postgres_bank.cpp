#include "stores/postgres/postgres_bank.hpp"

#include <mutex>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "base/utf8.hpp"
#include "stores/postgres/bank_model.hpp"
#include "stores/postgres/cached_vectors.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/documents.hpp"
#include "stores/postgres/graph_fold.hpp"
#include "stores/postgres/graph_reader.hpp"
#include "stores/postgres/health.hpp"
#include "stores/postgres/indexes.hpp"
#include "stores/postgres/ledger.hpp"
#include "stores/postgres/merge_record.hpp"
#include "stores/postgres/ranking_reader.hpp"
#include "stores/postgres/reader.hpp"
#include "stores/postgres/schema.hpp"
#include "stores/postgres/search.hpp"
#include "stores/postgres/statements.hpp"
#include "stores/postgres/writer.hpp"

namespace bb5 {
namespace postgres {
namespace {

constexpr auto as_long_as_it_takes = std::chrono::hours(24 * 30);

SchemaOptions schema_options(const PostgresOptions& options) {
  return {.create = options.create,
          .minimum_server = options.minimum_server_version,
          .minimum_extension = options.minimum_vector_version};
}

IndexOptions index_options(const PostgresOptions& options) {
  IndexOptions index{.vectors_from = options.vector_index_from,
                     .ef_search = options.hnsw_ef_search,
                     .lists = options.ivfflat_lists,
                     .probes = options.ivfflat_probes,
                     .memory_bytes = options.index_memory_bytes};
  switch (options.vector_index) {
    case PostgresOptions::VectorIndex::automatic:
      index.kind = IndexOptions::Kind::automatic;
      break;
    case PostgresOptions::VectorIndex::none:
      index.kind = IndexOptions::Kind::none;
      break;
    case PostgresOptions::VectorIndex::hnsw:
      index.kind = IndexOptions::Kind::hnsw;
      break;
    case PostgresOptions::VectorIndex::ivfflat:
      index.kind = IndexOptions::Kind::ivfflat;
      break;
  }
  return index;
}

/// The parts joined; each call goes to one of them.
class PostgresBank final : public Bank {
 public:
  PostgresBank(std::unique_ptr<Database> database, const PostgresOptions& options)
      : database_(std::move(database)),
        schema_(schema_options(options)),
        ledger_(*database_),
        documents_(*database_),
        statements_(*database_),
        fold_(database_->names()),
        reader_(*database_),
        writer_(*database_, fold_, ledger_, documents_, statements_),
        model_(*database_),
        cached_(*database_, ledger_),
        graph_(*database_),
        merges_(*database_, fold_),
        search_(*database_),
        ranking_(*database_, search_),
        indexes_(*database_, search_, index_options(options)) {}

  // --- memories ---
  Result<WriteOutcome> write(const WriteBatch& batch) override {
    const bool bulk_load = !batch.fold;
    if (!bulk_load && !batch.memories.empty()) indexes_.make_words_early();
    return writer_.write(batch);
  }
  Result<std::vector<Memory>> get(std::span<const MemoryId> ids,
                                  bool with_embeddings) const override {
    return reader_.get(ids, with_embeddings);
  }
  Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const override {
    return reader_.find(legacy_id_or_uuid);
  }
  Result<std::vector<Memory>> page(const PageRequest& request) const override {
    return reader_.page(request);
  }
  Result<bool> erase(const MemoryId& id) override { return writer_.erase(id); }
  Result<std::int64_t> count() const override { return reader_.count(); }
  Result<StoreStats> stats() const override { return reader_.stats(); }
  Result<EmbedderInfo> embedder() const override { return reader_.embedder(); }
  Result<> set_embedder(const EmbedderInfo& embedder) override;
  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) override {
    return model_.give_vectors(embedder, vectors);
  }
  Result<std::vector<std::string>> check(bool thorough) const override {
    return check_bank(*database_, reader_, indexes_, schema_, thorough);
  }

  // --- vectors of other models ---
  Result<Lack> lack_of(std::string_view model) const override { return model_.lack_of(model); }
  Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                      std::size_t limit) const override {
    return model_.lacking(model, after_seq, limit);
  }
  Result<std::int64_t> hold_vectors(const EmbedderInfo& of,
                                    std::span<const MadeVector> vectors) override {
    return model_.hold(of, vectors);
  }
  Result<std::vector<Held>> held_vectors(std::string_view model, std::int64_t after_seq,
                                         std::size_t limit) const override {
    return model_.held(model, after_seq, limit);
  }
  Result<std::int64_t> change_model(const EmbedderInfo& next) override;
  Result<std::int64_t> drop_other_vectors() override { return model_.drop_others(); }

  // --- search ---
  Result<SearchResult> nearest(const QueryVector& query, std::size_t k,
                               const MemoryFilter& filter) const override {
    return search_.nearest(query, k, filter);
  }
  Result<SearchResult> keyword(std::string_view text, std::size_t k,
                               const MemoryFilter& filter) const override {
    return search_.keyword(text, k, filter);
  }
  Result<std::vector<ranking::Neighbour>> near(
      std::span<const ranking::Reach> memories) const override {
    return ranking_.near(memories);
  }
  Result<RankingMaterial> ranking_material(
      std::span<const MemoryId> memories, const QueryVector* query, const MemoryFilter& filter,
      std::span<const ranking::AskedTerm> terms) const override {
    return ranking_.material(memories, query, filter, terms);
  }
  Result<std::vector<DerivedStep>> derived_steps() const override { return indexes_.steps(); }
  Result<> derive(const DeriveProgress& progress) override { return indexes_.derive(progress); }

  Result<Status> vector_index() const override { return indexes_.status(); }
  Result<SearchResult> nearest_exact(const QueryVector& query, std::size_t k) const override {
    return search_.nearest(query, k, {}, 0);
  }
  Result<SearchResult> nearest_with(std::int32_t effort, const QueryVector& query,
                                    std::size_t k) const override {
    BB5_TRY(Search::check_effort(effort));
    return search_.nearest(query, k, {}, effort);
  }
  Result<> set_effort(std::int32_t effort, double recall) override {
    return indexes_.set_effort(effort, recall);
  }
  Result<> rebuild_index(const Choice& choice, const DeriveProgress& progress) override {
    return indexes_.rebuild(choice, progress);
  }

  Result<std::vector<WriteAction>> cache_embeddings(std::span<const Entry> entries,
                                                    const LedgerBatch* ledger) override {
    return cached_.cache_embeddings(entries, ledger);
  }
  Result<std::optional<std::vector<float>>> cached_embedding(
      std::string_view model, std::string_view text_md5) const override {
    return reader_.cached_embedding(model, text_md5);
  }
  Result<std::vector<Entry>> cached_embeddings(std::string_view after_model,
                                               std::string_view after_md5,
                                               std::size_t limit) const override {
    return reader_.cached_embeddings(after_model, after_md5, limit);
  }

  Result<> keep_computed(std::span<const Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) override {
    return cached_.keep_computed(entries, used, limit_bytes);
  }
  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) override {
    return cached_.note_use(model, text_md5, used);
  }

  // --- statements ---
  Result<Missing> missing_statements(std::size_t limit) const override {
    return statements_.missing(limit);
  }
  Result<> index_statements(std::span<const StatementKey> entries, std::int64_t up_to) override {
    return statements_.index(entries, up_to);
  }
  Result<std::vector<StatementKey>> statements(std::span<const std::int64_t> keys) const override {
    return statements_.find(keys);
  }

  // --- graph ---
  Result<GraphCounts> graph_counts() const override { return graph_.counts(); }
  Result<std::vector<Entity>> entities(std::string_view after_key,
                                       std::size_t limit) const override {
    return graph_.entities(after_key, limit);
  }
  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const override {
    return graph_.relationships(after_key, limit);
  }
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    return graph_.mentions(after, limit);
  }
  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    return graph_.neighbours(entity_key, limit);
  }
  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    return graph_.entity_named(name);
  }
  Result<> fold_graph() override;
  Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq,
                                               std::size_t limit) const override {
    return graph_.entity_facts(after_seq, limit);
  }
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                           std::size_t limit) const override {
    return graph_.relationship_facts(after_seq, limit);
  }
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const override {
    return graph_.get_entity_facts(ids);
  }
  Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const override {
    return graph_.get_relationship_facts(ids);
  }
  Result<std::vector<EntityMerge>> merges() const override { return merges_.all(); }
  Result<> merge_entities(std::span<const EntityMerge> merges) override {
    return merges_.add(merges);
  }
  Result<bool> split_entity(std::string_view from_key) override { return merges_.remove(from_key); }
  Result<std::vector<KeptApart>> kept_apart() const override { return merges_.apart(); }
  Result<> keep_apart(std::span<const KeptApart> pairs) override {
    return merges_.add_apart(pairs);
  }
  Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) override {
    return merges_.remove_apart(key, other);
  }
  Result<> visit_entities(std::int64_t after_rev,
                          const std::function<void(const Entity&)>& visit) const override {
    return graph_.visit_entities(after_rev, visit);
  }
  Result<ResolvedMark> resolved_mark() const override { return merges_.resolved_mark(); }
  Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                  std::int64_t up_to) override {
    return merges_.add_resolved(merges, up_to);
  }
  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) override {
    return graph_.pending_changes(limit);
  }
  Result<> mark_applied(std::span<const GraphChange> changes) override {
    return graph_.mark_applied(changes);
  }
  Result<> requeue_all() override;
  Result<std::unique_ptr<MigrationLock>> lock_relay() override {
    return take_lock(*database_, "relay");
  }

  // --- documents ---
  Result<std::optional<RetainedDocument>> document(std::string_view source) const override {
    return documents_.document(source);
  }
  Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                  std::size_t limit) const override {
    return documents_.documents(after_source, limit);
  }
  Result<std::int64_t> times_said(const MemoryId& memory) const override {
    return documents_.times_said(memory);
  }
  Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const override {
    return documents_.standings(memories);
  }

  // --- ledger ---
  Result<std::unique_ptr<MigrationLock>> lock_migration() override {
    return take_lock(*database_, "migration");
  }
  Result<> begin_run(const LedgerRun& run) override { return ledger_.begin_run(run); }
  Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) override {
    return ledger_.restore_run(run, batches);
  }
  Result<std::vector<LedgerRun>> runs() const override { return ledger_.runs(); }
  Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) override {
    return ledger_.finish_file(run, file, records);
  }
  Result<> set_run_state(const RunId& run, RunState state,
                         std::optional<Timestamp> ended) override {
    return ledger_.set_run_state(run, state, ended);
  }
  Result<std::vector<LedgerBatch>> batches(const RunId& run) const override {
    return ledger_.batches(run);
  }
  Result<std::vector<FileIssue>> issues(const RunId& run, std::size_t limit) const override {
    return ledger_.issues(run, limit);
  }

 private:
  std::unique_ptr<Database> database_;
  SchemaOptions schema_;
  Ledger ledger_;
  Documents documents_;
  Statements statements_;
  GraphFold fold_;
  Reader reader_;
  Writer writer_;
  BankModel model_;
  CachedVectors cached_;
  GraphReader graph_;
  MergeRecord merges_;
  Search search_;
  RankingReader ranking_;
  Indexes indexes_;
};

Result<> PostgresBank::set_embedder(const EmbedderInfo& embedder) {
  // Mostly it is recorded already: a look is cheaper than the lock.
  auto held = reader_.embedder();
  if (!held) return std::move(held).error();
  if (*held == embedder) return ok();
  if (held->dimension != 0) return other_embedder(*held);
  auto done = model_.record(embedder);
  search_.forget_settings();
  return done;
}

Result<std::int64_t> PostgresBank::change_model(const EmbedderInfo& next) {
  auto lacking = model_.change(next);
  search_.forget_settings();
  return lacking;
}

Result<> PostgresBank::fold_graph() {
  return database_->transact<std::monostate>(
      "fold the graph", [&](Transaction& transaction) -> Result<> {
        transaction.connection().set_patience(as_long_as_it_takes);
        transaction.number_with_next_run();
        return fold_.fold_all(transaction);
      });
}

Result<> PostgresBank::requeue_all() {
  return database_->transact<std::monostate>(
      "queue the whole graph", [&](Transaction& transaction) -> Result<> {
        transaction.connection().set_patience(as_long_as_it_takes);
        transaction.number_with_next_run();
        return fold_.requeue_all(transaction);
      });
}

/// libpq's own words are left out: they may repeat the URL, and a password in it.
Result<> check_url(const std::string& url) {
  const bool known = url.rfind("postgresql://", 0) == 0 || url.rfind("postgres://", 0) == 0;
  char* message = nullptr;
  PQconninfoOption* parsed = known ? PQconninfoParse(url.c_str(), &message) : nullptr;
  bool good = parsed != nullptr;
  for (const PQconninfoOption* option = parsed; good && option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) != "port" || option->val == nullptr) continue;
    good = std::string_view(option->val).find_first_not_of("0123456789,") == std::string_view::npos;
  }
  PQconninfoFree(parsed);
  PQfreemem(message);
  if (good) return ok();
  return Error{Errc::invalid_argument, "the store's URL cannot be read",
               "write it as postgresql://user@host:5432/database"};
}

}  // namespace
}  // namespace postgres

Result<std::unique_ptr<Bank>> open_postgres_bank(const PostgresOptions& options) {
  using namespace postgres;  // NOLINT(google-build-using-namespace): our own, in one function
  BB5_TRY(check_url(options.url));
  auto names = Names::of_bank(options.bank);
  if (!names) {
    return Error{Errc::invalid_argument,
                 fmt::format("\"{}\" cannot be a bank's name", to_storable_utf8(options.bank)),
                 "use 1 to 40 of a–z, 0–9 and _"};
  }
  ConnectOptions connect{.url = options.url,
                         .connect_timeout = options.connect_timeout,
                         .patience = options.statement_deadline};
  auto pool =
      std::make_unique<Pool>(connect, options.pool_size, options.pool_timeout, options.counters);
  auto database = std::make_unique<Database>(std::move(*names), std::move(pool));
  BB5_TRY(open_schema(*database, schema_options(options)));
  return std::unique_ptr<Bank>(std::make_unique<PostgresBank>(std::move(database), options));
}

}  // namespace bb5
