#include "stores/in_memory/in_memory_bank.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "model/cosine.hpp"
#include "model/graph_fold.hpp"
#include "model/made_vector.hpp"

namespace bb5 {
namespace {

/// A flag that one holder at a time may set.
class FlagLock final : public MigrationLock {
 public:
  explicit FlagLock(std::shared_ptr<std::atomic_flag> flag) : flag_(std::move(flag)) {}
  ~FlagLock() override { flag_->clear(); }
  FlagLock(const FlagLock&) = delete;
  FlagLock& operator=(const FlagLock&) = delete;

 private:
  std::shared_ptr<std::atomic_flag> flag_;
};

Result<std::unique_ptr<MigrationLock>> take(const std::shared_ptr<std::atomic_flag>& flag,
                                            const char* what) {
  if (flag->test_and_set())
    return Error{Errc::locked, fmt::format("another {} works on this bank", what)};
  return std::unique_ptr<MigrationLock>(std::make_unique<FlagLock>(flag));
}

bool matches(const MemoryFilter& filter, const Memory& memory) {
  const auto holds = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  const auto valid_at = [&](Timestamp moment) {
    return (!memory.valid_from || *memory.valid_from <= moment) &&
           (!memory.valid_until || *memory.valid_until > moment);
  };
  return holds(filter.networks, memory.network) && holds(filter.kinds, memory.kind) &&
         (!filter.valid_at || valid_at(*filter.valid_at));
}

/// Lower-cased words of letters and digits: enough to find things in tests.
std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : fold_name(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80) {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
  return words;
}

/// Facts of one kind in the order of writing, and where each id is among them.
template <class Fact>
struct FactTable {
  std::map<std::int64_t, Fact> by_seq;
  std::unordered_map<FactId, std::int64_t> seq_of;

  [[nodiscard]] const Fact* find(const FactId& id) const {
    const auto seq = seq_of.find(id);
    return seq == seq_of.end() ? nullptr : &by_seq.at(seq->second);
  }
  void put(const Fact& fact) {
    seq_of[fact.id] = fact.seq;
    by_seq.emplace(fact.seq, fact);
  }
  void erase(const FactId& id) {
    by_seq.erase(seq_of.at(id));
    seq_of.erase(id);
  }
  void erase_of(const MemoryId& memory) {
    std::erase_if(by_seq, [&](const auto& entry) {
      const bool named = entry.second.memory == memory;
      if (named) seq_of.erase(entry.second.id);
      return named;
    });
  }
};

/// Everything that a failed write must leave as it was: copied before, put back after.
struct State {
  std::map<std::int64_t, Memory> memories;  // by seq
  std::unordered_map<MemoryId, std::int64_t> seq_of;
  FactTable<EntityFact> entity_facts;
  FactTable<RelationshipFact> relationship_facts;
  std::int64_t next_seq = 1;
  std::int64_t next_fact_seq = 1;

  EntityMerges merges;
  std::vector<KeptApart> apart;
  std::int64_t resolved_rev = 0;
  FoldedGraph graph;
  std::int64_t graph_rev = 0;
  std::set<MemoryId> moved;  // to another network since the last fold
  struct Pending {
    std::int64_t id = 0;
    GraphChange change;
  };
  std::map<std::string, Pending> outbox;  // by kind and key
  std::int64_t next_outbox_id = 1;

  EmbedderInfo embedder;
  /// By model and seq. Those that memories came with stand in the memories too.
  std::map<std::string, std::map<std::int64_t, std::vector<float>>, std::less<>> other_vectors;
  struct Cached {
    std::vector<float> embedding;
    std::optional<Timestamp> used;  // nothing: imported
  };
  std::map<std::pair<std::string, std::string>, Cached> cache;

  std::map<std::string, RetainedDocument, std::less<>> documents;  // by source
  std::unordered_map<MemoryId, Standing> standings;                // those not by_itself
  std::unordered_map<MemoryId, std::int64_t> statements;           // the index: memory to key
  std::int64_t statements_to = 0;

  std::vector<LedgerRun> runs;  // oldest first
  std::map<std::tuple<Uuid, std::string, std::int64_t>, LedgerBatch> batches;
};

class InMemoryBank final : public Bank {
 public:
  Result<WriteOutcome> write(const WriteBatch& batch) override {
    const std::unique_lock lock(mutex_);
    State before = state_;
    auto outcome = write_locked(batch);
    if (!outcome) state_ = std::move(before);
    return outcome;
  }

  Result<std::vector<Memory>> get(std::span<const MemoryId> ids,
                                  bool with_embeddings) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Memory> found;
    for (const MemoryId& id : ids) {
      if (const auto seq = state_.seq_of.find(id); seq != state_.seq_of.end()) {
        found.push_back(shown(state_.memories.at(seq->second), with_embeddings));
      }
    }
    return found;
  }

  Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const override {
    const std::shared_lock lock(mutex_);
    const auto uuid = Uuid::parse(legacy_id_or_uuid);
    std::vector<Memory> found;
    for (const auto& [seq, memory] : state_.memories) {
      if (memory.legacy_id == legacy_id_or_uuid || (uuid && memory.id.uuid == *uuid))
        found.push_back(memory);
    }
    return found;
  }

  Result<std::vector<Memory>> page(const PageRequest& request) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Memory> found;
    for (auto at = state_.memories.upper_bound(request.after_seq); at != state_.memories.end();
         ++at) {
      if (found.size() == request.limit) break;
      if (request.without_vector && at->second.vector_state == VectorState::indexed) continue;
      if (matches(request.filter, at->second))
        found.push_back(shown(at->second, request.with_embeddings));
    }
    return found;
  }

