#include "stores/in_memory/bank_model.hpp"

#include <fmt/format.h>

#include "stores/in_memory/other_vectors.hpp"

namespace bb5::in_memory {
namespace {

Result<> check_embedder(const EmbedderInfo& embedder) {
  if (embedder.dimension != 0 && embedder.dimension <= 16'000 && !embedder.model.empty())
    return ok();
  return Error{
      Errc::invalid_argument,
      fmt::format("an embedder needs a name and 1 to 16000 numbers, not {}", embedder.dimension)};
}

}  // namespace

Result<> record_embedder(State& state, const EmbedderInfo& embedder) {
  BB5_TRY(check_embedder(embedder));
  if (state.embedder.dimension != 0 && state.embedder != embedder)
    return other_embedder(state.embedder);
  state.embedder = embedder;
  state.other_vectors.erase(embedder.model);
  return ok();
}

Result<std::int64_t> give_made_vectors(State& state, const EmbedderInfo& embedder,
                                       std::span<const MadeVector> vectors) {
  if (embedder != state.embedder) return other_embedder(state.embedder);
  BB5_TRY(check_lengths(vectors, embedder.dimension));
  std::vector<Memory> given;
  for (const MadeVector& vector : vectors) {
    const Memory* held = state.memories.find(vector.id);
    if (held == nullptr) continue;
    auto memory = with_vector(*held, vector);
    if (!memory) return std::move(memory).error();
    if (*memory) given.push_back(std::move(**memory));
  }
  for (Memory& memory : given) state.memories.by_seq.at(memory.seq) = std::move(memory);
  return std::ssize(given);
}

Result<std::int64_t> exchange_vectors(State& state, const EmbedderInfo& next) {
  if (next == state.embedder) return 0;
  const std::string present = state.embedder.model;
  if (next.model == present) return other_embedder(state.embedder);
  BB5_TRY(check_embedder(next));
  if (const auto lack = count_lack(state, next.model); lack.memories > 0) return lack.memories;
  // Every memory that takes part has its vector of the next model.
  auto vectors = std::move(state.other_vectors[next.model]);
  state.other_vectors.erase(next.model);
  for (auto& [seq, vector] : vectors) {
    Memory& memory = state.memories.by_seq.at(seq);
    if (vector.size() != next.dimension) return of_several_lengths(next);
    if (!takes_part(memory)) continue;
    if (memory.vector_state == VectorState::indexed)
      state.other_vectors[present][seq] = memory.embedding;
    auto changed = with_model_changed(std::move(memory), present, next.model, std::move(vector));
    if (!changed) return std::move(changed).error();
    memory = std::move(*changed);
  }
  state.embedder = next;
  return 0;
}

}  // namespace bb5::in_memory
