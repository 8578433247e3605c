#include "stores/in_memory/documents.hpp"

#include <algorithm>

namespace bb5::in_memory {
namespace {

bool says(const RetainedDocument& document, const MemoryId& memory) {
  return std::find(document.memories.begin(), document.memories.end(), memory) !=
         document.memories.end();
}

Result<> open_document(State& state, const DocumentChange& change) {
  const auto held = read_document(state, change.document.source);
  BB5_TRY(check_follows(change, held ? std::optional(held->digest) : std::nullopt));
  for (const MemoryId& id : change.document.memories) {
    if (standing_of(state, id) != Standing::unsaid) continue;
    state.memories.find(id)->valid_until.reset();
    state.standings[id] = Standing::said;
  }
  return ok();
}

Result<> check_names(const State& state, const RetainedDocument& document) {
  for (const MemoryId& id : document.memories) {
    if (!state.memories.contains(id)) return names_nothing(document, id);
  }
  for (const FactId& id : document.entity_facts) {
    if (!state.entity_facts.contains(id)) return names_nothing(document, id);
  }
  for (const FactId& id : document.relationship_facts) {
    if (!state.relationship_facts.contains(id)) return names_nothing(document, id);
  }
  return ok();
}

/// Removes those of the facts that neither a document nor the batch has.
template <class Fact>
void remove_unsaid(const State& state, Table<Fact>& facts, const std::vector<FactId>& former,
                   std::span<const Fact> written, std::vector<FactId> RetainedDocument::*said) {
  for (const FactId& id : former) {
    const bool kept =
        std::any_of(written.begin(), written.end(),
                    [&](const Fact& fact) { return fact.id == id; }) ||
        std::any_of(state.documents.begin(), state.documents.end(), [&](const auto& entry) {
          const std::vector<FactId>& ids = entry.second.*said;
          return std::find(ids.begin(), ids.end(), id) != ids.end();
        });
    const Fact* fact = facts.find(id);
    if (!kept && fact != nullptr && !fact->memory) facts.erase(id);
  }
}

void close_if_unsaid(State& state, const MemoryId& id, Timestamp moment) {
  const bool still_said = std::any_of(state.documents.begin(), state.documents.end(),
                                      [&](const auto& entry) { return says(entry.second, id); });
  if (still_said || standing_of(state, id) != Standing::said) return;
  Memory& memory = *state.memories.find(id);
  if (memory.valid_until && *memory.valid_until <= moment) return;
  memory.valid_until = moment;
  state.standings[id] = Standing::unsaid;
}

}  // namespace

std::optional<RetainedDocument> read_document(const State& state, std::string_view source) {
  const auto found = state.documents.find(source);
  if (found == state.documents.end()) return std::nullopt;
  return found->second;
}

std::int64_t count_sayings(const State& state, const MemoryId& memory) {
  std::int64_t times = 0;
  for (const auto& [source, document] : state.documents)
    times += std::count(document.memories.begin(), document.memories.end(), memory);
  return times;
}

std::optional<Standing> standing_of(const State& state, const MemoryId& id) {
  if (!state.memories.contains(id)) return std::nullopt;
  const auto found = state.standings.find(id);
  return found == state.standings.end() ? Standing::by_itself : found->second;
}

std::vector<Standing> read_standings(const State& state, std::span<const MemoryId> memories) {
  std::vector<Standing> found;
  for (const MemoryId& id : memories)
    found.push_back(standing_of(state, id).value_or(Standing::by_itself));
  return found;
}

Result<> open_documents(State& state, const WriteBatch& batch) {
  BB5_TRY(validate(batch.documents));
  for (const DocumentChange& change : batch.documents) BB5_TRY(open_document(state, change));
  return ok();
}

Standing wanted_standing(const WriteBatch& batch, std::size_t place) {
  if (!batch.standings.empty()) return batch.standings[place];
  const MemoryId& id = batch.memories[place].id;
  const bool said = std::any_of(batch.documents.begin(), batch.documents.end(),
                                [&](const DocumentChange& c) { return says(c.document, id); });
  return said ? Standing::said : Standing::by_itself;
}

Result<> close_documents(State& state, const WriteBatch& batch) {
  std::vector<RetainedDocument> former;
  for (const DocumentChange& change : batch.documents) {
    BB5_TRY(check_names(state, change.document));
    former.push_back(
        std::exchange(state.documents[change.document.source], RetainedDocument(change.document)));
  }
  for (std::size_t i = 0; i < former.size(); ++i) {
    remove_unsaid(state, state.entity_facts, former[i].entity_facts, batch.entity_facts,
                  &RetainedDocument::entity_facts);
    remove_unsaid(state, state.relationship_facts, former[i].relationship_facts,
                  batch.relationship_facts, &RetainedDocument::relationship_facts);
    for (const MemoryId& id : former[i].memories)
      close_if_unsaid(state, id, batch.documents[i].document.retained_at);
  }
  return ok();
}

void forget_absent(State& state) {
  const auto absent_from = [](const auto& table) {
    return [&table](const auto& id) { return !table.contains(id); };
  };
  for (auto& [source, document] : state.documents) {
    std::erase_if(document.memories, absent_from(state.memories));
    std::erase_if(document.entity_facts, absent_from(state.entity_facts));
    std::erase_if(document.relationship_facts, absent_from(state.relationship_facts));
  }
}

}  // namespace bb5::in_memory
