#include "stores/in_memory/statements.hpp"

#include <algorithm>

#include "stores/in_memory/memories.hpp"

namespace bb5::in_memory {

StatementIndex::Missing read_missing_statements(const State& state, std::size_t limit) {
  const auto& memories = state.memories.by_seq;
  StatementIndex::Missing missing{.after = state.statements_to, .up_to = state.next_seq - 1};
  for (auto at = memories.upper_bound(missing.after); at != memories.end(); ++at) {
    const Memory& memory = at->second;
    if (memory.kind != MemoryKind::memory || state.statements.contains(memory.id)) continue;
    if (missing.memories.size() == limit) {
      missing.up_to = missing.memories.empty() ? missing.after : missing.memories.back().seq;
      break;
    }
    missing.memories.push_back(shown(memory, false));
  }
  return missing;
}

void put_statements(State& state, std::span<const StatementKey> entries, std::int64_t up_to) {
  for (const auto& [memory, key] : entries) {
    if (state.memories.contains(memory)) state.statements[memory] = key;
  }
  state.statements_to = std::max(state.statements_to, up_to);
}

std::vector<StatementKey> read_statements(const State& state, std::span<const std::int64_t> keys) {
  std::vector<StatementKey> found;
  for (const auto& [memory, key] : state.statements) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) found.push_back({memory, key});
  }
  return found;
}

}  // namespace bb5::in_memory
