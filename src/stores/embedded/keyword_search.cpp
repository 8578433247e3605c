#include "stores/embedded/keyword_search.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

/// Bytes of letters and digits, and all that is not ASCII: FTS5's tokenizer parts those further.
bool belongs_to_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// `[1,5,9]`
std::string json_of(const std::vector<std::int64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

std::string lower_case(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

}  // namespace

std::string match_expression(std::string_view text) {
  std::set<std::string> seen;
  std::string expression;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && belongs_to_word(text[end])) ++end;
    const std::string word = lower_case(text.substr(at, end - at));
    at = std::max(end, at + 1);
    if (word.empty() || !seen.insert(word).second) continue;
    if (!expression.empty()) expression += " OR ";
    expression += '"' + word + '"';
  }
  return expression;
}

Result<SearchResult> search_keywords(Connection& connection, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter) {
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  auto labels = labels_of(connection, filter);
  if (!labels) return std::move(labels).error();
  auto looked_at = count_memories(connection, *labels, std::nullopt);
  if (!looked_at) return std::move(looked_at).error();
  SearchResult result{.hits = {},
                      .plan = {.index = "fts5 bm25", .exact = true, .looked_at = *looked_at}};
  const std::string expression = match_expression(text);
  if (expression.empty() || k == 0 || *looked_at == 0) return result;

  // ?3 is NULL when every memory may be found.
  BB5_TRY(connection.each(
      "SELECT m.id, m.seq, -bm25(memories_fts) AS score FROM memories_fts "
      "JOIN memories m ON m.seq = memories_fts.rowid WHERE memories_fts MATCH ?1 "
      "AND (?3 IS NULL OR m.network * 4 + m.kind IN (SELECT value FROM json_each(?3))) "
      "ORDER BY score DESC, m.seq LIMIT ?2",
      [&](const Row& row) {
        result.hits.push_back({.id = {row.uuid(0)}, .seq = row.integer(1), .score = row.real(2)});
      },
      expression, limit_of(k), *labels ? std::optional(json_of(**labels)) : std::nullopt));
  return result;
}

}  // namespace bb5::embedded
