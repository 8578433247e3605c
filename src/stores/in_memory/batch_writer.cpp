#include "stores/in_memory/batch_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "stores/in_memory/documents.hpp"
#include "stores/in_memory/facts.hpp"
#include "stores/in_memory/graph_fold.hpp"
#include "stores/in_memory/ledger.hpp"
#include "stores/in_memory/other_vectors.hpp"

namespace bb5::in_memory {
namespace {

Result<> check_lists(const WriteBatch& batch) {
  if (!batch.standings.empty() && batch.standings.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one standing for each memory, or none"};
  if (!batch.statement_keys.empty() && batch.statement_keys.size() != batch.memories.size())
    return Error{Errc::invalid_argument, "a batch has one statement key for each memory, or none"};
  return ok();
}

Result<> check_memory(const EmbedderInfo& embedder, const WriteBatch& batch, const Memory& memory) {
  BB5_TRY(validate(memory));
  if (memory.embedding.empty()) return ok();
  if (!batch.model.empty() && batch.model != embedder.model) return other_embedder(embedder);
  if (memory.embedding.size() == embedder.dimension) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("memory {} has a vector of {} numbers, the bank's have {}",
                           memory.legacy_id, memory.embedding.size(), embedder.dimension)};
}

Result<WriteAction> insert(State& state, Memory memory) {
  if (memory.seq == 0) memory.seq = state.next_seq;
  if (state.memories.by_seq.contains(memory.seq)) {
    return Error{
        Errc::conflict,
        fmt::format("memory {} cannot have place {}: it is taken", memory.legacy_id, memory.seq),
        "leave its seq 0, and it gets the next place"};
  }
  state.next_seq = std::max(state.next_seq, memory.seq + 1);
  put_facts_of(state, memory);
  keep_given(state, memory);
  state.memories.put(std::move(memory));
  return WriteAction::inserted;
}

void replace(State& state, Memory& held, const Memory& memory) {
  erase_facts_of(state, memory.id);
  if (held.network != memory.network) state.moved.insert(memory.id);
  if (held.content != memory.content) forget_other_vectors(state, held.seq);
  const std::int64_t seq = held.seq;
  held = memory;
  held.seq = seq;
  keep_given(state, held);
  put_facts_of(state, held);
}

Result<WriteAction> put(State& state, const Memory& memory, OnConflict on_conflict) {
  Memory* held = state.memories.find(memory.id);
  if (held == nullptr) return insert(state, memory);
  const std::string wanted = record_hash(memory);
  if (record_hash(*held) == wanted) return WriteAction::identical;
  if (on_conflict == OnConflict::keep)
    return record_hash(as_given(*held, memory)) == wanted ? WriteAction::identical
                                                          : WriteAction::conflict;
  replace(state, *held, memory);
  return WriteAction::replaced;
}

Result<WriteAction> write_memory(State& state, const WriteBatch& batch, std::size_t place) {
  const Memory& memory = batch.memories[place];
  BB5_TRY(check_memory(state.embedder, batch, memory));
  const auto standing = standing_of(state, memory.id);
  auto action = put(state, memory, batch.on_conflict);
  if (!action) return action;
  if (*action != WriteAction::conflict)
    state.standings[memory.id] = standing_after(standing, wanted_standing(batch, place));
  const bool written = *action == WriteAction::inserted || *action == WriteAction::replaced;
  if (written && !batch.statement_keys.empty() && memory.kind == MemoryKind::memory)
    state.statements[memory.id] = batch.statement_keys[place];
  return action;
}

const std::vector<WriteAction>& actions_on(LedgerPart part, const WriteOutcome& outcome) {
  if (part == LedgerPart::memories) return outcome.memories;
  return part == LedgerPart::entities ? outcome.entity_facts : outcome.relationship_facts;
}

}  // namespace

Result<WriteOutcome> write_batch(State& state, const WriteBatch& batch) {
  WriteOutcome outcome;
  BB5_TRY(check_lists(batch));
  BB5_TRY(open_documents(state, batch));
  for (std::size_t place = 0; place < batch.memories.size(); ++place) {
    auto action = write_memory(state, batch, place);
    if (!action) return std::move(action).error();
    outcome.memories.push_back(*action);
  }
  for (const EntityFact& fact : batch.entity_facts)
    outcome.entity_facts.push_back(put_fact(state, fact, batch.on_conflict));
  for (const RelationshipFact& fact : batch.relationship_facts)
    outcome.relationship_facts.push_back(put_fact(state, fact, batch.on_conflict));
  forget_absent(state);
  BB5_TRY(close_documents(state, batch));
  if (batch.ledger != nullptr)
    BB5_TRY(write_ledger_batch(state, *batch.ledger, actions_on(batch.ledger->part, outcome)));
  if (batch.fold) fold_everything(state);
  return outcome;
}

bool erase_memory(State& state, const MemoryId& id) {
  const Memory* memory = state.memories.find(id);
  if (memory == nullptr) return false;
  erase_facts_of(state, id);
  forget_other_vectors(state, memory->seq);
  state.standings.erase(id);
  state.statements.erase(id);
  state.memories.erase(id);
  forget_absent(state);
  fold_everything(state);
  return true;
}

}  // namespace bb5::in_memory
