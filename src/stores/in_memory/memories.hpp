#pragma once

#include <string_view>
#include <vector>

#include "ports/memory_store.hpp"
#include "stores/in_memory/state.hpp"

/// Reading memories, and counting them.
namespace bb5::in_memory {

/// The memory as a call returns it.
[[nodiscard]] Memory shown(Memory memory, bool with_embeddings);

[[nodiscard]] std::vector<Memory> get_memories(const State& state, std::span<const MemoryId> ids,
                                               bool with_embeddings);
[[nodiscard]] std::vector<Memory> find_memories(const State& state,
                                                std::string_view legacy_id_or_uuid);
[[nodiscard]] Result<std::vector<Memory>> page_of_memories(const State& state,
                                                           const PageRequest& request);

[[nodiscard]] StoreStats read_stats(const State& state);

}  // namespace bb5::in_memory
