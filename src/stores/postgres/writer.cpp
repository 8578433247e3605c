#include "stores/postgres/writer.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "model/made_vector.hpp"
#include "stores/postgres/copy_writer.hpp"
#include "stores/postgres/fact_ledger.hpp"
#include "stores/postgres/memory_rows.hpp"

namespace bb5::postgres {
namespace {

Result<> require_text(std::string_view what, std::string_view text) {
  if (is_storable_utf8(text)) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("{} must be UTF-8 text without NUL characters", what)};
}

Result<> check_fact(const EntityFact& fact) {
  BB5_TRY(require_text("an entity's name", fact.name));
  BB5_TRY(require_text("an entity's type", fact.type));
  for (const std::string& alias : fact.aliases) BB5_TRY(require_text("an entity's alias", alias));
  if (fact.mentions < 0)
    return Error{Errc::invalid_argument, "an entity's mentions must not be negative"};
  return ok();
}

Result<> check_fact(const RelationshipFact& fact) {
  BB5_TRY(require_text("a relationship's subject", fact.subject));
  BB5_TRY(require_text("a relationship's predicate", fact.predicate));
  return require_text("a relationship's object", fact.object);
}

}  // namespace

/// One call of write(): what is known before the transaction, and the steps within it. A repeated
/// transaction begins with a fresh one.
class Writer::Batch {
 public:
  /// hashes: record_hash of each memory, filled as they are needed and kept for the next attempt.
  Batch(const Writer& writer, const WriteBatch& batch, std::vector<std::string>& hashes)
      : writer_(writer), batch_(batch), hashes_(hashes) {
    for (const Memory& memory : batch.memories) written_.insert(memory.id);
  }

  Result<WriteOutcome> run(Transaction& transaction) {
    if (!batch_.documents.empty()) BB5_TRY(begin_documents(transaction));
    BB5_TRY(look_up(transaction));
    BB5_TRY(open_memories(transaction));
    BB5_TRY(classify_memories(transaction));
    BB5_TRY(classify_facts());
    for (const DocumentChange& change : batch_.documents) BB5_TRY(check_names(change.document));
    std::optional<LedgerBatch> ledger;
    if (batch_.ledger != nullptr) {
      auto counted = Ledger::counted(*batch_.ledger, ledger_actions());
      if (!counted) return std::move(counted).error();
      ledger = std::move(*counted);
    }
    if (!changes_anything() && !ledger) return std::move(outcome_);

    BB5_TRY(remove_and_number(transaction));
    BB5_TRY(copy_memories(transaction));
    BB5_TRY(update_memories(transaction));
    BB5_TRY(keep_given_vectors(transaction));
    BB5_TRY(copy_facts(transaction));
    if (!batch_.documents.empty()) {
      BB5_TRY(writer_.documents_.write(transaction, batch_.documents, former_));
      BB5_TRY(close_memories(transaction));
    }
    index_statements(transaction);
    if (ledger) BB5_TRY(writer_.ledger_.write(transaction, *ledger));
    writer_.fold_.project_anew(transaction, moved_);
    if (batch_.fold) BB5_TRY(writer_.fold_.fold(transaction, touched_));
    return std::move(outcome_);
  }

 private:
  struct Held {
    std::string hash;
    MemoryKind kind;
    std::vector<std::string> entities;
    std::string network;
    Standing standing;
    VectorState vector_state;
  };

  Result<> begin_documents(Transaction& transaction) {
    auto former = writer_.documents_.begin(transaction, batch_.documents);
    if (!former) return std::move(former).error();
    former_ = std::move(*former);
    for (const auto& [document, digest] : batch_.documents)
      said_.insert(document.memories.begin(), document.memories.end());
    unsaid_memories_ = unsaid(&FormerDocument::memories, &RetainedDocument::memories);
    unsaid_entity_facts_ = unsaid(&FormerDocument::entity_facts, &RetainedDocument::entity_facts);
    unsaid_relationship_facts_ =
        unsaid(&FormerDocument::relationship_facts, &RetainedDocument::relationship_facts);
    return ok();
  }

  /// What the former states had and the new ones have not.
  template <class Id>
  std::vector<Uuid> unsaid(FormerDocument::Places FormerDocument::*before,
                           std::vector<Id> RetainedDocument::*now) const {
    std::unordered_set<Uuid> left_out;
    for (const auto& [document, digest] : batch_.documents) {
      for (const Id& id : document.*now) left_out.insert(id.uuid);
    }
    std::vector<Uuid> uuids;
    for (const FormerDocument& former : former_) {
      for (const auto& [place, uuid] : former.*before) {
        if (left_out.insert(uuid).second) uuids.push_back(uuid);
      }
    }
    return uuids;
  }

