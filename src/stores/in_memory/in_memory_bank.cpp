#include "stores/in_memory/in_memory_bank.hpp"

#include <mutex>
#include <shared_mutex>
#include <type_traits>

#include "stores/in_memory/bank_model.hpp"
#include "stores/in_memory/batch_writer.hpp"
#include "stores/in_memory/documents.hpp"
#include "stores/in_memory/embedding_cache.hpp"
#include "stores/in_memory/flag_lock.hpp"
#include "stores/in_memory/graph.hpp"
#include "stores/in_memory/graph_fold.hpp"
#include "stores/in_memory/ledger.hpp"
#include "stores/in_memory/memories.hpp"
#include "stores/in_memory/merges.hpp"
#include "stores/in_memory/other_vectors.hpp"
#include "stores/in_memory/outbox.hpp"
#include "stores/in_memory/ranking_material.hpp"
#include "stores/in_memory/search.hpp"
#include "stores/in_memory/state.hpp"
#include "stores/in_memory/statements.hpp"

namespace bb5 {
namespace {

using namespace in_memory;  // NOLINT(google-build-using-namespace): the parts of this class

/// What `work` returns; success, when it returns nothing.
template <class Work, class S>
using Outcome = std::conditional_t<std::is_void_v<std::invoke_result_t<Work&, S&>>, Result<>,
                                   std::invoke_result_t<Work&, S&>>;

template <class S, class Work>
Outcome<Work, S> outcome_of(Work& work, S& state) {
  if constexpr (std::is_void_v<std::invoke_result_t<Work&, S&>>) {
    work(state);
    return ok();
  } else {
    return work(state);
  }
}

Result<> no_index() {
  return Error{Errc::unsupported, "a bank in memory has no index", "choose none"};
}

/// Takes the lock that a call needs, and leaves the rest to the parts.
class InMemoryBank final : public Bank {
 public:
  // --- memories ---

  Result<WriteOutcome> write(const WriteBatch& batch) override {
    return all_or_nothing([&](State& s) { return write_batch(s, batch); });
  }
  Result<std::vector<Memory>> get(std::span<const MemoryId> ids,
                                  bool with_embeddings) const override {
    return read([&](const State& s) { return get_memories(s, ids, with_embeddings); });
  }
  Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const override {
    return read([&](const State& s) { return find_memories(s, legacy_id_or_uuid); });
  }
  Result<std::vector<Memory>> page(const PageRequest& request) const override {
    return read([&](const State& s) { return page_of_memories(s, request); });
  }
  Result<bool> erase(const MemoryId& id) override {
    return change([&](State& s) { return erase_memory(s, id); });
  }
  Result<StoreStats> stats() const override {
    return read([](const State& s) { return read_stats(s); });
  }
  Result<std::int64_t> count() const override {
    return read([](const State& s) { return std::int64_t{std::ssize(s.memories.by_seq)}; });
  }
  Result<EmbedderInfo> embedder() const override {
    return read([](const State& s) { return s.embedder; });
  }
  Result<> set_embedder(const EmbedderInfo& embedder) override {
    return change([&](State& s) { return record_embedder(s, embedder); });
  }
  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) override {
    return change([&](State& s) { return give_made_vectors(s, embedder, vectors); });
  }
  Result<std::vector<std::string>> check(bool) const override { return std::vector<std::string>{}; }

  // --- vectors of other models ---

  Result<Lack> lack_of(std::string_view model) const override {
    return read([&](const State& s) { return count_lack(s, model); });
  }
  Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                      std::size_t limit) const override {
    return read([&](const State& s) { return page_of_lacking(s, model, after_seq, limit); });
  }
  Result<std::int64_t> hold_vectors(const EmbedderInfo& of,
                                    std::span<const MadeVector> vectors) override {
    return change([&](State& s) { return put_other_vectors(s, of, vectors); });
  }
  Result<std::vector<Held>> held_vectors(std::string_view model, std::int64_t after_seq,
                                         std::size_t limit) const override {
    return read([&](const State& s) { return page_of_other_vectors(s, model, after_seq, limit); });
  }
  Result<std::int64_t> change_model(const EmbedderInfo& next) override {
    return all_or_nothing([&](State& s) { return exchange_vectors(s, next); });
  }
  Result<std::int64_t> drop_other_vectors() override {
    return change([](State& s) { return remove_other_vectors(s); });
  }

  // --- search ---

