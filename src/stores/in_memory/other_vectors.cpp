#include "stores/in_memory/other_vectors.hpp"

#include "stores/in_memory/memories.hpp"

namespace bb5::in_memory {
namespace {

bool lacks(const State& state, const Memory& memory, std::string_view model) {
  const auto vectors = state.other_vectors.find(model);
  return takes_part(memory) && model != state.embedder.model &&
         (vectors == state.other_vectors.end() || !vectors->second.contains(memory.seq));
}

}  // namespace

bool takes_part(const Memory& memory) {
  return memory.kind == MemoryKind::memory || memory.vector_state == VectorState::indexed;
}

OtherVectors::Lack count_lack(const State& state, std::string_view model) {
  OtherVectors::Lack lack;
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (!lacks(state, memory, model)) continue;
    ++lack.memories;
    lack.content_bytes += std::ssize(memory.content);
  }
  return lack;
}

std::vector<Memory> page_of_lacking(const State& state, std::string_view model,
                                    std::int64_t after_seq, std::size_t limit) {
  const auto& memories = state.memories.by_seq;
  std::vector<Memory> found;
  for (auto at = memories.upper_bound(after_seq); at != memories.end() && found.size() < limit;
       ++at) {
    if (lacks(state, at->second, model)) found.push_back(shown(at->second, false));
  }
  return found;
}

Result<std::int64_t> put_other_vectors(State& state, const EmbedderInfo& of,
                                       std::span<const MadeVector> vectors) {
  if (of.model == state.embedder.model) return own_model(of.model);
  BB5_TRY(check_lengths(vectors, of.dimension));
  BB5_TRY(check_numbers(vectors));
  std::int64_t held = 0;
  for (const MadeVector& vector : vectors) {
    const Memory* memory = state.memories.find(vector.id);
    if (memory == nullptr || content_sha256_of(memory->content) != vector.content_sha256) continue;
    held += state.other_vectors[of.model].try_emplace(memory->seq, vector.embedding).second;
  }
  return held;
}

std::vector<OtherVectors::Held> page_of_other_vectors(const State& state, std::string_view model,
                                                      std::int64_t after_seq, std::size_t limit) {
  std::vector<OtherVectors::Held> found;
  const auto vectors = state.other_vectors.find(model);
  if (vectors == state.other_vectors.end()) return found;
  for (auto at = vectors->second.upper_bound(after_seq);
       at != vectors->second.end() && found.size() < limit; ++at) {
    const Memory& memory = state.memories.by_seq.at(at->first);
    found.push_back({at->first, {memory.id, content_sha256_of(memory.content), at->second}});
  }
  return found;
}

std::int64_t remove_other_vectors(State& state) {
  std::int64_t dropped = 0;
  for (const auto& [model, vectors] : state.other_vectors) dropped += std::ssize(vectors);
  state.other_vectors.clear();
  for (auto& [seq, memory] : state.memories.by_seq) {
    if (memory.given) memory.given.emplace();
  }
  return dropped;
}

void keep_given(State& state, const Memory& memory) {
  if (memory.given && !memory.given->dropped())
    state.other_vectors[memory.given->model][memory.seq] = memory.given->numbers;
}

void forget_other_vectors(State& state, std::int64_t seq) {
  for (auto& [model, vectors] : state.other_vectors) vectors.erase(seq);
}

}  // namespace bb5::in_memory