  void add_ids_of_document(std::vector<Uuid>& memories, std::vector<Uuid>& entities,
                           std::vector<Uuid>& relationships) const {
    for (const MemoryId& id : said_) memories.push_back(id.uuid);
    for (const auto& [document, digest] : batch_.documents) {
      for (const FactId& id : document.entity_facts) entities.push_back(id.uuid);
      for (const FactId& id : document.relationship_facts) relationships.push_back(id.uuid);
    }
    const auto append = [](std::vector<Uuid>& to, const std::vector<Uuid>& more) {
      to.insert(to.end(), more.begin(), more.end());
    };
    append(memories, unsaid_memories_);
    append(entities, unsaid_entity_facts_);
    append(relationships, unsaid_relationship_facts_);
  }

  /// One round trip: the embedder, the ledger's row, and what the bank holds under the batch's ids.
  Result<> look_up(Transaction& transaction) {
    std::vector<Uuid> ids;
    for (const Memory& memory : batch_.memories) ids.push_back(memory.id.uuid);
    std::vector<Uuid> entity_ids;
    std::vector<Uuid> relationship_ids;
    add_ids_of_document(ids, entity_ids, relationship_ids);
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const Memory& memory = batch_.memories[i];
      if (memory.kind == MemoryKind::memory) continue;
      FactsOfMemory facts = facts_of(memory);
      if (facts.entity) entity_ids.push_back(facts.entity->id.uuid);
      if (facts.relationship) relationship_ids.push_back(facts.relationship->id.uuid);
      own_facts_.emplace(i, std::move(facts));
    }
    for (const EntityFact& fact : batch_.entity_facts) entity_ids.push_back(fact.id.uuid);
    for (const RelationshipFact& fact : batch_.relationship_facts)
      relationship_ids.push_back(fact.id.uuid);

    // What a document says must stay until it is written that it says it.
    const bool locked = batch_.on_conflict == OnConflict::replace || !batch_.documents.empty();
    std::vector<Command> commands;
    // Nobody changes the model of a bank to which vectors are being written.
    commands.push_back({writer_.embedder_[brings_vectors() ? 1 : 0]});
    if (batch_.ledger != nullptr) commands.push_back(writer_.ledger_.look_up(*batch_.ledger));
    if (!ids.empty()) {
      commands.push_back(
          {locked ? writer_.locked_memories_ : writer_.held_memories_, Params().uuids(ids)});
    }
    if (!entity_ids.empty())
      commands.push_back({writer_.held_entity_facts_, Params().uuids(entity_ids)});
    if (!relationship_ids.empty()) {
      commands.push_back({writer_.held_relationship_facts_, Params().uuids(relationship_ids)});
    }
    // The disk is waited for once, by the fold at the end of a bulk load; the ledger's row goes the
    // way of its batch, whatever happens before.
    if (!batch_.fold) commands.push_back({writer_.commit_without_waiting_});
    if (!batch_.documents.empty()) {
      const Documents& documents = writer_.documents_;
      commands.push_back(documents.memories_said_elsewhere(unsaid_memories_, former_));
      commands.push_back(documents.facts_elsewhere(unsaid_entity_facts_, 0, former_));
      commands.push_back(documents.facts_elsewhere(unsaid_relationship_facts_, 1, former_));
    }
    auto answers = transaction.run(commands);
    if (!answers) return std::move(answers).error();