  Result<SearchResult> nearest(const QueryVector& query, std::size_t k,
                               const MemoryFilter& filter) const override {
    return read([&](const State& s) { return search_vectors(s, query, k, filter); });
  }
  Result<SearchResult> keyword(std::string_view text, std::size_t k,
                               const MemoryFilter& filter) const override {
    return read([&](const State& s) { return search_keywords(s, text, k, filter); });
  }
  // Every search is exact: there is no index.
  Result<Status> vector_index() const override {
    return read([](const State& s) -> Result<Status> {
      const StoreStats stats = read_stats(s);
      const auto indexed = stats.vectors.find(VectorState::indexed);
      const std::int64_t vectors = indexed == stats.vectors.end() ? 0 : indexed->second;
      return Status{.vectors = vectors, .tail = vectors};
    });
  }
  Result<SearchResult> nearest_exact(const QueryVector& query, std::size_t k) const override {
    return nearest(query, k, {});
  }
  Result<SearchResult> nearest_with(std::int32_t, const QueryVector& query,
                                    std::size_t k) const override {
    return nearest(query, k, {});
  }
  Result<> set_effort(std::int32_t, double) override { return no_index(); }
  Result<> rebuild_index(const Choice& choice, const DeriveProgress&) override {
    return choice.kind.value_or(VectorIndexKind::none) == VectorIndexKind::none ? ok() : no_index();
  }

  Result<std::vector<ranking::Neighbour>> near(
      std::span<const ranking::Reach> memories) const override {
    return read([&](const State& s) { return find_thread_neighbours(s, memories); });
  }
  Result<RankingMaterial> ranking_material(
      std::span<const MemoryId> memories, const QueryVector* query, const MemoryFilter& filter,
      std::span<const ranking::AskedTerm> terms) const override {
    return read(
        [&](const State& s) { return gather_ranking_material(s, memories, query, filter, terms); });
  }
  Result<std::vector<DerivedStep>> derived_steps() const override {
    return std::vector<DerivedStep>{};
  }
  Result<> derive(const DeriveProgress&) override { return ok(); }

