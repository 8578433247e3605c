#include "stores/embedded/keyword_search.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

/// `[1,5,9]`
std::string json_of(const std::vector<std::int64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

/// `"a" OR "b"`; of words without quotes in them.
std::string any_of(std::span<const std::string> words) {
  return fmt::format("\"{}\"", fmt::join(words, "\" OR \""));
}

std::string in_a_row(const ranking::Phrase& words) {
  return fmt::format("\"{}\"", fmt::join(words, " "));
}

/// Under a condition that labels do not tell: of every hit the row is looked at.
Result<SearchResult> search_under_condition(Connection& connection, const std::string& expression,
                                            std::size_t k, const MemoryFilter& filter) {
  SearchResult result{.hits = {}, .plan = {.index = "fts5 bm25", .exact = true, .looked_at = 0}};
  const Condition counted = condition_of(filter, 1);
  auto passing = connection.integer("SELECT count(*) FROM memories m WHERE true" + counted.sql,
                                    counted.values);
  if (!passing) return std::move(passing).error();
  result.plan.looked_at = *passing;
  if (expression.empty() || k == 0 || *passing == 0) return result;
  const Condition condition = condition_of(filter, 3);
  // CROSS: the words are looked up once, not for each memory.
  BB5_TRY(connection.each(
      "SELECT m.id, m.seq, -bm25(memories_fts) AS score FROM memories_fts CROSS JOIN memories m "
      "ON m.seq = memories_fts.rowid WHERE memories_fts MATCH ?1" +
          condition.sql + " ORDER BY score DESC, m.seq LIMIT ?2",
      [&](const Row& row) {
        result.hits.push_back({.id = {row.uuid(0)}, .seq = row.integer(1), .score = row.real(2)});
      },
      expression, limit_of(k), condition.values));
  return result;
}

}  // namespace

std::string match_expression(const ranking::AskedWords& asked) {
  if (asked.terms.empty()) return {};
  std::string expression;
  for (const ranking::AskedTerm& term : asked.terms) {
    expression += expression.empty() ? "(" : " OR ";
    expression += any_of(term.words);
  }
  expression += ')';
  for (const ranking::Phrase& phrase : asked.required) expression += " AND " + in_a_row(phrase);
  if (asked.forbidden.empty()) return expression;
  expression = '(' + expression + ") NOT (";
  for (const ranking::Phrase& phrase : asked.forbidden) {
    if (&phrase != &asked.forbidden.front()) expression += " OR ";
    expression += in_a_row(phrase);
  }
  return expression + ')';
}

Result<std::int64_t> count_holding(Connection& connection, const ranking::AskedTerm& term) {
  return connection.integer("SELECT count(*) FROM memories_fts WHERE memories_fts MATCH ?",
                            any_of(term.words));
}

Result<SearchResult> search_keywords(Connection& connection, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter) {
  BB5_TRY(validate(filter));
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  const std::string expression = match_expression(ranking::asked_words(text));
  if (!is_plain(filter)) return search_under_condition(connection, expression, k, filter);
  auto labels = labels_of(connection, filter);
  if (!labels) return std::move(labels).error();
  auto passing = count_memories(connection, *labels, std::nullopt);
  if (!passing) return std::move(passing).error();
  auto not_valid = not_valid_at(connection, filter.valid_at, *labels);
  if (!not_valid) return std::move(not_valid).error();
  const std::int64_t looked_at = *passing - not_valid->memories;
  SearchResult result{.hits = {},
                      .plan = {.index = "fts5 bm25", .exact = true, .looked_at = looked_at}};
  if (expression.empty() || k == 0 || looked_at == 0) return result;

  const auto take = [&](const Row& row) {
    result.hits.push_back({.id = {row.uuid(0)}, .seq = row.integer(1), .score = row.real(2)});
  };
  auto all = count_memories(connection, std::nullopt, std::nullopt);
  if (!all) return std::move(all).error();
  if (*passing == *all) {
    // Without a filter only the hits themselves are looked up among the memories; among the best
    // there are no more that are not valid than there are at all.
    const auto spare = static_cast<std::size_t>(not_valid->memories);
    const std::size_t wanted = std::min(k, static_cast<std::size_t>(*all));
    BB5_TRY(connection.each(
        "SELECT m.id, m.seq, s.score FROM (SELECT rowid AS seq, -bm25(memories_fts) AS score "
        "FROM memories_fts WHERE memories_fts MATCH ?1 ORDER BY score DESC, rowid LIMIT ?2) s "
        "JOIN memories m ON m.seq = s.seq WHERE true" +
            valid_sql("?4") + " ORDER BY s.score DESC, m.seq LIMIT ?3",
        take, expression, limit_of(wanted + spare), limit_of(wanted), filter.valid_at));
    return result;
  }
  BB5_TRY(
      connection.each("SELECT m.id, m.seq, -bm25(memories_fts) AS score FROM memories_fts "
                      "JOIN memories m ON m.seq = memories_fts.rowid WHERE memories_fts MATCH ?1 "
                      "AND m.network * 4 + m.kind IN (SELECT value FROM json_each(?3))" +
                          valid_sql("?4") + " ORDER BY score DESC, m.seq LIMIT ?2",
                      take, expression, limit_of(k), json_of(**labels), filter.valid_at));
  return result;
}

}  // namespace bb5::embedded