    auto answer = answers->begin();
    BB5_TRY(check_vectors(*answer++));
    if (batch_.ledger != nullptr && (answer++)->int8(0, 0) != 0)
      return Ledger::already_there(*batch_.ledger);
    if (!ids.empty()) hold_memories(*answer++);
    if (!entity_ids.empty()) hold_entities(*answer++);
    if (!relationship_ids.empty()) hold_relationships(*answer++);
    if (!batch_.documents.empty()) {
      for (std::vector<Uuid>* unsaid :
           {&unsaid_relationship_facts_, &unsaid_entity_facts_, &unsaid_memories_}) {
        drop_those_in(*unsaid, answers->back());
        answers->pop_back();
      }
    }
    return locked ? ok() : lock_said_memories(transaction);
  }

  void hold_memories(const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row) {
      held_.insert_or_assign(MemoryId{rows.uuid(row, 0)},
                             Held{rows.text(row, 1), static_cast<MemoryKind>(rows.int2(row, 2)),
                                  read_texts(rows.field(row, 3)), rows.text(row, 4),
                                  static_cast<Standing>(rows.int2(row, 5)),
                                  static_cast<VectorState>(rows.int2(row, 6))});
    }
  }

  static void drop_those_in(std::vector<Uuid>& uuids, const Rows& rows) {
    std::unordered_set<Uuid> there;
    for (int row = 0; row < rows.size(); ++row) there.insert(rows.uuid(row, 0));
    std::erase_if(uuids, [&](const Uuid& uuid) { return there.contains(uuid); });
  }

  /// Memories that documents brought and that will stand by themselves: no document may close one
  /// of them meanwhile, so they are looked at once more, locked. There are none as a rule.
  Result<> lock_said_memories(Transaction& transaction) {
    std::vector<Uuid> said;
    for (const auto& [id, held] : held_) {
      if (held.standing != Standing::by_itself) said.push_back(id.uuid);
    }
    if (said.empty()) return ok();
    for (const Uuid& uuid : said) held_.erase(MemoryId{uuid});
    auto rows = transaction.run(writer_.locked_memories_, Params().uuids(said));
    if (!rows) return std::move(rows).error();
    hold_memories(*rows);
    return ok();
  }

  /// Opens what the document says again, before the batch is compared with what is held.
  Result<> open_memories(Transaction& transaction) {
    std::vector<Uuid> closed;
    for (const MemoryId& id : said_) {
      const auto held = held_.find(id);
      if (held != held_.end() && held->second.standing == Standing::unsaid)
        closed.push_back(id.uuid);
    }
    return set_ends(transaction, closed, std::nullopt, Standing::said);
  }

  /// Closes what no document says any more, each when the first that said it was retained.
  Result<> close_memories(Transaction& transaction) {
    std::unordered_set<Uuid> left;
    for (const Uuid& uuid : unsaid_memories_) {
      const auto held = held_.find(MemoryId{uuid});
      if (held != held_.end() && held->second.standing == Standing::said) left.insert(uuid);
    }
    for (std::size_t i = 0; i < former_.size() && !left.empty(); ++i) {
      std::vector<Uuid> open;
      for (const auto& [place, uuid] : former_[i].memories) {
        if (left.erase(uuid) > 0) open.push_back(uuid);
      }
      BB5_TRY(
          set_ends(transaction, open, batch_.documents[i].document.retained_at, Standing::unsaid));
    }
    return ok();
  }

  /// An end that is earlier already stays. Hashes are over whole records, so these are read.
  Result<> set_ends(Transaction& transaction, const std::vector<Uuid>& memories,
                    std::optional<Timestamp> end, Standing standing) {
    if (memories.empty()) return ok();
    transaction.number_with_next_run();
    auto rows = transaction.run(writer_.whole_memories_, Params().uuids(memories));
    if (!rows) return std::move(rows).error();
    std::vector<Command> commands;
    for (int row = 0; row < rows->size(); ++row) {
      Memory memory = read_memory(*rows, row);
      if (end && memory.valid_until && *memory.valid_until <= *end) continue;
      memory.valid_until = end;
      Held& held = held_.at(memory.id);
      held.standing = standing;
      held.hash = record_hash(memory);
      commands.push_back({writer_.set_end_, Params()
                                                .uuid(memory.id.uuid)
                                                .optional(end)
                                                .int2(static_cast<std::int16_t>(standing))
                                                .bytes(held.hash)});
    }
    BB5_TRY(run_in_trips(transaction, commands));
    return ok();
  }

  /// Errors: invalid_argument, when the document names what is nowhere.
  Result<> check_names(const RetainedDocument& document) const {
    for (const MemoryId& id : document.memories) {
      if (!held_.contains(id) && !written_.contains(id)) return names_nothing(document, id);
    }
    for (const FactId& id : document.entity_facts) {
      if (!entities_.has(id)) return names_nothing(document, id);
    }
    for (const FactId& id : document.relationship_facts) {
      if (!relationships_.has(id)) return names_nothing(document, id);
    }
    return ok();
  }

  /// What the memory of that place rests on when the batch is written.
  [[nodiscard]] Standing standing_of(std::size_t i) const {
    const MemoryId& id = batch_.memories[i].id;
    const Standing wanted = !batch_.standings.empty() ? batch_.standings[i]
                            : said_.contains(id)      ? Standing::said
                                                      : Standing::by_itself;
    const auto held = held_.find(id);
    return standing_after(held == held_.end() ? std::nullopt : std::optional(held->second.standing),
                          wanted);
  }

  [[nodiscard]] bool brings_vectors() const {
    return std::any_of(batch_.memories.begin(), batch_.memories.end(),
                       [](const Memory& memory) { return !memory.embedding.empty(); });
  }

  Result<> check_vectors(const Rows& embedder) const {
    if (!brings_vectors()) return ok();
    const EmbedderInfo recorded{embedder.text(0, 0), static_cast<std::size_t>(embedder.int4(0, 1))};
    if (!batch_.model.empty() && batch_.model != recorded.model) return other_embedder(recorded);
    const std::size_t dimension = recorded.dimension;
    for (const Memory& memory : batch_.memories) {
      if (memory.embedding.empty() || memory.embedding.size() == dimension) continue;
      return Error{Errc::invalid_argument,
                   dimension == 0
                       ? fmt::format("memory {} has a vector, but the bank records no embedder yet",
                                     memory.legacy_id)
                       : fmt::format("memory {} has a vector of {} numbers, the bank's have {}",
                                     memory.legacy_id, memory.embedding.size(), dimension)};
    }
    return ok();
  }

  void hold_entities(const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row) entities_.hold(read_entity_fact(rows, row));
  }
  void hold_relationships(const Rows& rows) {
    for (int row = 0; row < rows.size(); ++row)
      relationships_.hold(read_relationship_fact(rows, row));
  }

  const std::string& hash_of(std::size_t i) {
    if (hashes_[i].empty()) hashes_[i] = record_hash(batch_.memories[i]);
    return hashes_[i];
  }

  /// Those that are held as they are given, but for a vector that was made or exchanged here:
  /// identical.
  Result<> find_made_vectors(Transaction& transaction) {
    if (batch_.on_conflict != OnConflict::keep) return ok();
    std::unordered_map<MemoryId, std::size_t> place_of;
    std::vector<Uuid> candidates;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const Memory& memory = batch_.memories[i];
      const auto held = held_.find(memory.id);
      if (held == held_.end() || held->second.vector_state != VectorState::indexed ||
          held->second.hash == hash_of(i))
        continue;
      place_of.emplace(memory.id, i);
      candidates.push_back(memory.id.uuid);
    }
    if (candidates.empty()) return ok();
    auto rows = transaction.run(writer_.whole_memories_, Params().uuids(candidates));
    if (!rows) return std::move(rows).error();
    for (Memory& held : read_memories(*rows)) {
      const MemoryId id = held.id;
      const std::size_t place = place_of.at(id);
      if (record_hash(as_given(std::move(held), batch_.memories[place])) == hash_of(place))
        held_.at(id).hash = hash_of(place);
    }
    return ok();
  }

  /// What becomes of each memory. Replaced ones take their old facts and mentions with them.
  Result<> classify_memories(Transaction& transaction) {
    BB5_TRY(find_made_vectors(transaction));
    std::vector<Uuid> replaced;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const auto held = held_.find(batch_.memories[i].id);
      WriteAction action = WriteAction::inserted;
      if (held != held_.end()) {
        action = held->second.hash == hash_of(i)          ? WriteAction::identical
                 : batch_.on_conflict == OnConflict::keep ? WriteAction::conflict
                                                          : WriteAction::replaced;
      }
      if (action == WriteAction::replaced) {
        replaced.push_back(held->first.uuid);
        if (held->second.network != batch_.memories[i].network) moved_.push_back(held->first.uuid);
        for (const MentionFact& fact : mention_facts_of(held->first, held->second.kind,
                                                        held->second.entities, known_names_)) {
          touched_.add_mention(fact.memory, fact.name.name_id);
        }
      }
      if (held != held_.end() && action != WriteAction::conflict) {
        const Standing standing = standing_of(i);
        if (action == WriteAction::identical && standing != held->second.standing)
          moved_standings_[standing].push_back(held->first.uuid);
        held->second.standing = standing;
      }
      outcome_.memories.push_back(action);
    }
    removed_mentions_ = touched_;
    if (replaced.empty()) return ok();
    const Command commands[] = {{writer_.facts_of_memories_[0], Params().uuids(replaced)},
                                {writer_.facts_of_memories_[1], Params().uuids(replaced)}};
    auto answers = transaction.run(commands);
    if (!answers) return std::move(answers).error();
    hold_entities((*answers)[0]);
    hold_relationships((*answers)[1]);
    return ok();
  }

  Result<> classify_facts() {
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const WriteAction action = outcome_.memories[i];
      if (action != WriteAction::inserted && action != WriteAction::replaced) continue;
      const Memory& memory = batch_.memories[i];
      if (action == WriteAction::replaced) {
        entities_.remove_of(memory.id);
        relationships_.remove_of(memory.id);
      }
      if (const auto own = own_facts_.find(i); own != own_facts_.end()) {
        if (own->second.entity) entities_.put(*own->second.entity, OnConflict::replace);
        if (own->second.relationship)
          relationships_.put(*own->second.relationship, OnConflict::replace);
      }
    }
    for (const EntityFact& fact : batch_.entity_facts) {
      outcome_.entity_facts.push_back(entities_.put(fact, batch_.on_conflict));
    }
    for (const RelationshipFact& fact : batch_.relationship_facts) {
      outcome_.relationship_facts.push_back(relationships_.put(fact, batch_.on_conflict));
    }
    remove_unsaid(entities_, unsaid_entity_facts_, batch_.entity_facts);
    remove_unsaid(relationships_, unsaid_relationship_facts_, batch_.relationship_facts);
    removed_entity_facts_ = entities_.removed(touched_);
    removed_relationship_facts_ = relationships_.removed(touched_);
    for (const EntityFact* fact : entities_.added()) touched_.add(*fact);
    for (const RelationshipFact* fact : relationships_.added()) touched_.add(*fact);
    return ok();
  }

  template <class Fact>
  static void remove_unsaid(FactLedger<Fact>& facts, const std::vector<Uuid>& unsaid,
                            std::span<const Fact> written) {
    std::unordered_set<FactId> kept;
    for (const Fact& fact : written) kept.insert(fact.id);
    for (const Uuid& uuid : unsaid) {
      if (!kept.contains(FactId{uuid})) facts.remove(FactId{uuid});
    }
  }

  [[nodiscard]] std::span<const WriteAction> ledger_actions() const {
    switch (batch_.ledger->part) {
      case LedgerPart::memories:
        return outcome_.memories;
      case LedgerPart::entities:
        return outcome_.entity_facts;
      case LedgerPart::relationships:
      case LedgerPart::embedding_cache:
        break;
    }
    return outcome_.relationship_facts;
  }

  [[nodiscard]] bool changes_anything() const {
    const auto changes = [](WriteAction action) {
      return action == WriteAction::inserted || action == WriteAction::replaced;
    };
    return !batch_.documents.empty() || !moved_standings_.empty() ||
           std::any_of(outcome_.memories.begin(), outcome_.memories.end(), changes) ||
           !entities_.added().empty() || !relationships_.added().empty() ||
           !removed_entity_facts_.empty() || !removed_relationship_facts_.empty();
  }

  /// One round trip: deletes old facts and reserves places for new rows.
  Result<> remove_and_number(Transaction& transaction) {
    std::int64_t largest_given = 0;
    std::int64_t memories = 0;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      if (outcome_.memories[i] != WriteAction::inserted) continue;
      const std::int64_t given = batch_.memories[i].seq;
      largest_given = std::max(largest_given, given);
      memories += given == 0 ? 1 : 0;
    }
    const auto facts = std::ssize(entities_.added()) + std::ssize(relationships_.added());
    std::vector<Command> commands;
    if (!removed_entity_facts_.empty()) {
      commands.push_back({writer_.delete_entity_facts_, Params().uuids(removed_entity_facts_)});
    }
    if (!removed_relationship_facts_.empty()) {
      commands.push_back(
          {writer_.delete_relationship_facts_, Params().uuids(removed_relationship_facts_)});
    }
    if (!removed_mentions_.mention_memories.empty()) {
      commands.push_back(
          {writer_.delete_mention_facts_, Params()
                                              .uuids(removed_mentions_.mention_memories)
                                              .uuids(removed_mentions_.mention_names)});
    }
    if (const auto gone = entities_.gone(); !gone.empty())
      commands.push_back(writer_.documents_.forget_facts(gone, 0));
    if (const auto gone = relationships_.gone(); !gone.empty())
      commands.push_back(writer_.documents_.forget_facts(gone, 1));
    for (const auto& [standing, moved] : moved_standings_) {
      commands.push_back(
          {writer_.set_standing_, Params().uuids(moved).int2(static_cast<std::int16_t>(standing))});
    }
    if (largest_given > 0) commands.push_back({writer_.raise_seq_, Params().int8(largest_given)});
    const std::size_t numbers_from = commands.size();
    commands.push_back({writer_.memory_seqs_, Params().int8(memories)});
    commands.push_back({writer_.fact_seqs_, Params().int8(facts)});
    transaction.number_with_next_run();
    auto answers = transaction.run(commands);
    if (!answers) return std::move(answers).error();
    const auto numbers = [&](std::size_t which, std::vector<std::int64_t>& out) {
      const Rows& rows = (*answers)[numbers_from + which];
      for (int row = 0; row < rows.size(); ++row) out.push_back(rows.int8(row, 0));
    };
    numbers(0, memory_seqs_);
    numbers(1, fact_seqs_);
    return ok();
  }

  void note_mentions(const Memory& memory) {
    for (MentionFact& fact :
         mention_facts_of(memory.id, memory.kind, memory.entities, known_names_)) {
      touched_.add_mention(fact.memory, fact.name.name_id);
      mentions_.push_back(std::move(fact));
    }
  }

  /// Hashes and mentions are made while the server works on the pieces before.
  Result<> copy_memories(Transaction& transaction) {
    CopyWriter copy(transaction, writer_.memories_table_, std::string(memory_columns),
                    memory_column_count);
    auto next = memory_seqs_.begin();
    std::vector<std::pair<std::size_t, std::int64_t>> rows;  // place in the batch, seq
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      if (outcome_.memories[i] != WriteAction::inserted) continue;
      const std::int64_t given = batch_.memories[i].seq;
      rows.emplace_back(i, given != 0 ? given : *next++);
    }
    // In the order of their ids, so that two writers of the same ones wait for each other and never
    // in a ring.
    std::sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
      return batch_.memories[a.first].id < batch_.memories[b.first].id;
    });
    for (const auto& [i, seq] : rows) {
      const Memory& memory = batch_.memories[i];
      write_memory(copy.row(), memory, hash_of(i), standing_of(i), seq);
      note_mentions(memory);
      BB5_TRY(copy.send_if_full());
    }
    return copy.finish();
  }

  template <class Facts>
  static Result<> copy_all(Transaction& transaction, const std::string& table,
                           std::string_view columns, int count, const Facts& facts,
                           std::vector<std::int64_t>::const_iterator& seq) {
    CopyWriter copy(transaction, table, std::string(columns), count);
    for (const auto* fact : facts) {
      write_fact(copy.row(), *fact, *seq++);
      BB5_TRY(copy.send_if_full());
    }
    return copy.finish();
  }

  Result<> copy_facts(Transaction& transaction) {
    CopyWriter copy(transaction, writer_.mention_facts_table_, std::string(mention_fact_columns),
                    mention_fact_column_count);
    // In the order of their index, of which each page is then visited once.
    std::sort(mentions_.begin(), mentions_.end(), [](const MentionFact& a, const MentionFact& b) {
      return std::tie(a.name.name_id, a.memory) < std::tie(b.name.name_id, b.memory);
    });
    for (const MentionFact& fact : mentions_) {
      write_fact(copy.row(), fact);
      BB5_TRY(copy.send_if_full());
    }
    BB5_TRY(copy.finish());
    std::vector<std::int64_t>::const_iterator seq = fact_seqs_.begin();
    BB5_TRY(copy_all(transaction, writer_.entity_facts_table_, entity_fact_columns,
                     entity_fact_column_count, entities_.added(), seq));
    return copy_all(transaction, writer_.relationship_facts_table_, relationship_fact_columns,
                    relationship_fact_column_count, relationships_.added(), seq);
  }

  Result<> update_memories(Transaction& transaction) {
    std::vector<Command> commands;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      if (outcome_.memories[i] != WriteAction::replaced) continue;
      note_mentions(batch_.memories[i]);
      commands.push_back({writer_.update_memory_,
                          update_memory_params(batch_.memories[i], hash_of(i), standing_of(i))});
      if (commands.size() < 100) continue;  // each has a vector
      BB5_TRY(run_in_trips(transaction, commands));
      commands.clear();
    }
    BB5_TRY(run_in_trips(transaction, commands));
    return ok();
  }

  /// What memories came with is among the vectors of its model.
  Result<> keep_given_vectors(Transaction& transaction) {
    std::vector<Command> commands;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const WriteAction action = outcome_.memories[i];
      if (action != WriteAction::inserted && action != WriteAction::replaced) continue;
      const Memory& memory = batch_.memories[i];
      if (!memory.given || memory.given->dropped()) continue;
      commands.push_back(
          {writer_.keep_given_,
           Params().uuid(memory.id.uuid).text(memory.given->model).vector(memory.given->numbers)});
    }
    BB5_TRY(run_in_trips(transaction, commands));
    return ok();
  }

  void index_statements(Transaction& transaction) const {
    if (batch_.statement_keys.empty()) return;
    std::vector<StatementKey> entries;
    for (std::size_t i = 0; i < batch_.memories.size(); ++i) {
      const Memory& memory = batch_.memories[i];
      const WriteAction action = outcome_.memories[i];
      const bool written = action == WriteAction::inserted || action == WriteAction::replaced;
      if (written && memory.kind == MemoryKind::memory)
        entries.push_back({memory.id, batch_.statement_keys[i]});
    }
    if (!entries.empty()) transaction.run_at_end(writer_.statements_.put(entries));
  }

  const Writer& writer_;
  const WriteBatch& batch_;
  std::vector<std::string>& hashes_;

  std::unordered_map<MemoryId, Held> held_;
  std::map<std::size_t, FactsOfMemory> own_facts_;  // by place in the batch
  FactLedger<EntityFact> entities_;
  FactLedger<RelationshipFact> relationships_;
  std::vector<MentionFact> mentions_;
  KnownNames known_names_;
  std::unordered_set<MemoryId> written_;  // of the batch
  std::vector<FormerDocument> former_;    // of the batch's documents
  std::unordered_set<MemoryId> said_;     // by them
  // Of the former state, and of no document now.
  std::vector<Uuid> unsaid_memories_;
  std::vector<Uuid> unsaid_entity_facts_;
  std::vector<Uuid> unsaid_relationship_facts_;
  std::map<Standing, std::vector<Uuid>> moved_standings_;  // of records that stay as they are
  std::vector<Uuid> moved_;                                // memories that go to another network
  std::vector<Uuid> removed_entity_facts_;
  std::vector<Uuid> removed_relationship_facts_;
  Touched removed_mentions_;
  std::vector<std::int64_t> memory_seqs_;
  std::vector<std::int64_t> fact_seqs_;
  Touched touched_;
  WriteOutcome outcome_;
};

