#include "stores/embedded/keyword_search.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

/// A text of more words is a document, not a question.
constexpr std::size_t most_words = 1000;

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

/// English words that say nothing about the subject: the list that PostgreSQL's configuration
/// `english` leaves out too. They are in most memories, and scoring those takes the time.
constexpr std::string_view stop_words[] = {
    "a",      "about",  "above", "after", "again",   "against",   "all",       "am",
    "an",     "and",    "any",   "are",   "as",      "at",        "be",        "because",
    "been",   "before", "being", "below", "between", "both",      "but",       "by",
    "can",    "did",    "do",    "does",  "doing",   "don",       "down",      "during",
    "each",   "few",    "for",   "from",  "further", "had",       "has",       "have",
    "having", "he",     "her",   "here",  "hers",    "herself",   "him",       "himself",
    "his",    "how",    "i",     "if",    "in",      "into",      "is",        "it",
    "its",    "itself", "just",  "me",    "more",    "most",      "my",        "myself",
    "no",     "nor",    "not",   "now",   "of",      "off",       "on",        "once",
    "only",   "or",     "other", "our",   "ours",    "ourselves", "out",       "over",
    "own",    "s",      "same",  "she",   "should",  "so",        "some",      "such",
    "t",      "than",   "that",  "the",   "their",   "theirs",    "them",      "themselves",
    "then",   "there",  "these", "they",  "this",    "those",     "through",   "to",
    "too",    "under",  "until", "up",    "very",    "was",       "we",        "were",
    "what",   "when",   "where", "which", "while",   "who",       "whom",      "why",
    "will",   "with",   "you",   "your",  "yours",   "yourself",  "yourselves"};
static_assert(std::is_sorted(std::begin(stop_words), std::end(stop_words)));

bool is_stop_word(std::string_view word) {
  return std::binary_search(std::begin(stop_words), std::end(stop_words), word);
}

/// The different words in lower case, in order.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && belongs_to_word(text[end])) ++end;
    std::string word = lower_case(text.substr(at, end - at));
    at = std::max(end, at + 1);
    if (!word.empty() && seen.insert(word).second) words.push_back(std::move(word));
  }
  return words;
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

std::string match_expression(std::string_view text) {
  std::vector<std::string> words = words_of(text);
  const bool only_stop_words = std::all_of(words.begin(), words.end(), is_stop_word);
  if (!only_stop_words) std::erase_if(words, is_stop_word);
  if (words.size() > most_words) words.resize(most_words);
  std::string expression;
  for (const std::string& word : words) {
    expression += expression.empty() ? "\"" : " OR \"";
    expression += word + '"';
  }
  return expression;
}

Result<SearchResult> search_keywords(Connection& connection, std::string_view text, std::size_t k,
                                     const MemoryFilter& filter) {
  BB5_TRY(validate(filter));
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  const std::string expression = match_expression(text);
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
