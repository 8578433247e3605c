#include "stores/in_memory/memories.hpp"

namespace bb5::in_memory {

Memory shown(Memory memory, bool with_embeddings) {
  if (with_embeddings) return memory;
  memory.embedding.clear();
  memory.given.reset();
  return memory;
}

std::vector<Memory> get_memories(const State& state, std::span<const MemoryId> ids,
                                 bool with_embeddings) {
  std::vector<Memory> found;
  for (const MemoryId& id : ids) {
    if (const Memory* memory = state.memories.find(id))
      found.push_back(shown(*memory, with_embeddings));
  }
  return found;
}

std::vector<Memory> find_memories(const State& state, std::string_view legacy_id_or_uuid) {
  const auto uuid = Uuid::parse(legacy_id_or_uuid);
  std::vector<Memory> found;
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (memory.legacy_id == legacy_id_or_uuid || (uuid && memory.id.uuid == *uuid))
      found.push_back(memory);
  }
  return found;
}

Result<std::vector<Memory>> page_of_memories(const State& state, const PageRequest& request) {
  BB5_TRY(validate(request.filter));
  const auto& memories = state.memories.by_seq;
  std::vector<Memory> found;
  for (auto at = memories.upper_bound(request.after_seq);
       at != memories.end() && found.size() < request.limit; ++at) {
    const Memory& memory = at->second;
    if (request.without_vector && memory.vector_state == VectorState::indexed) continue;
    if (matches(request.filter, memory)) found.push_back(shown(memory, request.with_embeddings));
  }
  return found;
}

StoreStats read_stats(const State& state) {
  StoreStats stats;
  for (const auto& [seq, memory] : state.memories.by_seq) {
    ++stats.memories;
    ++stats.networks[memory.network];
    ++stats.kinds[memory.kind];
    ++stats.vectors[memory.vector_state];
    if (!memory.created_at) continue;
    if (!stats.oldest || *memory.created_at < *stats.oldest) stats.oldest = memory.created_at;
    if (!stats.newest || *memory.created_at > *stats.newest) stats.newest = memory.created_at;
  }
  stats.entities = std::ssize(state.graph.entities);
  stats.relationships = std::ssize(state.graph.relationships);
  stats.mentions = std::ssize(state.graph.mentions);
  stats.outbox_pending = std::ssize(state.outbox);
  stats.cached_embeddings = std::ssize(state.cache);
  for (const auto& [model, vectors] : state.other_vectors) {
    if (!vectors.empty()) stats.other_vectors[model] = std::ssize(vectors);
  }
  return stats;
}

}  // namespace bb5::in_memory
