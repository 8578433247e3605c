#include "stores/in_memory/search.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "model/cosine.hpp"

namespace bb5::in_memory {
namespace {

Result<> check_query(std::span<const float> query, std::size_t dimension) {
  if (query.size() != dimension) {
    return Error{
        Errc::invalid_argument,
        fmt::format("the query has {} numbers, the bank's vectors {}", query.size(), dimension)};
  }
  const bool finite =
      std::all_of(query.begin(), query.end(), [](float x) { return std::isfinite(x); });
  const bool zero = std::all_of(query.begin(), query.end(), [](float x) { return x == 0; });
  if (!finite || zero)
    return Error{Errc::invalid_argument, "the query's vector must be finite and not all zero"};
  return ok();
}

/// Lower-cased words of letters and digits: enough to find things in tests.
std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : fold_name(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80) {
      word += c;
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
  return words;
}

void keep_best(std::vector<Hit>& hits, std::size_t k) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return a.score > b.score; });
  if (hits.size() > k) hits.resize(k);
}

}  // namespace

Result<SearchResult> search_vectors(const State& state, const QueryVector& query, std::size_t k,
                                    const MemoryFilter& filter) {
  if (!query.model.empty() && query.model != state.embedder.model)
    return other_embedder(state.embedder);
  BB5_TRY(validate(filter));
  BB5_TRY(check_query(query.numbers, state.embedder.dimension));
  SearchResult result{.plan = {.index = "exact", .exact = true, .looked_at = 0}};
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (memory.embedding.empty() || !matches(filter, memory)) continue;
    ++result.plan.looked_at;
    result.hits.push_back({memory.id, seq, cosine(query.numbers, memory.embedding)});
  }
  keep_best(result.hits, k);
  return result;
}

Result<SearchResult> search_keywords(const State& state, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter) {
  BB5_TRY(validate(filter));
  const auto wanted = words_of(text);
  SearchResult result{.plan = {.index = "words", .exact = true, .looked_at = 0}};
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (!matches(filter, memory)) continue;
    ++result.plan.looked_at;
    const auto words = words_of(memory.content);
    const auto shared = std::count_if(wanted.begin(), wanted.end(),
                                      [&](const auto& word) { return words.contains(word); });
    if (shared > 0) result.hits.push_back({memory.id, seq, static_cast<double>(shared)});
  }
  keep_best(result.hits, k);
  return result;
}

}  // namespace bb5::in_memory
