#pragma once

#include <string_view>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "stores/embedded/connection.hpp"

namespace bb5::embedded {

/// BM25 over FTS5 (k1 1.2, b 0.75), the words of `text` joined by OR. English stop words count only
/// when there is nothing else.
Result<SearchResult> search_keywords(Connection& connection, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter);

/// The words as an FTS5 query, each in quotes so that none is an operator; empty without words.
[[nodiscard]] std::string match_expression(std::string_view text);

}  // namespace bb5::embedded