  Result<std::vector<WriteAction>> cache_embeddings(std::span<const Entry> entries,
                                                    const LedgerBatch* ledger) override {
    return all_or_nothing([&](State& s) -> Result<std::vector<WriteAction>> {
      auto actions = put_cached_embeddings(s, entries);
      if (ledger != nullptr) BB5_TRY(write_ledger_batch(s, *ledger, actions));
      return actions;
    });
  }
  Result<std::optional<std::vector<float>>> cached_embedding(
      std::string_view model, std::string_view text_md5) const override {
    return read([&](const State& s) { return read_cached_embedding(s, model, text_md5); });
  }
  Result<std::vector<Entry>> cached_embeddings(std::string_view after_model,
                                               std::string_view after_md5,
                                               std::size_t limit) const override {
    return read([&](const State& s) {
      return page_of_cached_embeddings(s, after_model, after_md5, limit);
    });
  }
  Result<> keep_computed(std::span<const Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) override {
    return change([&](State& s) { put_computed_embeddings(s, entries, used, limit_bytes); });
  }
  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) override {
    return change([&](State& s) { update_use(s, model, text_md5, used); });
  }

  // --- statements ---

  Result<Missing> missing_statements(std::size_t limit) const override {
    return read([&](const State& s) { return read_missing_statements(s, limit); });
  }
  Result<> index_statements(std::span<const StatementKey> entries, std::int64_t up_to) override {
    return change([&](State& s) { put_statements(s, entries, up_to); });
  }
  Result<std::vector<StatementKey>> statements(std::span<const std::int64_t> keys) const override {
    return read([&](const State& s) { return read_statements(s, keys); });
  }

  // --- the graph ---

  Result<GraphCounts> graph_counts() const override {
    return read([](const State& s) { return count_graph(s); });
  }
  Result<std::vector<Entity>> entities(std::string_view after_key,
                                       std::size_t limit) const override {
    return read(
        [&](const State& s) { return page_of(s.graph.entities, std::string(after_key), limit); });
  }
  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const override {
    return read([&](const State& s) {
      return page_of(s.graph.relationships, std::string(after_key), limit);
    });
  }
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    return read([&](const State& s) { return page_of_mentions(s, after, limit); });
  }
  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    return read([&](const State& s) { return read_neighbours(s, entity_key, limit); });
  }
  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    return read([&](const State& s) { return read_entity_named(s, name); });
  }
  Result<> fold_graph() override {
    return change([](State& s) { fold_everything(s); });
  }
  Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq,
                                               std::size_t limit) const override {
    return read([&](const State& s) { return page_of(s.entity_facts.by_seq, after_seq, limit); });
  }
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                           std::size_t limit) const override {
    return read(
        [&](const State& s) { return page_of(s.relationship_facts.by_seq, after_seq, limit); });
  }
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const override {
    return read([&](const State& s) { return s.entity_facts.get(ids); });
  }
  Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const override {
    return read([&](const State& s) { return s.relationship_facts.get(ids); });
  }
  Result<std::vector<EntityMerge>> merges() const override {
    return read([](const State& s) { return read_merges(s); });
  }
  Result<> merge_entities(std::span<const EntityMerge> merges) override {
    return change([&](State& s) { return add_merges(s, merges); });
  }
  Result<bool> split_entity(std::string_view from_key) override {
    return change([&](State& s) { return remove_merge(s, from_key); });
  }
  Result<std::vector<KeptApart>> kept_apart() const override {
    return read([](const State& s) { return s.apart; });
  }
  Result<> keep_apart(std::span<const KeptApart> pairs) override {
    return change([&](State& s) { return add_kept_apart(s, pairs); });
  }
  Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) override {
    return change([&](State& s) { return remove_pair(s.apart, key, other); });
  }
  Result<> visit_entities(std::int64_t after_rev,
                          const std::function<void(const Entity&)>& visit) const override {
    return read([&](const State& s) { in_memory::visit_entities(s, after_rev, visit); });
  }
  Result<ResolvedMark> resolved_mark() const override {
    return read([](const State& s) { return read_resolved_mark(s); });
  }
  Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                  std::int64_t up_to) override {
    return change([&](State& s) { return add_resolved_merges(s, merges, up_to); });
  }
  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) override {
    return read([&](const State& s) { return read_pending_changes(s, limit); });
  }
  Result<> mark_applied(std::span<const GraphChange> changes) override {
    return change([&](State& s) { mark_changes_applied(s, changes); });
  }
  Result<> requeue_all() override {
    return change([](State& s) { requeue_everything(s); });
  }
  Result<std::unique_ptr<MigrationLock>> lock_relay() override {
    return FlagLock::take(relay_flag_, "relay");
  }

  // --- documents ---

  Result<std::optional<RetainedDocument>> document(std::string_view source) const override {
    return read([&](const State& s) { return read_document(s, source); });
  }
  Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                  std::size_t limit) const override {
    return read([&](const State& s) { return page_of(s.documents, after_source, limit); });
  }
  Result<std::int64_t> times_said(const MemoryId& memory) const override {
    return read([&](const State& s) { return count_sayings(s, memory); });
  }
  Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const override {
    return read([&](const State& s) { return read_standings(s, memories); });
  }

  // --- the ledger ---

  Result<std::unique_ptr<MigrationLock>> lock_migration() override {
    return FlagLock::take(migration_flag_, "migration");
  }
  Result<> begin_run(const LedgerRun& run) override {
    return change([&](State& s) { s.runs.push_back(run); });
  }
  Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) override {
    return change([&](State& s) { return in_memory::restore_run(s, run, batches); });
  }
  Result<std::vector<LedgerRun>> runs() const override {
    return read([](const State& s) { return read_runs(s); });
  }
  Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) override {
    return change([&](State& s) { update_file_records(s, run, file, records); });
  }
  Result<> set_run_state(const RunId& run, RunState state,
                         std::optional<Timestamp> ended) override {
    return change([&](State& s) { return update_run_state(s, run, state, ended); });
  }
  Result<std::vector<LedgerBatch>> batches(const RunId& run) const override {
    return read([&](const State& s) { return read_batches(s, run); });
  }
  Result<std::vector<FileIssue>> issues(const RunId& run, std::size_t limit) const override {
    return read([&](const State& s) { return read_issues(s, run, limit); });
  }

 private:
  /// `work` over one state of the bank.
  template <class Work>
  Outcome<Work, const State> read(Work work) const {
    const std::shared_lock lock(mutex_);
    return outcome_of(work, state_);
  }

  /// `work` with nobody else there. Where it fails, it has changed nothing yet.
  template <class Work>
  Outcome<Work, State> change(Work work) {
    const std::unique_lock lock(mutex_);
    return outcome_of(work, state_);
  }

  /// The same of `work` that may fail half way: all of it, or, when it fails, nothing.
  template <class Work>
  Outcome<Work, State> all_or_nothing(Work work) {
    return change([&](State& state) {
      State before = state;
      auto result = work(state);
      if (!result) state = std::move(before);
      return result;
    });
  }

  mutable std::shared_mutex mutex_;
  State state_;  // guarded by mutex_
  std::shared_ptr<std::atomic_flag> migration_flag_ = std::make_shared<std::atomic_flag>();
  std::shared_ptr<std::atomic_flag> relay_flag_ = std::make_shared<std::atomic_flag>();
};

}  // namespace

std::unique_ptr<Bank> new_in_memory_bank() {
  return std::make_unique<InMemoryBank>();
}

}  // namespace bb5