  Result<bool> erase(const MemoryId& id) override {
    const std::unique_lock lock(mutex_);
    const auto seq = state_.seq_of.find(id);
    if (seq == state_.seq_of.end()) return false;
    state_.entity_facts.erase_of(id);
    state_.relationship_facts.erase_of(id);
    state_.memories.erase(seq->second);
    forget_other_vectors(seq->second);
    state_.seq_of.erase(seq);
    state_.standings.erase(id);
    state_.statements.erase(id);
    forget_absent();
    fold_locked();
    return true;
  }

  Result<Missing> missing_statements(std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    Missing missing{.after = state_.statements_to, .up_to = state_.next_seq - 1};
    for (auto at = state_.memories.upper_bound(missing.after); at != state_.memories.end(); ++at) {
      const Memory& memory = at->second;
      if (memory.kind != MemoryKind::memory || state_.statements.contains(memory.id)) continue;
      if (missing.memories.size() == limit) {
        missing.up_to = missing.memories.empty() ? missing.after : missing.memories.back().seq;
        break;
      }
      missing.memories.push_back(shown(memory, false));
    }
    return missing;
  }

  Result<> index_statements(std::span<const StatementKey> entries, std::int64_t up_to) override {
    const std::unique_lock lock(mutex_);
    for (const auto& [memory, key] : entries) {
      if (state_.seq_of.contains(memory)) state_.statements[memory] = key;
    }
    state_.statements_to = std::max(state_.statements_to, up_to);
    return ok();
  }

