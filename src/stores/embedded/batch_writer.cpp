#include "stores/embedded/batch_writer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include "model/made_vector.hpp"
#include "ranking/index_words.hpp"
#include "stores/embedded/document_rows.hpp"
#include "stores/embedded/fact_rows.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/graph_fold_rows.hpp"
#include "stores/embedded/ledger_rows.hpp"
#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/statement_rows.hpp"
#include "stores/embedded/string_list.hpp"
#include "stores/embedded/vector_writer.hpp"

namespace bb5::embedded {
namespace {

/// What can be worked out about a memory before the bank is locked.
struct Prepared {
  const Memory* memory = nullptr;
  Standing standing = Standing::by_itself;  // what the batch says of it
  std::optional<std::int64_t> statement_key;
  std::string hash;
  std::optional<std::string> task;
  std::optional<std::string> entities;
  std::optional<std::string> extra_words;
  FactsOfMemory facts;
};

std::optional<std::string> extra_words_of(const Memory& memory) {
  std::string words = ranking::extra_words(memory.content, memory.author.value_or(""));
  return words.empty() ? std::nullopt : std::optional(std::move(words));
}

Result<std::vector<Prepared>> prepare(const WriteBatch& batch) {
  if (!batch.standings.empty() && batch.standings.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one standing for each memory, or none"};
  if (!batch.statement_keys.empty() && batch.statement_keys.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one statement key for each memory, or none"};
  std::vector<Prepared> prepared;
  prepared.reserve(batch.memories.size());
  for (const Memory& memory : batch.memories) {
    BB5_TRY(validate(memory));
    const std::size_t place = prepared.size();
    prepared.push_back(
        {.memory = &memory,
         .standing = batch.standings.empty() ? Standing::by_itself : batch.standings[place],
         .statement_key = batch.statement_keys.empty() || memory.kind != MemoryKind::memory
                              ? std::nullopt
                              : std::optional(batch.statement_keys[place]),
         .hash = record_hash(memory),
         .task = task_of(memory),
         .entities = write_string_list(memory.entities),
         .extra_words = extra_words_of(memory),
         .facts = facts_of(memory)});
  }
  return prepared;
}

/// A memory as the bank holds it: what is needed to replace or erase it.
struct Held {
  std::int64_t seq = 0;
  std::int64_t network = 0;
  MemoryKind kind = MemoryKind::memory;
  VectorState vector_state = VectorState::none;
  std::optional<std::int64_t> vec_id;
  std::string hash;
  Standing standing = Standing::by_itself;
};

class Writer {
 public:
  explicit Writer(Connection& connection) : connection_(connection) {}

  Result<> begin() {
    BB5_TRY(connection_.each(
        "SELECT last_seq, last_fact_seq, last_vec_id, dimension, graph_stale, embedder_model "
        "FROM bank",
        [&](const Row& row) {
          last_seq_ = row.integer(0);
          last_fact_seq_ = row.integer(1);
          first_fact_seq_ = last_fact_seq_;
          vectors_.begin(row.integer(2));
          embedder_ = {row.string(5), static_cast<std::size_t>(row.integer(3))};
          graph_stale_ = row.integer(4) != 0;
        }));
    return ok();
  }

  /// Errors: conflict, when the batch brings vectors of another model than the bank's.
  Result<> check_model(const WriteBatch& batch) const {
    const bool with_vectors =
        std::any_of(batch.memories.begin(), batch.memories.end(),
                    [](const Memory& memory) { return !memory.embedding.empty(); });
    if (!with_vectors || batch.model.empty() || batch.model == embedder_.model) return ok();
    return other_embedder(embedder_);
  }

  /// Before what the documents come with.
  Result<> open_documents(std::span<const DocumentChange> changes) {
    BB5_TRY(validate(changes));
    for (const DocumentChange& change : changes) {
      documents_.emplace_back(connection_, facts_, change);
      BB5_TRY(documents_.back().open());
      for (const MemoryId& id : change.document.memories) said_.insert(id);
    }
    return ok();
  }
  /// After it.
  Result<> close_documents(const WriteBatch& batch) {
    for (DocumentWriter& document : documents_) BB5_TRY(document.put());
    for (DocumentWriter& document : documents_) {
      BB5_TRY(document.close(batch.entity_facts, batch.relationship_facts));
      changed_ = changed_ || document.changed_memories();
    }
    return ok();
  }

  Result<WriteAction> put(const Prepared& prepared, OnConflict on_conflict) {
    const Memory& memory = *prepared.memory;
    if (!memory.embedding.empty() && memory.embedding.size() != embedder_.dimension) {
      return Error{Errc::invalid_argument,
                   fmt::format("memory {} has a vector of {} numbers, the bank's have {}",
                               memory.legacy_id, memory.embedding.size(), embedder_.dimension)};
    }
    auto held = read_held(memory.id);
    if (!held) return std::move(held).error();
    if (!*held) {
      BB5_TRY(insert(prepared));
      return WriteAction::inserted;
    }
    if ((*held)->hash == prepared.hash) {
      BB5_TRY(keep(**held, prepared));
      return WriteAction::identical;
    }
    if (on_conflict == OnConflict::keep) {
      auto same = differs_in_made_vector(**held, prepared);
      if (!same) return std::move(same).error();
      if (!*same) return WriteAction::conflict;
      BB5_TRY(keep(**held, prepared));
      return WriteAction::identical;
    }
    BB5_TRY(replace(**held, prepared));
    return WriteAction::replaced;
  }

  template <class Fact>
  Result<WriteAction> put(const Fact& fact, OnConflict on_conflict) {
    return facts_.put(fact, on_conflict);
  }

  Result<bool> erase(const MemoryId& id) {
    auto held = read_held(id);
    if (!held) return std::move(held).error();
    if (!*held) return false;
    const Held& old = **held;
    BB5_TRY(facts_.erase_of(old.seq, id));
    BB5_TRY(forget_memory(connection_, old.seq));
    BB5_TRY(forget_statement(connection_, old.seq));
    // Its mentions may be older than its facts, after a bulk load; their removal needs its id.
    touched_.memories.emplace(old.seq, id);
    BB5_TRY(unindex_text(old.seq));
    if (old.vec_id) BB5_TRY(connection_.run("DELETE FROM vectors WHERE vec_id = ?", *old.vec_id));
    BB5_TRY(connection_.run("DELETE FROM memories WHERE seq = ?", old.seq));
    tallies_.add(old.network, old.kind, old.vector_state, -1);
    changed_ = true;
    return true;
  }

  /// False: the memory does not need the vector.
  Result<bool> give(const MadeVector& vector) {
    auto held = get_memories(connection_, std::span(&vector.id, 1), false);
    if (!held) return std::move(held).error();
    if (held->empty()) return false;
    const VectorState before = held->front().vector_state;
    auto given = with_vector(std::move(held->front()), vector);
    if (!given) return std::move(given).error();
    if (!*given) return false;
    const Memory& memory = **given;
    auto network = code_of(memory.network);
    if (!network) return std::move(network).error();
    auto vec_id = vectors_.insert(memory, memory.seq, *network);
    if (!vec_id) return std::move(vec_id).error();
    BB5_TRY(connection_.run(
        "UPDATE memories SET vector_state = ?, vec_id = ?, record_hash = ?, raw = ? WHERE seq = ?",
        memory.vector_state, *vec_id, Blob{record_hash(memory)}, raw_text(memory), memory.seq));
    tallies_.add(*network, memory.kind, before, -1);
    tallies_.add(*network, memory.kind, memory.vector_state, 1);
    changed_ = true;
    return true;
  }

  /// Brings what is derived up to date, and the numbers of the bank.
  Result<> finish(bool fold) {
    BB5_TRY(facts_.forget_erased());
    BB5_TRY(tallies_.write(connection_));
    const bool facts_changed = !touched_.empty();
    if (changed_ || facts_changed || last_fact_seq_ != first_fact_seq_) {
      BB5_TRY(
          connection_.run("UPDATE bank SET last_seq = ?, last_fact_seq = ?, last_vec_id = ?, "
                          "graph_stale = graph_stale OR ?, epoch = epoch + 1",
                          last_seq_, last_fact_seq_, vectors_.last(), facts_changed && !fold));
    }
    if (!fold) return ok();
    return graph_stale_ ? fold_everything(connection_, touched_)
                        : fold_touched(connection_, touched_);
  }

 private:
  Result<std::optional<Held>> read_held(const MemoryId& id) {
    return connection_.first(
        "SELECT seq, network, kind, vector_state, vec_id, record_hash, standing FROM memories "
        "WHERE id = ?",
        [](const Row& row) {
          return Held{.seq = row.integer(0),
                      .network = row.integer(1),
                      .kind = static_cast<MemoryKind>(row.integer(2)),
                      .vector_state = static_cast<VectorState>(row.integer(3)),
                      .vec_id = row.maybe_integer(4),
                      .hash = std::string(row.blob(5)),
                      .standing = static_cast<Standing>(row.integer(6))};
        },
        id);
  }

  /// The held record is the given one, but for a vector that was made or exchanged here.
  Result<bool> differs_in_made_vector(const Held& old, const Prepared& prepared) {
    const Memory& memory = *prepared.memory;
    if (old.vector_state != VectorState::indexed) return false;
    auto held = get_memories(connection_, std::span(&memory.id, 1), true);
    if (!held) return std::move(held).error();
    return record_hash(as_given(std::move(held->front()), memory)) == prepared.hash;
  }

  Result<std::int64_t> code_of(const std::string& network) {
    const auto known = networks_.find(network);
    if (known != networks_.end()) return known->second;
    auto code = network_code(connection_, network);
    if (code) networks_.emplace(network, *code);
    return code;
  }

  [[nodiscard]] Standing wanted_standing(const Prepared& prepared) const {
    return said_.contains(prepared.memory->id) ? Standing::said : prepared.standing;
  }

  /// The record stays; what it rests on may be another thing now.
  Result<> keep(const Held& old, const Prepared& prepared) {
    const Standing standing = standing_after(old.standing, wanted_standing(prepared));
    if (standing == old.standing) return ok();
    return connection_.run("UPDATE memories SET standing = ? WHERE seq = ?", standing, old.seq);
  }

  Result<> insert(const Prepared& prepared) {
    const Memory& memory = *prepared.memory;
    std::int64_t seq = memory.seq;
    if (seq == 0) {
      seq = last_seq_ + 1;
    } else {
      auto taken = connection_.integer("SELECT count(*) FROM memories WHERE seq = ?", seq);
      if (!taken) return std::move(taken).error();
      if (*taken != 0) {
        return Error{
            Errc::conflict,
            fmt::format("memory {} cannot have place {}: it is taken", memory.legacy_id, seq),
            "leave its seq 0, and it gets the next place"};
      }
    }
    last_seq_ = std::max(last_seq_, seq);
    auto network = code_of(memory.network);
    if (!network) return std::move(network).error();
    auto vec_id = vectors_.insert(memory, seq, *network);
    if (!vec_id) return std::move(vec_id).error();
    BB5_TRY(connection_.run(
        "INSERT INTO memories (seq, kind, network, vector_state, vec_id, standing, id, "
        "record_hash, "
        "legacy_id, confidence, "
        "source, source_type, category, created_at, updated_at, valid_from, valid_until, "
        "superseded_by, author, "
        "thread, position, task, entities, content, extra_words, metadata, raw, raw_embedding_at, "
        "given_model) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?)",
        seq, memory.kind, *network, memory.vector_state, *vec_id,
        standing_after(std::nullopt, wanted_standing(prepared)), memory.id, Blob{prepared.hash},
        memory.legacy_id, memory.confidence, memory.source, memory.source_type, memory.category,
        memory.created_at, memory.updated_at, memory.valid_from, memory.valid_until,
        memory.superseded_by, memory.author, memory.thread, memory.position, prepared.task,
        prepared.entities, memory.content, prepared.extra_words, memory.metadata, raw_text(memory),
        raw_cut(memory), given_model(memory)));
    BB5_TRY(put_given(memory, seq));
    BB5_TRY(index_text(prepared, seq));
    return put_dependents(prepared, seq, *network);
  }

  Result<> replace(const Held& old, const Prepared& prepared) {
    const Memory& memory = *prepared.memory;
    auto network = code_of(memory.network);
    if (!network) return std::move(network).error();
    BB5_TRY(facts_.erase_of(old.seq, memory.id));
    if (*network != old.network) BB5_TRY(project_anew(connection_, old.seq));
    std::optional<std::int64_t> vec_id;
    auto same_vector = holds_vector(old, memory, *network);
    if (!same_vector) return std::move(same_vector).error();
    if (*same_vector) {
      vec_id = old.vec_id;
    } else {
      if (old.vec_id) BB5_TRY(connection_.run("DELETE FROM vectors WHERE vec_id = ?", *old.vec_id));
      auto fresh = vectors_.insert(memory, old.seq, *network);
      if (!fresh) return std::move(fresh).error();
      vec_id = *fresh;
    }
    auto same_text =
        connection_.integer("SELECT content = ? AND extra_words IS ? FROM memories WHERE seq = ?",
                            memory.content, prepared.extra_words, old.seq);
    if (!same_text) return std::move(same_text).error();
    if (*same_text == 0) BB5_TRY(unindex_text(old.seq));
    BB5_TRY(connection_.run(
        "UPDATE memories SET kind = ?, network = ?, vector_state = ?, vec_id = ?, standing = ?, "
        "record_hash = ?, "
        "legacy_id = ?, confidence = ?, source = ?, source_type = ?, category = ?, created_at = ?, "
        "updated_at = ?, valid_from = ?, valid_until = ?, superseded_by = ?, author = ?, thread = "
        "?, "
        "position = ?, task = ?, entities = ?, content = ?, extra_words = ?, metadata = ?, raw = "
        "?, "
        "raw_embedding_at = ?, "
        "given_model = ? WHERE seq = ?",
        memory.kind, *network, memory.vector_state, vec_id,
        standing_after(old.standing, wanted_standing(prepared)), Blob{prepared.hash},
        memory.legacy_id, memory.confidence, memory.source, memory.source_type, memory.category,
        memory.created_at, memory.updated_at, memory.valid_from, memory.valid_until,
        memory.superseded_by, memory.author, memory.thread, memory.position, prepared.task,
        prepared.entities, memory.content, prepared.extra_words, memory.metadata, raw_text(memory),
        raw_cut(memory), given_model(memory), old.seq));
    BB5_TRY(put_given(memory, old.seq));
    if (*same_text == 0) BB5_TRY(index_text(prepared, old.seq));
    tallies_.add(old.network, old.kind, old.vector_state, -1);
    return put_dependents(prepared, old.seq, *network);
  }

  Result<> put_dependents(const Prepared& prepared, std::int64_t seq, std::int64_t network) {
    const Memory& memory = *prepared.memory;
    tallies_.add(network, memory.kind, memory.vector_state, 1);
    changed_ = true;
    if (prepared.statement_key) BB5_TRY(put_statement(connection_, seq, *prepared.statement_key));
    if (prepared.facts.entity) {
      auto put = facts_.put(*prepared.facts.entity, OnConflict::replace);
      if (!put) return std::move(put).error();
    }
    if (prepared.facts.relationship) {
      auto put = facts_.put(*prepared.facts.relationship, OnConflict::replace);
      if (!put) return std::move(put).error();
    }
    if (memory.kind == MemoryKind::memory)
      return facts_.put_mentions(seq, memory.id, memory.entities);
    return ok();
  }

  /// What it came with is among the vectors of its model.
  Result<> put_given(const Memory& memory, std::int64_t seq) {
    if (!memory.given || memory.given->dropped()) return ok();
    return connection_.run(
        "INSERT INTO other_vectors (model, seq, embedding) VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET embedding = excluded.embedding",
        memory.given->model, seq, Blob{bytes_of(memory.given->numbers)});
  }
  static std::optional<std::string_view> given_model(const Memory& memory) {
    return memory.given ? std::optional<std::string_view>(memory.given->model) : std::nullopt;
  }

  /// True when the old row of `vectors` can stay: same numbers, same label.
  Result<bool> holds_vector(const Held& old, const Memory& memory, std::int64_t network) {
    if (!old.vec_id || memory.embedding.empty()) return false;
    auto same = connection_.integer(
        "SELECT label = ? AND embedding = ? FROM vectors WHERE vec_id = ?",
        label_of(network, memory.kind), Blob{bytes_of(memory.embedding)}, *old.vec_id);
    if (!same) return std::move(same).error();
    return *same != 0;
  }

  Result<> index_text(const Prepared& prepared, std::int64_t seq) {
    return connection_.run(
        "INSERT INTO memories_fts (rowid, content, extra_words) VALUES (?, ?, ?)", seq,
        prepared.memory->content, prepared.extra_words);
  }
  // FTS5 forgets a text only when it is given the text once more.
  Result<> unindex_text(std::int64_t seq) {
    return connection_.run(
        "INSERT INTO memories_fts (memories_fts, rowid, content, extra_words) "
        "SELECT 'delete', seq, content, extra_words FROM memories WHERE seq = ?",
        seq);
  }

  static std::optional<std::string_view> raw_text(const Memory& memory) {
    return memory.raw ? std::optional<std::string_view>(memory.raw->text) : std::nullopt;
  }
  static std::optional<std::int64_t> raw_cut(const Memory& memory) {
    if (!memory.raw || !memory.raw->embedding_at) return std::nullopt;
    return *memory.raw->embedding_at;
  }

  Connection& connection_;
  std::int64_t last_seq_ = 0;
  std::int64_t first_fact_seq_ = 0;
  std::int64_t last_fact_seq_ = 0;
  VectorWriter vectors_{connection_};
  EmbedderInfo embedder_;
  bool graph_stale_ = false;
  bool changed_ = false;
  TallyChanges tallies_;
  Touched touched_;
  FactWriter facts_{connection_, last_fact_seq_, touched_};
  std::deque<DocumentWriter> documents_;
  std::unordered_set<MemoryId> said_;  // by the documents
  std::map<std::string, std::int64_t> networks_;
};

template <class Item, class... Extra>
Result<std::vector<WriteAction>> put_all(Writer& writer, std::span<const Item> items,
                                         OnConflict on_conflict) {
  std::vector<WriteAction> actions;
  actions.reserve(items.size());
  for (const Item& item : items) {
    auto action = writer.put(item, on_conflict);
    if (!action) return std::move(action).error();
    actions.push_back(*action);
  }
  return actions;
}

std::span<const WriteAction> counted_actions(const WriteOutcome& outcome, LedgerPart part) {
  switch (part) {
    case LedgerPart::memories:
      return outcome.memories;
    case LedgerPart::entities:
      return outcome.entity_facts;
    case LedgerPart::relationships:
    case LedgerPart::embedding_cache:
      return outcome.relationship_facts;
  }
  return {};
}

}  // namespace

Result<WriteOutcome> write_batch(Connection& connection, const WriteBatch& batch) {
  auto prepared = prepare(batch);
  if (!prepared) return std::move(prepared).error();
  auto transaction = Transaction::write(connection);
  if (!transaction) return std::move(transaction).error();
  Writer writer(connection);
  BB5_TRY(writer.begin());
  BB5_TRY(writer.check_model(batch));
  BB5_TRY(writer.open_documents(batch.documents));

  WriteOutcome outcome;
  auto memories = put_all(writer, std::span<const Prepared>(*prepared), batch.on_conflict);
  if (!memories) return std::move(memories).error();
  outcome.memories = std::move(*memories);
  auto entities = put_all(writer, batch.entity_facts, batch.on_conflict);
  if (!entities) return std::move(entities).error();
  outcome.entity_facts = std::move(*entities);
  auto relationships = put_all(writer, batch.relationship_facts, batch.on_conflict);
  if (!relationships) return std::move(relationships).error();
  outcome.relationship_facts = std::move(*relationships);
  BB5_TRY(writer.close_documents(batch));

  if (batch.ledger != nullptr) {
    BB5_TRY(write_ledger_batch(connection, *batch.ledger,
                               counted_actions(outcome, batch.ledger->part)));
  }
  BB5_TRY(writer.finish(batch.fold));
  BB5_TRY(transaction->commit());
  return outcome;
}

Result<bool> erase_memory(Connection& connection, const MemoryId& id) {
  auto transaction = Transaction::write(connection);
  if (!transaction) return std::move(transaction).error();
  Writer writer(connection);
  BB5_TRY(writer.begin());
  auto erased = writer.erase(id);
  if (!erased || !*erased) return erased;
  BB5_TRY(writer.finish(true));
  BB5_TRY(transaction->commit());
  return true;
}

Result<std::int64_t> give_made_vectors(Connection& connection, const EmbedderInfo& embedder,
                                       std::span<const MadeVector> vectors) {
  auto transaction = Transaction::write(connection);
  if (!transaction) return std::move(transaction).error();
  auto recorded = read_embedder(connection);
  if (!recorded) return std::move(recorded).error();
  if (*recorded != embedder) return other_embedder(*recorded);
  BB5_TRY(check_lengths(vectors, embedder.dimension));
  Writer writer(connection);
  BB5_TRY(writer.begin());
  std::int64_t given = 0;
  for (const MadeVector& vector : vectors) {
    auto gave = writer.give(vector);
    if (!gave) return std::move(gave).error();
    given += *gave ? 1 : 0;
  }
  BB5_TRY(writer.finish(false));
  BB5_TRY(transaction->commit());
  return given;
}

}  // namespace bb5::embedded
