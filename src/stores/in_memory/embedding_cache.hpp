#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ports/memory_search.hpp"
#include "stores/in_memory/state.hpp"

/// The cache of embeddings.
namespace bb5::in_memory {

std::vector<WriteAction> put_cached_embeddings(State& state,
                                               std::span<const EmbeddingCache::Entry> entries);
[[nodiscard]] std::optional<std::vector<float>> read_cached_embedding(const State& state,
                                                                      std::string_view model,
                                                                      std::string_view text_md5);
[[nodiscard]] std::vector<EmbeddingCache::Entry> page_of_cached_embeddings(
    const State& state, std::string_view after_model, std::string_view after_md5,
    std::size_t limit);

/// Then those used longest ago go, beyond `limit_bytes`.
void put_computed_embeddings(State& state, std::span<const EmbeddingCache::Entry> entries,
                             Timestamp used, std::int64_t limit_bytes);
void update_use(State& state, std::string_view model, std::string_view text_md5, Timestamp used);

}  // namespace bb5::in_memory
