#pragma once

#include <string_view>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "ranking/asked_words.hpp"
#include "stores/embedded/connection.hpp"

namespace bb5::embedded {

/// BM25 over FTS5 (k1 1.2, b 0.75), as MemorySearch::keyword().
Result<SearchResult> search_keywords(Connection& connection, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter);

/// How many memories have the term, by the index.
Result<std::int64_t> count_holding(Connection& connection, const ranking::AskedTerm& term);

/// As an FTS5 query, each word in quotes so that none is an operator; empty without terms.
[[nodiscard]] std::string match_expression(const ranking::AskedWords& asked);

}  // namespace bb5::embedded