Writer::Writer(const Database& database, const GraphFold& fold, const Ledger& ledger,
               const Documents& documents, const Statements& statements)
    : database_(database),
      fold_(fold),
      ledger_(ledger),
      documents_(documents),
      statements_(statements),
      memories_table_(database.names().sql("{bank}.memories")),
      mention_facts_table_(database.names().sql("{bank}.mention_facts")),
      entity_facts_table_(database.names().sql("{bank}.entity_facts")),
      relationship_facts_table_(database.names().sql("{bank}.relationship_facts")),
      embedder_{Statement(database.names().sql("SELECT model, dimension FROM {bank}.bank_info")),
                Statement(database.names().sql(
                    "SELECT model, dimension FROM {bank}.bank_info FOR SHARE"))},
      held_memories_(database.names().sql(
          "SELECT id, record_hash, kind, entities, network, standing, vector_state FROM "
          "{bank}.memories WHERE id = ANY($1)")),
      // Locked in one order by all, so that two writers wait for each other and never in a ring.
      locked_memories_(database.names().sql(
          "SELECT id, record_hash, kind, entities, network, standing, "
          "vector_state FROM {bank}.memories WHERE id = ANY($1) ORDER BY id FOR UPDATE")),
      held_entity_facts_(
          database.names().sql("SELECT * FROM {bank}.entity_facts WHERE id = ANY($1)")),
      held_relationship_facts_(
          database.names().sql("SELECT * FROM {bank}.relationship_facts WHERE id = ANY($1)")),
      facts_of_memories_{Statement(database.names().sql(
                             "SELECT * FROM {bank}.entity_facts WHERE memory_id = ANY($1)")),
                         Statement(database.names().sql(
                             "SELECT * FROM {bank}.relationship_facts WHERE memory_id = ANY($1)"))},
      raise_seq_(database.names().sql("SELECT setval('{bank}.memory_seq', greatest($1, (SELECT "
                                      "last_value FROM {bank}.memory_seq)))")),
      memory_seqs_(
          database.names().sql("SELECT nextval('{bank}.memory_seq') FROM generate_series(1, $1)")),
      commit_without_waiting_(Statement("SET LOCAL synchronous_commit = off")),
      fact_seqs_(
          database.names().sql("SELECT nextval('{bank}.fact_seq') FROM generate_series(1, $1)")),
      delete_entity_facts_(
          database.names().sql("DELETE FROM {bank}.entity_facts WHERE id = ANY($1)")),
      delete_relationship_facts_(
          database.names().sql("DELETE FROM {bank}.relationship_facts WHERE id = ANY($1)")),
      delete_mention_facts_(
          database.names().sql("DELETE FROM {bank}.mention_facts m USING unnest($1::uuid[], "
                               "$2::uuid[]) AS old(memory_id, name_id)"
                               " WHERE m.name_id = old.name_id AND m.memory_id = old.memory_id")),
      update_memory_(database.names().sql(update_memory_sql())),
      whole_memories_(database.names().sql(
          fmt::format("SELECT {} FROM {{bank}}.memories m WHERE m.id = ANY($1) ORDER BY m.id",
                      memory_select_list("m.", true)))),
      keep_given_(database.names().sql(
          "INSERT INTO {bank}.other_vectors (memory_id, model, embedding) VALUES ($1, $2, "
          "$3::{vector}.vector) ON CONFLICT (memory_id, model) DO UPDATE SET embedding = "
          "excluded.embedding")),
      set_standing_(
          database.names().sql("UPDATE {bank}.memories SET standing = $2 WHERE id = ANY($1)")),
      set_end_(database.names().sql("UPDATE {bank}.memories SET valid_until = $2, standing = $3, "
                                    "record_hash = $4 WHERE id = $1")),
      hashes_(
          database.names().sql("SELECT id, record_hash FROM {bank}.memories WHERE id = ANY($1)")),
      delete_memory_(database.names().sql(
          "DELETE FROM {bank}.memories WHERE id = $1 RETURNING kind, entities")) {}

