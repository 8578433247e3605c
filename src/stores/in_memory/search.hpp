#pragma once

#include <string_view>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "stores/in_memory/state.hpp"

/// Searches that look at every memory.
namespace bb5::in_memory {

/// As MemorySearch::nearest has it.
/// Errors: as MemorySearch::nearest().
Result<> check_query(const State& state, const QueryVector& query);

Result<SearchResult> search_vectors(const State& state, const QueryVector& query, std::size_t k,
                                    const MemoryFilter& filter);

/// BM25 (k1 0.9, b 0.5) over the terms of content and author.
[[nodiscard]] Result<SearchResult> search_keywords(const State& state, std::string_view question,
                                                   std::size_t k, const MemoryFilter& filter);

}  // namespace bb5::in_memory