  Result<std::vector<StatementKey>> statements(std::span<const std::int64_t> keys) const override {
    const std::shared_lock lock(mutex_);
    std::vector<StatementKey> found;
    for (const auto& [memory, key] : state_.statements) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) found.push_back({memory, key});
    }
    return found;
  }

  Result<StoreStats> stats() const override {
    const std::shared_lock lock(mutex_);
    StoreStats stats;
    for (const auto& [seq, memory] : state_.memories) {
      ++stats.memories;
      ++stats.networks[memory.network];
      ++stats.kinds[memory.kind];
      ++stats.vectors[memory.vector_state];
      if (!memory.created_at) continue;
      if (!stats.oldest || *memory.created_at < *stats.oldest) stats.oldest = memory.created_at;
      if (!stats.newest || *memory.created_at > *stats.newest) stats.newest = memory.created_at;
    }
    stats.entities = std::ssize(state_.graph.entities);
    stats.relationships = std::ssize(state_.graph.relationships);
    stats.mentions = std::ssize(state_.graph.mentions);
    stats.outbox_pending = std::ssize(state_.outbox);
    stats.cached_embeddings = std::ssize(state_.cache);
    for (const auto& [model, vectors] : state_.other_vectors) {
      if (!vectors.empty()) stats.other_vectors[model] = std::ssize(vectors);
    }
    return stats;
  }

  Result<EmbedderInfo> embedder() const override {
    const std::shared_lock lock(mutex_);
    return state_.embedder;
  }

  Result<> set_embedder(const EmbedderInfo& embedder) override {
    const std::unique_lock lock(mutex_);
    BB5_TRY(check_embedder(embedder));
    if (state_.embedder.dimension != 0 && state_.embedder != embedder) {
      return other_embedder(state_.embedder);
    }
    state_.embedder = embedder;
    state_.other_vectors.erase(embedder.model);
    return ok();
  }

  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) override {
    const std::unique_lock lock(mutex_);
    if (embedder != state_.embedder) return other_embedder(state_.embedder);
    BB5_TRY(check_lengths(vectors, embedder.dimension));
    std::vector<Memory> given;
    for (const MadeVector& vector : vectors) {
      const auto seq = state_.seq_of.find(vector.id);
      if (seq == state_.seq_of.end()) continue;
      auto memory = with_vector(state_.memories.at(seq->second), vector);
      if (!memory) return std::move(memory).error();
      if (*memory) given.push_back(std::move(**memory));
    }
    for (Memory& memory : given) state_.memories.at(memory.seq) = std::move(memory);
    return std::ssize(given);
  }

  Result<std::vector<std::string>> check(bool) const override { return std::vector<std::string>{}; }

  // --- vectors of other models ---

  Result<Lack> lack_of(std::string_view model) const override {
    const std::shared_lock lock(mutex_);
    Lack lack;
    for (const auto& [seq, memory] : state_.memories) {
      if (!lacks(memory, model)) continue;
      ++lack.memories;
      lack.content_bytes += std::ssize(memory.content);
    }
    return lack;
  }

  Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                      std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Memory> found;
    for (auto at = state_.memories.upper_bound(after_seq);
         at != state_.memories.end() && found.size() < limit; ++at) {
      if (lacks(at->second, model)) found.push_back(shown(at->second, false));
    }
    return found;
  }

  Result<std::int64_t> hold_vectors(const EmbedderInfo& of,
                                    std::span<const MadeVector> vectors) override {
    const std::unique_lock lock(mutex_);
    if (of.model == state_.embedder.model) return own_model(of.model);
    BB5_TRY(check_lengths(vectors, of.dimension));
    BB5_TRY(check_numbers(vectors));
    std::int64_t held = 0;
    for (const MadeVector& vector : vectors) {
      const auto seq = state_.seq_of.find(vector.id);
      if (seq == state_.seq_of.end()) continue;
      const Memory& memory = state_.memories.at(seq->second);
      if (content_sha256_of(memory.content) != vector.content_sha256) continue;
      held += state_.other_vectors[of.model].try_emplace(seq->second, vector.embedding).second;
    }
    return held;
  }

  Result<std::vector<Held>> held_vectors(std::string_view model, std::int64_t after_seq,
                                         std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Held> found;
    const auto vectors = state_.other_vectors.find(model);
    if (vectors == state_.other_vectors.end()) return found;
    for (auto at = vectors->second.upper_bound(after_seq);
         at != vectors->second.end() && found.size() < limit; ++at) {
      const Memory& memory = state_.memories.at(at->first);
      found.push_back({at->first, {memory.id, content_sha256_of(memory.content), at->second}});
    }
    return found;
  }

  Result<std::int64_t> change_model(const EmbedderInfo& next) override {
    const std::unique_lock lock(mutex_);
    if (next == state_.embedder) return 0;
    if (next.model == state_.embedder.model) return other_embedder(state_.embedder);
    BB5_TRY(check_embedder(next));
    std::int64_t lack = 0;
    for (const auto& [seq, memory] : state_.memories) lack += lacks(memory, next.model) ? 1 : 0;
    if (lack > 0) return lack;
    State before = state_;
    auto changed = exchange_vectors(next);
    if (!changed) {
      state_ = std::move(before);
      return std::move(changed).error();
    }
    state_.embedder = next;
    return 0;
  }

  Result<std::int64_t> drop_other_vectors() override {
    const std::unique_lock lock(mutex_);
    std::int64_t dropped = 0;
    for (const auto& [model, vectors] : state_.other_vectors) dropped += std::ssize(vectors);
    state_.other_vectors.clear();
    for (auto& [seq, memory] : state_.memories) {
      if (memory.given) memory.given.emplace();
    }
    return dropped;
  }

  Result<SearchResult> nearest(const QueryVector& asked, std::size_t k,
                               const MemoryFilter& filter) const override {
    const std::shared_lock lock(mutex_);
    if (!asked.model.empty() && asked.model != state_.embedder.model)
      return other_embedder(state_.embedder);
    const std::span<const float> query = asked.numbers;
    BB5_TRY(check_query(query));
    SearchResult result{.plan = {.index = "exact", .exact = true, .looked_at = 0}};
    for (const auto& [seq, memory] : state_.memories) {
      if (memory.embedding.empty() || !matches(filter, memory)) continue;
      ++result.plan.looked_at;
      result.hits.push_back({memory.id, seq, cosine(query, memory.embedding)});
    }
    keep_best(result.hits, k);
    return result;
  }

  Result<SearchResult> keyword(std::string_view text, std::size_t k,
                               const MemoryFilter& filter) const override {
    const std::shared_lock lock(mutex_);
    const auto wanted = words_of(text);
    SearchResult result{.plan = {.index = "words", .exact = true, .looked_at = 0}};
    for (const auto& [seq, memory] : state_.memories) {
      if (!matches(filter, memory)) continue;
      ++result.plan.looked_at;
      const auto words = words_of(memory.content);
      const auto shared = std::count_if(wanted.begin(), wanted.end(),
                                        [&](const auto& word) { return words.contains(word); });
      if (shared > 0) result.hits.push_back({memory.id, seq, static_cast<double>(shared)});
    }
    keep_best(result.hits, k);
    return result;
  }

  Result<std::vector<DerivedStep>> derived_steps() const override {
    return std::vector<DerivedStep>{};
  }
  Result<> derive(const DeriveProgress&) override { return ok(); }

  Result<std::vector<WriteAction>> cache_embeddings(std::span<const Entry> entries,
                                                    const LedgerBatch* ledger) override {
    const std::unique_lock lock(mutex_);
    State before = state_;
    std::vector<WriteAction> actions;
    for (const Entry& entry : entries) {
      const auto [place, fresh] = state_.cache.try_emplace({entry.model, entry.text_md5});
      actions.push_back(fresh                                        ? WriteAction::inserted
                        : place->second.embedding == entry.embedding ? WriteAction::identical
                                                                     : WriteAction::replaced);
      place->second = {entry.embedding, std::nullopt};
    }
    if (ledger != nullptr) {
      if (auto written = write_ledger(*ledger, actions); !written) {
        state_ = std::move(before);
        return std::move(written).error();
      }
    }
    return actions;
  }

  Result<std::optional<std::vector<float>>> cached_embedding(
      std::string_view model, std::string_view text_md5) const override {
    const std::shared_lock lock(mutex_);
    const auto found = state_.cache.find({std::string(model), std::string(text_md5)});
    if (found == state_.cache.end()) return std::optional<std::vector<float>>{};
    return std::optional(found->second.embedding);
  }

  Result<std::vector<Entry>> cached_embeddings(std::string_view after_model,
                                               std::string_view after_md5,
                                               std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Entry> entries;
    for (auto at = state_.cache.upper_bound({std::string(after_model), std::string(after_md5)});
         at != state_.cache.end() && entries.size() < limit; ++at) {
      if (at->second.used) continue;
      entries.push_back({at->first.second, at->first.first, at->second.embedding});
    }
    return entries;
  }

  Result<> keep_computed(std::span<const Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) override {
    const std::unique_lock lock(mutex_);
    for (const Entry& entry : entries)
      state_.cache.try_emplace({entry.model, entry.text_md5}, State::Cached{entry.embedding, used});
    forget_longest_unused(limit_bytes);
    return ok();
  }

  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) override {
    const std::unique_lock lock(mutex_);
    const auto found = state_.cache.find({std::string(model), std::string(text_md5)});
    if (found == state_.cache.end() || !found->second.used) return ok();
    if (*found->second.used <= used - cache_use_step) found->second.used = used;
    return ok();
  }

  // --- the graph ---

  Result<GraphCounts> graph_counts() const override {
    const std::shared_lock lock(mutex_);
    return GraphCounts{std::ssize(state_.graph.entities), std::ssize(state_.graph.relationships),
                       std::ssize(state_.graph.mentions)};
  }

  Result<std::vector<Entity>> entities(std::string_view after_key,
                                       std::size_t limit) const override {
    return page_of(&FoldedGraph::entities, after_key, limit);
  }
  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const override {
    return page_of(&FoldedGraph::relationships, after_key, limit);
  }
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Mention> found;
    for (const Mention& mention : state_.graph.mentions) {
      if (found.size() == limit) break;
      if (std::tie(mention.memory, mention.entity_key) > std::tie(after.memory, after.entity_key))
        found.push_back(mention);
    }
    return found;
  }

  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Neighbour> found;
    for (const auto& [key, edge] : state_.graph.relationships) {
      if (edge.subject_key == entity_key) {
        found.push_back(
            {state_.graph.entities.at(edge.object_key), edge.predicate, true, edge.confidence});
      }
      if (edge.object_key == entity_key) {
        found.push_back(
            {state_.graph.entities.at(edge.subject_key), edge.predicate, false, edge.confidence});
      }
    }
    std::sort(found.begin(), found.end(), [](const Neighbour& a, const Neighbour& b) {
      const double left = a.confidence.value_or(-1);
      const double right = b.confidence.value_or(-1);
      if (left != right) return left > right;
      return std::tuple(a.entity.key, a.predicate, !a.outgoing) <
             std::tuple(b.entity.key, b.predicate, !b.outgoing);
    });
    if (found.size() > limit) found.resize(limit);
    return found;
  }

  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    const std::shared_lock lock(mutex_);
    const auto meant = state_.graph.meanings.find(name_key_of(name));
    if (meant == state_.graph.meanings.end()) return std::optional<Entity>{};
    return std::optional(state_.graph.entities.at(meant->second));
  }

  Result<> fold_graph() override {
    const std::unique_lock lock(mutex_);
    fold_locked();
    return ok();
  }

  Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq,
                                               std::size_t limit) const override {
    return facts_after(state_.entity_facts, after_seq, limit);
  }
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                           std::size_t limit) const override {
    return facts_after(state_.relationship_facts, after_seq, limit);
  }
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const override {
    return facts_of_ids(state_.entity_facts, ids);
  }
  Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const override {
    return facts_of_ids(state_.relationship_facts, ids);
  }

  Result<std::vector<EntityMerge>> merges() const override {
    const std::shared_lock lock(mutex_);
    std::vector<EntityMerge> merges;
    for (const auto& [from, merge] : state_.merges.all()) merges.push_back(merge);
    return merges;
  }

  Result<> merge_entities(std::span<const EntityMerge> merges) override {
    const std::unique_lock lock(mutex_);
    return merge_locked(merges);
  }

  Result<bool> split_entity(std::string_view from_key) override {
    const std::unique_lock lock(mutex_);
    auto rest = without_merge(state_.merges, from_key);
    if (!rest) return std::move(rest).error();
    if (!*rest) return false;
    state_.merges = EntityMerges(**rest);
    fold_locked();
    return true;
  }

  Result<std::vector<KeptApart>> kept_apart() const override {
    const std::shared_lock lock(mutex_);
    return state_.apart;
  }

  Result<> keep_apart(std::span<const KeptApart> pairs) override {
    const std::unique_lock lock(mutex_);
    auto all = with_apart(state_.apart, pairs);
    if (!all) return std::move(all).error();
    state_.apart = *std::move(all);
    return ok();
  }

  Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) override {
    const std::unique_lock lock(mutex_);
    return remove_pair(state_.apart, key, other);
  }

  Result<> visit_entities(std::int64_t after_rev,
                          const std::function<void(const Entity&)>& visit) const override {
    const std::shared_lock lock(mutex_);
    for (const auto& [key, entity] : state_.graph.entities)
      if (entity.rev > after_rev) visit(entity);
    return ok();
  }
  Result<ResolvedMark> resolved_mark() const override {
    const std::shared_lock lock(mutex_);
    return ResolvedMark{state_.resolved_rev, state_.graph_rev};
  }

  Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                  std::int64_t up_to) override {
    const std::unique_lock lock(mutex_);
    std::vector<EntityMerge> accepted = mergeable(state_.merges, merges, state_.apart);
    if (!accepted.empty()) BB5_TRY(merge_locked(accepted));
    state_.resolved_rev = std::max(state_.resolved_rev, up_to);
    return accepted;
  }

  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) override {
    const std::shared_lock lock(mutex_);
    std::vector<GraphChange> changes;
    for (const auto& [key, pending] : state_.outbox) {
      if (changes.size() == limit) break;
      changes.push_back(pending.change);
      changes.back().outbox_id = pending.id;
    }
    return changes;
  }

  Result<> mark_applied(std::span<const GraphChange> changes) override {
    const std::unique_lock lock(mutex_);
    for (const GraphChange& change : changes) {
      const auto pending = state_.outbox.find(outbox_key(change));
      if (pending != state_.outbox.end() && pending->second.change.rev <= change.rev)
        state_.outbox.erase(pending);
    }
    return ok();
  }

  Result<> requeue_all() override {
    const std::unique_lock lock(mutex_);
    for (const auto& [key, entity] : state_.graph.entities) enqueue(entity, false);
    for (const auto& [key, edge] : state_.graph.relationships) enqueue(edge, false);
    for (const Mention& mention : state_.graph.mentions) enqueue(mention, false);
    return ok();
  }

  // --- documents ---

  Result<std::optional<RetainedDocument>> document(std::string_view source) const override {
    const std::shared_lock lock(mutex_);
    const auto found = state_.documents.find(source);
    if (found == state_.documents.end()) return std::optional<RetainedDocument>{};
    return std::optional(found->second);
  }

  Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                  std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<RetainedDocument> found;
    for (auto at = state_.documents.upper_bound(after_source);
         at != state_.documents.end() && found.size() < limit; ++at)
      found.push_back(at->second);
    return found;
  }

  Result<std::int64_t> times_said(const MemoryId& memory) const override {
    const std::shared_lock lock(mutex_);
    std::int64_t times = 0;
    for (const auto& [source, document] : state_.documents)
      times += std::count(document.memories.begin(), document.memories.end(), memory);
    return times;
  }

  Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const override {
    const std::shared_lock lock(mutex_);
    std::vector<Standing> found;
    for (const MemoryId& id : memories) found.push_back(standing_of(id).value_or(Standing{}));
    return found;
  }

  Result<std::unique_ptr<MigrationLock>> lock_relay() override {
    return take(relay_flag_, "relay");
  }
  Result<std::unique_ptr<MigrationLock>> lock_migration() override {
    return take(migration_flag_, "migration");
  }

  // --- the ledger ---

  Result<> begin_run(const LedgerRun& run) override {
    const std::unique_lock lock(mutex_);
    state_.runs.push_back(run);
    return ok();
  }

  Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) override {
    const std::unique_lock lock(mutex_);
    for (const LedgerRun& held : state_.runs) {
      if (held.run == run.run) return Error{Errc::conflict, "the ledger has this run already"};
    }
    state_.runs.push_back(run);
    for (const LedgerBatch& batch : batches)
      state_.batches.insert_or_assign({run.run.uuid, batch.file, batch.batch_no}, batch);
    return ok();
  }

  Result<std::vector<LedgerRun>> runs() const override {
    const std::shared_lock lock(mutex_);
    return std::vector<LedgerRun>(state_.runs.rbegin(), state_.runs.rend());
  }

  Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) override {
    const std::unique_lock lock(mutex_);
    for (LedgerRun& candidate : state_.runs) {
      if (candidate.run != run) continue;
      for (LedgerFile& part : candidate.files) {
        if (part.file == file) part.records = records;
      }
    }
    return ok();
  }

  Result<> set_run_state(const RunId& run, RunState state,
                         std::optional<Timestamp> ended) override {
    const std::unique_lock lock(mutex_);
    for (LedgerRun& candidate : state_.runs) {
      if (candidate.run != run) continue;
      candidate.state = state;
      candidate.ended = ended;
      return ok();
    }
    return Error{Errc::not_found, "no such run"};
  }

  Result<std::vector<LedgerBatch>> batches(const RunId& run) const override {
    const std::shared_lock lock(mutex_);
    std::vector<LedgerBatch> found;
    for (const auto& [key, batch] : state_.batches) {
      if (batch.run != run) continue;
      found.push_back(batch);
      found.back().issues.clear();
      found.back().places.clear();
    }
    return found;
  }

  Result<std::vector<FileIssue>> issues(const RunId& run, std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    std::vector<FileIssue> found;
    for (const auto& [key, batch] : state_.batches) {
      if (batch.run != run) continue;
      for (const LedgerIssue& issue : batch.issues) found.push_back({batch.file, issue});
    }
    std::stable_sort(found.begin(), found.end(), [](const FileIssue& a, const FileIssue& b) {
      return std::tie(a.file, a.issue.ordinal) < std::tie(b.file, b.issue.ordinal);
    });
    if (found.size() > limit) found.resize(limit);
    return found;
  }

 private:
  static bool takes_part(const Memory& memory) {
    return memory.kind == MemoryKind::memory || memory.vector_state == VectorState::indexed;
  }
  [[nodiscard]] bool lacks(const Memory& memory, std::string_view model) const {
    const auto vectors = state_.other_vectors.find(model);
    return takes_part(memory) && model != state_.embedder.model &&
           (vectors == state_.other_vectors.end() || !vectors->second.contains(memory.seq));
  }

  /// Every memory that takes part has its vector of the next model.
  Result<> exchange_vectors(const EmbedderInfo& next) {
    const std::string present = state_.embedder.model;
    auto vectors = std::move(state_.other_vectors[next.model]);
    state_.other_vectors.erase(next.model);
    for (auto& [seq, vector] : vectors) {
      Memory& memory = state_.memories.at(seq);
      if (vector.size() != next.dimension) return of_several_lengths(next);
      if (!takes_part(memory)) continue;
      if (memory.vector_state == VectorState::indexed)
        state_.other_vectors[present][seq] = memory.embedding;
      auto changed = with_model_changed(std::move(memory), present, next.model, std::move(vector));
      if (!changed) return std::move(changed).error();
      memory = std::move(*changed);
    }
    return ok();
  }

  void forget_other_vectors(std::int64_t seq) {
    for (auto& [model, vectors] : state_.other_vectors) vectors.erase(seq);
  }

  /// What a memory came with is among the vectors of its model.
  void keep_given(const Memory& memory) {
    if (memory.given && !memory.given->dropped())
      state_.other_vectors[memory.given->model][memory.seq] = memory.given->numbers;
  }

  static Result<> check_embedder(const EmbedderInfo& embedder) {
    if (embedder.dimension != 0 && embedder.dimension <= 16'000 && !embedder.model.empty())
      return ok();
    return Error{
        Errc::invalid_argument,
        fmt::format("an embedder needs a name and 1 to 16000 numbers, not {}", embedder.dimension)};
  }

  void forget_longest_unused(std::int64_t limit_bytes) {
    std::vector<decltype(state_.cache)::iterator> computed;
    for (auto at = state_.cache.begin(); at != state_.cache.end(); ++at) {
      if (at->second.used) computed.push_back(at);
    }
    std::stable_sort(computed.begin(), computed.end(), [](const auto& a, const auto& b) {
      return *a->second.used > *b->second.used;
    });
    std::int64_t bytes = 0;
    for (const auto& at : computed) {
      bytes += 4 * std::ssize(at->second.embedding);
      if (bytes > limit_bytes) state_.cache.erase(at);
    }
  }

  static Memory shown(Memory memory, bool with_embeddings) {
    if (!with_embeddings) memory.embedding.clear();
    if (!with_embeddings) memory.given.reset();
    return memory;
  }

  static void keep_best(std::vector<Hit>& hits, std::size_t k) {
    std::stable_sort(hits.begin(), hits.end(),
                     [](const Hit& a, const Hit& b) { return a.score > b.score; });
    if (hits.size() > k) hits.resize(k);
  }

  Result<> check_query(std::span<const float> query) const {
    if (query.size() != state_.embedder.dimension) {
      return Error{Errc::invalid_argument,
                   fmt::format("the query has {} numbers, the bank's vectors {}", query.size(),
                               state_.embedder.dimension)};
    }
    const bool finite =
        std::all_of(query.begin(), query.end(), [](float x) { return std::isfinite(x); });
    const bool zero = std::all_of(query.begin(), query.end(), [](float x) { return x == 0; });
    if (!finite || zero)
      return Error{Errc::invalid_argument, "the query's vector must be finite and not all zero"};
    return ok();
  }

  Result<WriteOutcome> write_locked(const WriteBatch& batch) {
    WriteOutcome outcome;
    if (!batch.standings.empty() && batch.standings.size() != batch.memories.size())
      return Error{Errc::invalid_argument, "a batch has one standing for each memory, or none"};
    if (!batch.statement_keys.empty() && batch.statement_keys.size() != batch.memories.size())
      return Error{Errc::invalid_argument,
                   "a batch has one statement key for each memory, or none"};
    BB5_TRY(validate(batch.documents));
    for (const DocumentChange& change : batch.documents) BB5_TRY(open_document(change));
    for (std::size_t i = 0; i < batch.memories.size(); ++i) {
      const Memory& memory = batch.memories[i];
      BB5_TRY(validate(memory));
      if (!memory.embedding.empty() && !batch.model.empty() && batch.model != state_.embedder.model)
        return other_embedder(state_.embedder);
      if (!memory.embedding.empty() && memory.embedding.size() != state_.embedder.dimension) {
        return Error{
            Errc::invalid_argument,
            fmt::format("memory {} has a vector of {} numbers, the bank's have {}",
                        memory.legacy_id, memory.embedding.size(), state_.embedder.dimension)};
      }
      const auto held = standing_of(memory.id);
      auto action = put(memory, batch.on_conflict);
      if (!action) return std::move(action).error();
      if (*action != WriteAction::conflict)
        state_.standings[memory.id] = standing_after(held, wanted_standing(batch, i));
      const bool written = *action == WriteAction::inserted || *action == WriteAction::replaced;
      if (written && !batch.statement_keys.empty() && memory.kind == MemoryKind::memory)
        state_.statements[memory.id] = batch.statement_keys[i];
      outcome.memories.push_back(*action);
    }
    for (const EntityFact& fact : batch.entity_facts) {
      outcome.entity_facts.push_back(put_fact(state_.entity_facts, fact, batch.on_conflict));
    }
    for (const RelationshipFact& fact : batch.relationship_facts) {
      outcome.relationship_facts.push_back(
          put_fact(state_.relationship_facts, fact, batch.on_conflict));
    }
    forget_absent();
    BB5_TRY(close_documents(batch));
    if (batch.ledger != nullptr) {
      const auto& actions = batch.ledger->part == LedgerPart::memories ? outcome.memories
                            : batch.ledger->part == LedgerPart::entities
                                ? outcome.entity_facts
                                : outcome.relationship_facts;
      BB5_TRY(write_ledger(*batch.ledger, actions));
    }
    if (batch.fold) fold_locked();
    return outcome;
  }

  /// Nothing: the bank does not hold the memory.
  [[nodiscard]] std::optional<Standing> standing_of(const MemoryId& id) const {
    if (!state_.seq_of.contains(id)) return std::nullopt;
    const auto found = state_.standings.find(id);
    return found == state_.standings.end() ? Standing::by_itself : found->second;
  }

  static bool says(const RetainedDocument& document, const MemoryId& memory) {
    return std::find(document.memories.begin(), document.memories.end(), memory) !=
           document.memories.end();
  }

  static Standing wanted_standing(const WriteBatch& batch, std::size_t place) {
    if (!batch.standings.empty()) return batch.standings[place];
    const MemoryId& id = batch.memories[place].id;
    const bool said = std::any_of(batch.documents.begin(), batch.documents.end(),
                                  [&](const DocumentChange& c) { return says(c.document, id); });
    return said ? Standing::said : Standing::by_itself;
  }

  /// Before the batch: opens again what the document says again.
  Result<> open_document(const DocumentChange& change) {
    const auto held = state_.documents.find(change.document.source);
    BB5_TRY(check_follows(change, held == state_.documents.end()
                                      ? std::nullopt
                                      : std::optional(held->second.digest)));
    for (const MemoryId& id : change.document.memories) {
      if (standing_of(id) != Standing::unsaid) continue;
      state_.memories.at(state_.seq_of.at(id)).valid_until.reset();
      state_.standings[id] = Standing::said;
    }
    return ok();
  }

  /// After the batch: puts the documents' new states in the places of the former ones, then removes
  /// and closes what has lost its ground.
  Result<> close_documents(const WriteBatch& batch) {
    std::vector<RetainedDocument> former;
    for (const DocumentChange& change : batch.documents) {
      BB5_TRY(check_names(change.document));
      former.push_back(std::exchange(state_.documents[change.document.source],
                                     RetainedDocument(change.document)));
    }
    for (std::size_t i = 0; i < former.size(); ++i) {
      remove_unsaid(state_.entity_facts, former[i].entity_facts, batch.entity_facts,
                    &RetainedDocument::entity_facts);
      remove_unsaid(state_.relationship_facts, former[i].relationship_facts,
                    batch.relationship_facts, &RetainedDocument::relationship_facts);
      for (const MemoryId& id : former[i].memories)
        close_if_unsaid(id, batch.documents[i].document.retained_at);
    }
    return ok();
  }

  Result<> check_names(const RetainedDocument& document) const {
    for (const MemoryId& id : document.memories) {
      if (!state_.seq_of.contains(id)) return names_nothing(document, id);
    }
    for (const FactId& id : document.entity_facts) {
      if (state_.entity_facts.find(id) == nullptr) return names_nothing(document, id);
    }
    for (const FactId& id : document.relationship_facts) {
      if (state_.relationship_facts.find(id) == nullptr) return names_nothing(document, id);
    }
    return ok();
  }

  /// Removes those of the facts that neither a document nor the batch has.
  template <class Fact>
  void remove_unsaid(FactTable<Fact>& facts, const std::vector<FactId>& former,
                     std::span<const Fact> written, std::vector<FactId> RetainedDocument::*said) {
    for (const FactId& id : former) {
      const bool kept =
          std::any_of(written.begin(), written.end(),
                      [&](const Fact& fact) { return fact.id == id; }) ||
          std::any_of(state_.documents.begin(), state_.documents.end(), [&](const auto& entry) {
            const std::vector<FactId>& ids = entry.second.*said;
            return std::find(ids.begin(), ids.end(), id) != ids.end();
          });
      const Fact* fact = facts.find(id);
      if (!kept && fact != nullptr && !fact->memory) facts.erase(id);
    }
  }

  void close_if_unsaid(const MemoryId& id, Timestamp moment) {
    const bool still_said = std::any_of(state_.documents.begin(), state_.documents.end(),
                                        [&](const auto& entry) { return says(entry.second, id); });
    if (still_said || standing_of(id) != Standing::said) return;
    Memory& memory = state_.memories.at(state_.seq_of.at(id));
    if (memory.valid_until && *memory.valid_until <= moment) return;
    memory.valid_until = moment;
    state_.standings[id] = Standing::unsaid;
  }

  /// Takes what is no longer there out of the documents.
  void forget_absent() {
    for (auto& [source, document] : state_.documents) {
      std::erase_if(document.memories,
                    [&](const MemoryId& id) { return !state_.seq_of.contains(id); });
      std::erase_if(document.entity_facts,
                    [&](const FactId& id) { return state_.entity_facts.find(id) == nullptr; });
      std::erase_if(document.relationship_facts, [&](const FactId& id) {
        return state_.relationship_facts.find(id) == nullptr;
      });
    }
  }

  Result<WriteAction> put(const Memory& memory, OnConflict on_conflict) {
    const auto held = state_.seq_of.find(memory.id);
    if (held == state_.seq_of.end()) {
      Memory kept = memory;
      if (kept.seq == 0) kept.seq = state_.next_seq;
      if (state_.memories.contains(kept.seq)) {
        return Error{
            Errc::conflict,
            fmt::format("memory {} cannot have place {}: it is taken", memory.legacy_id, kept.seq),
            "leave its seq 0, and it gets the next place"};
      }
      state_.next_seq = std::max(state_.next_seq, kept.seq + 1);
      state_.seq_of.emplace(kept.id, kept.seq);
      put_own_facts(kept);
      keep_given(kept);
      state_.memories.emplace(kept.seq, std::move(kept));
      return WriteAction::inserted;
    }
    Memory& old = state_.memories.at(held->second);
    if (record_hash(old) == record_hash(memory)) return WriteAction::identical;
    if (on_conflict == OnConflict::keep)
      return record_hash(as_given(old, memory)) == record_hash(memory) ? WriteAction::identical
                                                                       : WriteAction::conflict;
    state_.entity_facts.erase_of(memory.id);
    state_.relationship_facts.erase_of(memory.id);
    if (old.network != memory.network) state_.moved.insert(memory.id);
    const std::int64_t seq = old.seq;
    if (old.content != memory.content) forget_other_vectors(seq);
    old = memory;
    old.seq = seq;
    keep_given(old);
    put_own_facts(old);
    return WriteAction::replaced;
  }

  void put_own_facts(const Memory& memory) {
    const FactsOfMemory facts = facts_of(memory);
    if (facts.entity) put_fact(state_.entity_facts, *facts.entity, OnConflict::replace);
    if (facts.relationship)
      put_fact(state_.relationship_facts, *facts.relationship, OnConflict::replace);
  }

  template <class Fact>
  WriteAction put_fact(FactTable<Fact>& facts, const Fact& fact, OnConflict on_conflict) {
    const Fact* held = facts.find(fact.id);
    const bool fresh = held == nullptr;
    if (!fresh) {
      Fact same = *held;
      same.seq = fact.seq;
      if (same == fact) return WriteAction::identical;
      if (on_conflict == OnConflict::keep) return WriteAction::conflict;
      facts.erase(fact.id);
    }
    Fact kept = fact;
    kept.seq = state_.next_fact_seq++;
    facts.put(kept);
    return fresh ? WriteAction::inserted : WriteAction::replaced;
  }

  Result<> write_ledger(const LedgerBatch& given, std::span<const WriteAction> actions) {
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
      return Error{Errc::internal, "the ledger's counts do not add up"};
    }
    if (!state_.batches.try_emplace({batch.run.uuid, batch.file, batch.batch_no}, batch).second) {
      return Error{Errc::conflict, fmt::format("batch {} of {} is in the ledger already",
                                               batch.batch_no, batch.file)};
    }
    return ok();
  }

  Result<> merge_locked(std::span<const EntityMerge> merges) {
    auto all = with_merges(state_.merges, merges);
    if (!all) return std::move(all).error();
    state_.merges = EntityMerges(*all);
    state_.apart = still_apart(state_.apart, state_.merges);
    fold_locked();
    return ok();
  }

  // Folds everything anew, gives changed rows the next revision and puts them into the outbox.
  void fold_locked() {
    std::vector<EntityFact> entities;
    std::vector<RelationshipFact> relationships;
    std::vector<MemoryMentions> mentions;
    for (const auto& [seq, fact] : state_.entity_facts.by_seq) entities.push_back(fact);
    for (const auto& [seq, fact] : state_.relationship_facts.by_seq) relationships.push_back(fact);
    for (const auto& [seq, memory] : state_.memories) {
      if (memory.kind == MemoryKind::memory) mentions.push_back({memory.id, memory.entities});
    }
    FoldedGraph next = fold(entities, relationships, mentions, state_.merges);
    ++state_.graph_rev;
    const auto without_rev = [](auto row) {
      row.rev = 0;
      return row;
    };
    const auto update = [&](auto& old_rows, auto& new_rows) {
      for (auto& [key, row] : new_rows) {
        const auto old = old_rows.find(key);
        if (old != old_rows.end() && without_rev(old->second) == row) {
          row.rev = old->second.rev;
          continue;
        }
        row.rev = state_.graph_rev;
        enqueue(row, false);
      }
      for (auto& [key, row] : old_rows) {
        if (!new_rows.contains(key)) enqueue(row, true);
      }
    };
    update(state_.graph.entities, next.entities);
    update(state_.graph.relationships, next.relationships);
    std::set<Mention> numbered;
    for (Mention mention : next.mentions) {
      const auto old = state_.graph.mentions.lower_bound(
          {.memory = mention.memory, .entity_key = mention.entity_key, .rev = 0});
      const bool kept = old != state_.graph.mentions.end() && old->memory == mention.memory &&
                        old->entity_key == mention.entity_key &&
                        !state_.moved.contains(mention.memory);
      mention.rev = kept ? old->rev : state_.graph_rev;
      if (!kept) enqueue(mention, false);
      numbered.insert(mention);
    }
    for (const Mention& mention : state_.graph.mentions) {
      if (!next.mentions.contains(
              {.memory = mention.memory, .entity_key = mention.entity_key, .rev = 0}))
        enqueue(mention, true);
    }
    state_.moved.clear();
    next.mentions = std::move(numbered);
    state_.graph = std::move(next);
  }

  static std::string outbox_key(const GraphChange& change) {
    switch (change.kind) {
      case GraphChange::Kind::entity:
        return "0" + change.entity.key;
      case GraphChange::Kind::relationship:
        return "1" + relationship_key(change.relationship);
      case GraphChange::Kind::mention:
        return "2" + change.mention.memory.to_string() + change.mention.entity_key;
    }
    return {};
  }

  void enqueue(GraphChange change, std::int64_t row_rev, bool removed) {
    change.removed = removed;
    change.rev = removed ? state_.graph_rev : row_rev;
    const std::string key = outbox_key(change);
    state_.outbox[key] = {state_.next_outbox_id++, std::move(change)};
  }
  void enqueue(const Entity& row, bool removed) {
    enqueue({.kind = GraphChange::Kind::entity, .entity = row}, row.rev, removed);
  }
  void enqueue(const Relationship& row, bool removed) {
    enqueue({.kind = GraphChange::Kind::relationship, .relationship = row}, row.rev, removed);
  }
  void enqueue(const Mention& row, bool removed) {
    const auto seq = state_.seq_of.find(row.memory);
    enqueue(
        {.kind = GraphChange::Kind::mention,
         .mention = row,
         .mention_network =
             seq == state_.seq_of.end() ? std::string{} : state_.memories.at(seq->second).network},
        row.rev, removed);
  }

  template <class Row>
  Result<std::vector<Row>> page_of(std::map<std::string, Row> FoldedGraph::*rows,
                                   std::string_view after_key, std::size_t limit) const {
    const std::shared_lock lock(mutex_);
    std::vector<Row> found;
    const auto& map = state_.graph.*rows;
    for (auto at = map.upper_bound(std::string(after_key)); at != map.end() && found.size() < limit;
         ++at)
      found.push_back(at->second);
    return found;
  }

  template <class Fact>
  Result<std::vector<Fact>> facts_after(const FactTable<Fact>& facts, std::int64_t after,
                                        std::size_t limit) const {
    const std::shared_lock lock(mutex_);
    std::vector<Fact> found;
    for (auto at = facts.by_seq.upper_bound(after);
         at != facts.by_seq.end() && found.size() < limit; ++at)
      found.push_back(at->second);
    return found;
  }

  template <class Fact>
  Result<std::vector<Fact>> facts_of_ids(const FactTable<Fact>& facts,
                                         std::span<const FactId> ids) const {
    const std::shared_lock lock(mutex_);
    std::vector<Fact> found;
    for (const FactId& id : ids) {
      if (const Fact* fact = facts.find(id)) found.push_back(*fact);
    }
    return found;
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
