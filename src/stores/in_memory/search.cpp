#include "stores/in_memory/search.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "model/cosine.hpp"
#include "ranking/asked_words.hpp"
#include "ranking/bm25.hpp"
#include "ranking/terms.hpp"

namespace bb5::in_memory {
namespace {

Result<> check_numbers(std::span<const float> query, std::size_t dimension) {
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

constexpr ranking::Bm25 bm25{.k1 = 0.9, .b = 0.5};

/// A text's terms, and where it stands.
struct Text {
  MemoryId id;
  std::int64_t seq = 0;
  bool passes = true;
  std::vector<std::string> terms;
  bool meets_conditions = true;
};

std::vector<Text> texts_of(const State& state, const ranking::AskedWords& asked,
                           const MemoryFilter& filter) {
  std::vector<Text> texts;
  for (const auto& [seq, memory] : state.memories.by_seq) {
    const std::string text = memory.content + '\n' + memory.author.value_or("");
    texts.push_back({memory.id, seq, matches(filter, memory), ranking::terms_of(text),
                     ranking::meets_conditions(asked, text)});
  }
  return texts;
}

double score_of(const Text& text, const ranking::AskedWords& asked,
                const std::vector<double>& rarity, double mean_length) {
  double score = 0;
  for (std::size_t t = 0; t < asked.terms.size(); ++t) {
    const auto frequency = std::count(text.terms.begin(), text.terms.end(), asked.terms[t].term);
    score += rarity[t] * bm25.saturated(static_cast<double>(frequency),
                                        static_cast<double>(text.terms.size()), mean_length);
  }
  return score;
}

void keep_best(std::vector<Hit>& hits, std::size_t k) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return a.score > b.score; });
  if (hits.size() > k) hits.resize(k);
}

}  // namespace

Result<> check_query(const State& state, const QueryVector& query) {
  if (!query.model.empty() && query.model != state.embedder.model)
    return other_embedder(state.embedder);
  return check_numbers(query.numbers, state.embedder.dimension);
}

Result<SearchResult> search_vectors(const State& state, const QueryVector& query, std::size_t k,
                                    const MemoryFilter& filter) {
  BB5_TRY(validate(filter));
  BB5_TRY(check_query(state, query));
  SearchResult result{.plan = {.index = "exact", .exact = true, .looked_at = 0}};
  for (const auto& [seq, memory] : state.memories.by_seq) {
    if (memory.embedding.empty() || !matches(filter, memory)) continue;
    ++result.plan.looked_at;
    result.hits.push_back({memory.id, seq, cosine(query.numbers, memory.embedding)});
  }
  keep_best(result.hits, k);
  return result;
}

Result<SearchResult> search_keywords(const State& state, std::string_view question, std::size_t k,
                                     const MemoryFilter& filter) {
  BB5_TRY(validate(filter));
  const auto asked = ranking::asked_words(question);
  SearchResult result{.plan = {.index = "bm25", .exact = true, .looked_at = 0}};
  const std::vector<Text> texts = texts_of(state, asked, filter);
  std::vector<double> holding(asked.terms.size());
  double length = 0;
  for (const Text& text : texts) {
    length += static_cast<double>(text.terms.size());
    for (std::size_t t = 0; t < asked.terms.size(); ++t) {
      const auto& term = asked.terms[t].term;
      if (std::find(text.terms.begin(), text.terms.end(), term) != text.terms.end()) ++holding[t];
    }
  }
  const auto n = static_cast<double>(texts.size());
  std::vector<double> rarity;
  for (const double held : holding) rarity.push_back(ranking::inverse_document_frequency(n, held));
  for (const Text& text : texts) {
    if (!text.passes) continue;
    ++result.plan.looked_at;
    const double score = text.meets_conditions ? score_of(text, asked, rarity, length / n) : 0;
    if (score > 0) result.hits.push_back({text.id, text.seq, score});
  }
  keep_best(result.hits, k);
  return result;
}

}  // namespace bb5::in_memory