Result<WriteOutcome> Writer::write(const WriteBatch& batch) const {
  std::unordered_set<MemoryId> ids;
  for (const Memory& memory : batch.memories) {
    BB5_TRY(validate(memory));
    if (!ids.insert(memory.id).second) {
      return Error{Errc::invalid_argument,
                   fmt::format("memory {} is in the batch twice", memory.legacy_id)};
    }
  }
  if (!batch.standings.empty() && batch.standings.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one standing for each memory, or none"};
  if (!batch.statement_keys.empty() && batch.statement_keys.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one statement key for each memory, or none"};
  BB5_TRY(validate(batch.documents));
  for (const EntityFact& fact : batch.entity_facts) BB5_TRY(check_fact(fact));
  for (const RelationshipFact& fact : batch.relationship_facts) BB5_TRY(check_fact(fact));

  std::vector<std::string> hashes(batch.memories.size());
  std::vector<WriteAction> actions;
  const auto is_there = [&]() -> Result<bool> {
    if (batch.ledger != nullptr) return ledger_.holds(*batch.ledger);
    if (!batch.documents.empty()) return documents_.holds(batch.documents.front().document);
    std::unordered_map<MemoryId, std::string_view> written;
    std::vector<Uuid> wanted;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      if (actions[i] != WriteAction::inserted && actions[i] != WriteAction::replaced) continue;
      written.emplace(batch.memories[i].id, hashes[i]);
      wanted.push_back(batch.memories[i].id.uuid);
    }
    if (wanted.empty()) return true;  // facts alone: the server's word on the transaction must do
    auto rows = database_.read("look for a batch that may have been written", hashes_,
                               Params().uuids(wanted));
    if (!rows) return std::move(rows).error();
    // One is proof enough; the others may have been erased or replaced since.
    for (int row = 0; row < rows->size(); ++row) {
      if (rows->field(row, 1) == written.at(MemoryId{rows->uuid(row, 0)})) return true;
    }
    return false;
  };
  return database_.transact<WriteOutcome>(
      "write to the bank",
      [&](Transaction& transaction) {
        auto outcome = Batch(*this, batch, hashes).run(transaction);
        if (outcome) actions = outcome->memories;
        return outcome;
      },
      is_there);
}

Result<bool> Writer::erase(const MemoryId& id) const {
  return database_.transact<bool>("erase a memory", [&](Transaction& transaction) -> Result<bool> {
    const Uuid ids[] = {id.uuid};
    const Command commands[] = {documents_.lock(),
                                {delete_memory_, Params().uuid(id.uuid)},
                                {facts_of_memories_[0], Params().uuids(ids)},
                                {facts_of_memories_[1], Params().uuids(ids)},
                                documents_.forget_memory(id),
                                statements_.forget(id)};
    transaction.number_with_next_run();
    auto answers = transaction.run(commands);
    if (!answers) return std::move(answers).error();
    const Rows& memory = (*answers)[1];
    const Rows& entity_facts = (*answers)[2];
    const Rows& relationship_facts = (*answers)[3];
    if (memory.empty()) return false;

    Touched touched;
    KnownNames known;
    for (const MentionFact& fact : mention_facts_of(id, static_cast<MemoryKind>(memory.int2(0, 0)),
                                                    read_texts(memory.field(0, 1)), known)) {
      touched.add_mention(fact.memory, fact.name.name_id);
    }
    std::vector<Uuid> entities;
    for (int row = 0; row < entity_facts.size(); ++row) {
      const EntityFact fact = read_entity_fact(entity_facts, row);
      entities.push_back(fact.id.uuid);
      touched.add(fact);
    }
    std::vector<Uuid> relationships;
    for (int row = 0; row < relationship_facts.size(); ++row) {
      const RelationshipFact fact = read_relationship_fact(relationship_facts, row);
      relationships.push_back(fact.id.uuid);
      touched.add(fact);
    }
    std::vector<Command> removals;
    if (!entities.empty()) {
      removals.push_back({delete_entity_facts_, Params().uuids(entities)});
      removals.push_back(documents_.forget_facts(entities, 0));
    }
    if (!relationships.empty()) {
      removals.push_back({delete_relationship_facts_, Params().uuids(relationships)});
      removals.push_back(documents_.forget_facts(relationships, 1));
    }
    if (!touched.mention_memories.empty()) {
      removals.push_back({delete_mention_facts_,
                          Params().uuids(touched.mention_memories).uuids(touched.mention_names)});
    }
    if (!removals.empty()) BB5_TRY(transaction.run(removals));
    BB5_TRY(fold_.fold(transaction, touched));
    return true;
  });
}

}  // namespace bb5::postgres
