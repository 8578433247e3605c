#include "stores/in_memory/ranking_material.hpp"

#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "model/cosine.hpp"
#include "ranking/terms.hpp"
#include "stores/in_memory/memories.hpp"
#include "stores/in_memory/search.hpp"

namespace bb5::in_memory {
namespace {

/// The distance of two positions; nothing when it is beyond all reaches.
std::optional<std::int64_t> distance(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
  if (difference == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return std::abs(difference);
}

std::unordered_set<std::string> terms_in(const Memory& memory) {
  auto terms = ranking::terms_of(memory.content);
  if (memory.author) {
    for (std::string& term : ranking::terms_of(*memory.author)) terms.push_back(std::move(term));
  }
  return {terms.begin(), terms.end()};
}

RankedRow row_of(const Memory& memory, const QueryVector* query, const MemoryFilter& filter) {
  RankedRow row{.id = memory.id,
                .seq = memory.seq,
                .content = memory.content,
                .author = memory.author.value_or(""),
                .thread = memory.thread.value_or(""),
                .position = memory.position,
                .created_at = memory.created_at,
                .passes = matches(filter, memory)};
  if (query != nullptr && !memory.embedding.empty())
    row.cosine = cosine(query->numbers, memory.embedding);
  return row;
}

}  // namespace

std::vector<ranking::Neighbour> find_thread_neighbours(const State& state,
                                                       std::span<const ranking::Reach> memories) {
  std::unordered_map<std::string_view, std::vector<const Memory*>> threads;
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (memory.thread && memory.position) threads[*memory.thread].push_back(&memory);
  }
  std::vector<ranking::Neighbour> found;
  for (const ranking::Reach& reach : memories) {
    const Memory* memory = state.memories.find(reach.id);
    if (memory == nullptr || !memory->thread || !memory->position) continue;
    for (const Memory* other : threads[*memory->thread]) {
      const auto far = distance(*other->position, *memory->position);
      if (other != memory && far && *far <= reach.positions)
        found.push_back({memory->id, other->id, *far});
    }
  }
  return found;
}

Result<RankingMaterial> gather_ranking_material(const State& state,
                                                std::span<const MemoryId> memories,
                                                const QueryVector* query,
                                                const MemoryFilter& filter,
                                                std::span<const ranking::AskedTerm> terms) {
  BB5_TRY(validate(filter));
  if (query != nullptr) BB5_TRY(check_query(state, *query));
  RankingMaterial material;
  for (const MemoryId& id : memories) {
    if (const Memory* memory = state.memories.find(id))
      material.rows.push_back(row_of(*memory, query, filter));
  }
  material.corpus.memories = std::ssize(state.memories.by_seq);
  for (const auto& [seq, memory] : state.memories.by_seq) {
    const auto held = terms_in(memory);
    for (const auto& asked : terms) {
      if (held.contains(asked.term)) ++material.corpus.holding[asked.term];
    }
  }
  return material;
}

}  // namespace bb5::in_memory
