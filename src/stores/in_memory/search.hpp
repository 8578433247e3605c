#pragma once

#include <string_view>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "stores/in_memory/state.hpp"

/// Searches that look at every memory.
namespace bb5::in_memory {

/// As MemorySearch::nearest has it.
Result<SearchResult> search_vectors(const State& state, const QueryVector& query, std::size_t k,
                                    const MemoryFilter& filter);

/// The score is how many of the words of `text` a memory has.
[[nodiscard]] Result<SearchResult> search_keywords(const State& state, std::string_view text,
                                                   std::size_t k, const MemoryFilter& filter);

}  // namespace bb5::in_memory
