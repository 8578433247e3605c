#include "operations/migrate/foresight.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "model/made_vector.hpp"

namespace bb5 {
namespace {

using HeldMemories = std::unordered_map<Uuid, Memory>;

Result<HeldMemories> held_of(const Bank& bank, std::span<const MemoryId> ids) {
  HeldMemories held;
  if (ids.empty()) return held;
  auto memories = bank.get(ids, true);
  if (!memories) return std::move(memories).error();
  for (Memory& memory : *memories) held.emplace(memory.id.uuid, std::move(memory));
  return held;
}

/// As the stores see it.
bool is_same(const Memory& held, const Memory& given) {
  return record_hash(as_given(held, given)) == record_hash(given);
}

Result<std::vector<WriteAction>> foresee_memories(const Bank& bank,
                                                  const std::vector<Memory>& memories) {
  std::vector<MemoryId> ids;
  for (const Memory& memory : memories) ids.push_back(memory.id);
  auto all = held_of(bank, ids);
  if (!all) return std::move(all).error();
  std::vector<WriteAction> actions;
  for (const Memory& memory : memories) {
    const auto held = all->find(memory.id.uuid);
    actions.push_back(held == all->end()              ? WriteAction::inserted
                      : is_same(held->second, memory) ? WriteAction::identical
                                                      : WriteAction::conflict);
  }
  return actions;
}

/// Facts are the same when all but their place in the bank is.
template <class Fact, class Get>
Result<std::vector<WriteAction>> foresee_facts(const std::vector<Fact>& facts, const Get& get) {
  std::vector<FactId> ids;
  for (const Fact& fact : facts) ids.push_back(fact.id);
  Result<std::vector<Fact>> held = get(std::span<const FactId>(ids));
  if (!held) return std::move(held).error();
  std::vector<WriteAction> actions;
  std::size_t at = 0;  // `held` is in the order of `ids`, with gaps
  for (const Fact& fact : facts) {
    if (at == held->size() || (*held)[at].id != fact.id) {
      actions.push_back(WriteAction::inserted);
      continue;
    }
    Fact other = std::move((*held)[at++]);
    other.seq = fact.seq;
    actions.push_back(other == fact ? WriteAction::identical : WriteAction::conflict);
  }
  return actions;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

Result<std::vector<WriteAction>> foresee_entries(
    const Bank& bank, const std::vector<EmbeddingCache::Entry>& entries) {
  std::vector<WriteAction> actions;
  for (const EmbeddingCache::Entry& entry : entries) {
    auto held = bank.cached_embedding(entry.model, entry.text_md5);
    if (!held) return std::move(held).error();
    actions.push_back(!*held                               ? WriteAction::inserted
                      : same_bits(**held, entry.embedding) ? WriteAction::identical
                                                           : WriteAction::replaced);
  }
  return actions;
}

}  // namespace

Result<> drop_held_by_content(const Bank& bank, PreparedBatch& batch) {
  std::vector<MemoryId> ids;
  for (std::size_t i = 0; i < batch.memories.size(); ++i) {
    if (batch.by_content[i]) ids.push_back(batch.memories[i].id);
  }
  if (ids.empty()) return ok();
  auto held = held_of(bank, ids);
  if (!held) return std::move(held).error();
  std::vector<Memory> kept;
  std::vector<LedgerBatch::Place> places;
  for (std::size_t i = 0; i < batch.memories.size(); ++i) {
    Memory& memory = batch.memories[i];
    const auto found = held->find(memory.id.uuid);
    if (batch.by_content[i] && found != held->end() && !is_same(found->second, memory)) {
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

Result<std::vector<WriteAction>> foresee(const Bank& bank, const PreparedBatch& batch) {
  switch (batch.ledger.part) {
    case LedgerPart::memories:
      return foresee_memories(bank, batch.memories);
    case LedgerPart::entities:
      return foresee_facts(batch.entities, [&](auto ids) { return bank.get_entity_facts(ids); });
    case LedgerPart::relationships:
      return foresee_facts(batch.relationships,
                           [&](auto ids) { return bank.get_relationship_facts(ids); });
    case LedgerPart::embedding_cache:
      return foresee_entries(bank, batch.entries);
  }
  return Error{Errc::internal, "a batch of no known part"};
}

std::vector<RejectedRecord> rejected_of(const PreparedBatch& batch,
                                        const std::vector<WriteAction>& actions) {
  std::vector<RejectedRecord> rejected;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i] != WriteAction::conflict) continue;
    const LedgerBatch::Place& place = batch.ledger.places[i];
    const std::string id =
        batch.ledger.part == LedgerPart::memories ? batch.memories[i].legacy_id
        : batch.ledger.part == LedgerPart::entities
            ? batch.entities[i].name
            : fmt::format("{} {} {}", batch.relationships[i].subject,
                          batch.relationships[i].predicate, batch.relationships[i].object);
    rejected.push_back({batch.ledger.file, place.ordinal, place.byte_from, id});
  }
  return rejected;
}

}  // namespace bb5
