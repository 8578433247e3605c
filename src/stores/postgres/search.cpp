#include "stores/postgres/search.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "model/cosine.hpp"
#include "ranking/asked_words.hpp"
#include "stores/postgres/filter.hpp"
#include "stores/postgres/websearch.hpp"

namespace bb5::postgres {
namespace {

constexpr std::int32_t most_effort = 1000;  // pgvector's bound on hnsw.ef_search
constexpr auto settings_last = std::chrono::seconds(5);
constexpr int first_of_filter = 3;  // parameter of each statement
// As the partial index memories_odd_vectors has it.
constexpr std::string_view is_odd =
    "m.embedding IS NOT NULL AND NOT ({vector}.vector_norm(m.embedding) BETWEEN 1e-12 AND 1e12)";

/// The query in unit length, so that binary32 sums over it neither overflow nor vanish.
std::vector<float> unit_of(std::span<const float> query) {
  double square = 0;
  for (const double x : query) square += x * x;
  const double length = std::sqrt(square);
  std::vector<float> unit;
  unit.reserve(query.size());
  for (const double x : query) unit.push_back(static_cast<float>(x / length));
  return unit;
}

/// More than any two binary32 sums of that many products can differ from the true cosines.
double summing_error(std::size_t dimension) {
  return 1e-6 + static_cast<double>(dimension) * 1.2e-7;
}

void keep_best(std::vector<Hit>& hits, std::size_t k) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.seq < b.seq;
  });
  if (hits.size() > k) hits.resize(k);
}

/// $1 the query, $2 the LIMIT, the filter from $3. The odd ones come on top of the limit.
std::string exact_text(const std::string& condition) {
  return fmt::format(
      "(SELECT m.id, m.seq, m.embedding, m.embedding OPERATOR({{vector}}.<=>) "
      "$1::{{vector}}.vector AS distance"
      " FROM {{bank}}.memories m WHERE m.embedding IS NOT NULL{0} ORDER BY distance LIMIT $2)"
      " UNION ALL (SELECT m.id, m.seq, m.embedding, NULL FROM {{bank}}.memories m WHERE {1}{0})",
      condition, is_odd);
}

std::string within_text(const std::string& condition) {
  return fmt::format(
      "SELECT m.id, m.seq, m.embedding, NULL::float8 FROM {{bank}}.memories m WHERE ((m.embedding "
      "IS NOT NULL"
      " AND m.embedding OPERATOR({{vector}}.<=>) $1::{{vector}}.vector <= $2) OR ({1})){0}",
      condition, is_odd);
}

/// ORDER BY the bare operator, or the index is not used.
std::string indexed_text(std::int32_t dimension, const std::string& condition) {
  return fmt::format(
      "SELECT m.id, m.seq, m.embedding, NULL::float8 FROM {{bank}}.memories m WHERE m.embedding IS "
      "NOT NULL{1}"
      " ORDER BY {0} OPERATOR({{vector}}.<=>) ($1::{{vector}}.vector)::{{vector}}.halfvec({2}) "
      "LIMIT $2",
      indexed_expression(dimension), condition, dimension);
}

/// $1 the terms as websearch_to_tsquery() reads them, $2 and $3 phrases that must and must not be
/// there, $4 the LIMIT, the filter from $5.
std::string keyword_text(const std::string& condition) {
  constexpr std::string_view query = "websearch_to_tsquery('pg_catalog.english'::regconfig, {})";
  const std::string word = fmt::format(fmt::runtime(query), "one");
  return fmt::format(
      "WITH words AS MATERIALIZED (SELECT word FROM (SELECT {1} AS word FROM unnest($1::text[]) one"
      ") w WHERE numnode(word) > 0 LIMIT 64),"
      " conditions AS (SELECT {1} AS condition FROM unnest($2::text[]) one"
      " UNION ALL SELECT !! {1} FROM unnest($3::text[]) one),"
      " anything AS MATERIALIZED (SELECT string_agg('(' || word::text || ')', ' | ')::tsquery &&"
      " coalesce((SELECT string_agg('(' || condition::text || ')', ' & ')::tsquery FROM conditions"
      " WHERE numnode(condition) > 0), ''::tsquery) AS query FROM words),"
      " found AS MATERIALIZED (SELECT m.id, m.seq, m.tsv, length(m.tsv) AS size FROM "
      "{{bank}}.memories m"
      " WHERE m.tsv @@ (SELECT query FROM anything){0}),"
      " sums AS MATERIALIZED (SELECT count(*)::float8 AS n, avg(size)::float8 AS size FROM found),"
      " weights AS MATERIALIZED (SELECT w.word, ln(1 + (sums.n - f.df + 0.5) / (f.df + 0.5)) AS "
      "weight FROM sums, words w,"
      " LATERAL (SELECT count(*)::float8 AS df FROM found WHERE found.tsv @@ w.word) f)"
      " SELECT f.id, f.seq, s.score / (0.5 + 0.5 * f.size / sums.size) AS score FROM sums, found f,"
      " LATERAL (SELECT sum(w.weight * ts_rank(ARRAY[1, 1, 1, 1]::float4[], f.tsv, "
      "w.word)::float8) AS score"
      " FROM weights w WHERE f.tsv @@ w.word) s"
      " ORDER BY score DESC, f.seq LIMIT $4",
      condition, word);
}

SearchSettings read_settings(const Rows& rows) {
  return {.dimension = rows.int4(0, 0),
          .index = rows.text(0, 1),
          .ef_search = rows.int4(0, 2),
          .probes = rows.int4(0, 3),
          .model = rows.text(0, 4)};
}

}  // namespace

std::string indexed_expression(std::int32_t dimension) {
  return fmt::format("({{vector}}.l2_normalize(embedding)::{{vector}}.halfvec({}))", dimension);
}

struct Search::Candidates {
  std::vector<Hit> hits;
  SearchPlan plan;
};

Search::Search(const Database& database)
    : database_(database),
      settings_(database.names().sql(
          "SELECT dimension, vector_index, hnsw_ef_search, ivfflat_probes, model FROM "
          "{bank}.bank_info")) {}

std::string Search::exact_sql(const MemoryFilter& filter) {
  return exact_text(condition_of(filter, first_of_filter).sql);
}
std::string Search::indexed_sql(std::int32_t dimension, const MemoryFilter& filter) {
  return indexed_text(dimension, condition_of(filter, first_of_filter).sql);
}

void Search::forget_settings() const {
  const std::lock_guard lock(mutex_);
  known_since_ = {};
}

Result<SearchSettings> Search::settings() const {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (known_since_.time_since_epoch().count() != 0 && now - known_since_ < settings_last &&
        known_.dimension != 0) {
      return known_;
    }
  }
  auto rows = database_.read("read the bank's settings", settings_);
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return Error{Errc::corrupt, "bank_info has lost its row"};
  const SearchSettings settings = read_settings(*rows);
  const std::lock_guard lock(mutex_);
  known_ = settings;
  known_since_ = now;
  return settings;
}

Result<SearchSettings> Search::settings_for(const QueryVector& query) const {
  const auto is_of_model = [&](const SearchSettings& settings) {
    return query.model.empty() || query.model == settings.model;
  };
  const auto is_as_long = [&](const SearchSettings& settings) {
    return query.numbers.size() == static_cast<std::size_t>(settings.dimension);
  };
  auto settings = this->settings();
  if (settings && !(is_of_model(*settings) && is_as_long(*settings))) {
    forget_settings();
    settings = this->settings();
  }
  if (!settings) return settings;
  if (!is_of_model(*settings))
    return other_embedder({settings->model, static_cast<std::size_t>(settings->dimension)});
  if (!is_as_long(*settings)) {
    return Error{Errc::invalid_argument,
                 fmt::format("the query has {} numbers, the bank's vectors {}",
                             query.numbers.size(), settings->dimension)};
  }
  return settings;
}

Result<std::vector<Rows>> Search::run(const SearchSettings& settings,
                                      std::vector<Command> commands) const {
  commands.push_back({settings_});
  auto answers = database_.read("find the nearest memories", commands);
  if (!answers) forget_settings();
  const auto now =
      answers ? Result<SearchSettings>(read_settings(answers->back())) : this->settings();
  if (now && (now->model != settings.model || now->dimension != settings.dimension)) {
    forget_settings();
    return other_embedder({now->model, static_cast<std::size_t>(now->dimension)});
  }
  if (answers) answers->pop_back();
  return answers;
}

Result<Search::Candidates> Search::candidates(const SearchSettings& settings,
                                              std::span<const float> query, std::size_t k,
                                              const MemoryFilter& filter) const {
  if (settings.index == "none") return exact(settings, query, k, filter);
  auto found = indexed(settings, query, k, filter);
  if (!found || found->hits.size() >= k) return found;
  // An approximate index may miss what is there; it never makes an answer short.
  auto all = exact(settings, query, k, filter);
  if (all) all->plan.index += fmt::format(" (the {} index came back short)", settings.index);
  return all;
}

Result<> Search::check_effort(std::int32_t effort) {
  if (effort >= 1 && effort <= most_effort) return ok();
  return Error{Errc::invalid_argument, fmt::format("the search's effort is {}", effort),
               fmt::format("choose one from 1 to {}", most_effort)};
}

Result<> Search::check(const QueryVector& query) const {
  auto settings = settings_for(query);
  if (!settings) return std::move(settings).error();
  if (has_direction(query.numbers)) return ok();
  return Error{Errc::invalid_argument, "the query's vector must be finite and not all zero"};
}

Result<SearchResult> Search::nearest(const QueryVector& asked, std::size_t k,
                                     const MemoryFilter& filter,
                                     std::optional<std::int32_t> effort) const {
  BB5_TRY(validate(filter));
  const std::span<const float> query = asked.numbers;
  for (bool once_more = asked.model.empty();; once_more = false) {
    auto settings = settings_for(asked);
    if (!settings) return std::move(settings).error();
    if (!has_direction(query))
      return Error{Errc::invalid_argument, "the query's vector must be finite and not all zero"};
    if (effort == 0) settings->index = "none";
    if (effort) settings->ef_search = settings->probes = *effort;
    SearchResult result;
    if (k == 0) return result;
    auto found = candidates(*settings, query, k, filter);
    // Whoever did not say a model takes the one that the bank has by now.
    if (!found && found.error().code == Errc::conflict && once_more) continue;
    if (!found) return std::move(found).error();
    result.hits = std::move(found->hits);
    result.plan = std::move(found->plan);
    keep_best(result.hits, k);
    return result;
  }
}

namespace {

/// The rows as hits with their true cosines, each memory once.
std::vector<Hit> scored(const Rows& rows, std::span<const float> query) {
  std::vector<Hit> hits;
  std::unordered_set<std::int64_t> seen;
  for (int row = 0; row < rows.size(); ++row) {
    const std::int64_t seq = rows.int8(row, 1);
    if (!seen.insert(seq).second) continue;
    hits.push_back(
        {MemoryId{rows.uuid(row, 0)}, seq, cosine(query, read_vector(rows.field(row, 2)))});
  }
  return hits;
}

}  // namespace

Result<Search::Candidates> Search::exact(const SearchSettings& settings,
                                         std::span<const float> query, std::size_t k,
                                         const MemoryFilter& filter) const {
  const Condition condition = condition_of(filter, first_of_filter);
  const Statement nearest = database_.names().statement(exact_text(condition.sql));
  const std::vector<float> unit = unit_of(query);
  const std::size_t spare = exact_limit(k);
  std::size_t odd = 0;
  while (true) {
    const std::size_t limit = spare + odd;
    Params params;
    params.vector(unit).int8(limit_of(limit)).append(condition.params);
    auto answers = run(settings, {{nearest, std::move(params)}});
    if (!answers) return std::move(answers).error();
    const Rows* rows = &answers->front();

    std::unordered_set<std::int64_t> odd_ones;
    std::size_t ordered = 0;
    for (int row = 0; row < rows->size(); ++row) {
      if (rows->is_null(row, 3)) odd_ones.insert(rows->int8(row, 1));
    }
    std::vector<double> distances;  // those that can be trusted, ascending
    for (int row = 0; row < rows->size(); ++row) {
      if (rows->is_null(row, 3)) continue;
      ++ordered;
      if (!odd_ones.contains(rows->int8(row, 1))) distances.push_back(rows->float8(row, 3));
    }
    const bool all_seen = ordered < limit;
    // Odd ones may have taken the places of others: once more, with places for all of them.
    if (!all_seen && distances.size() < spare && odd < odd_ones.size()) {
      odd = odd_ones.size();
      continue;
    }
    const double bound =
        distances.size() < k ? 2 : distances[k - 1] + 2 * summing_error(query.size());
    Candidates candidates;
    candidates.plan = {.index = "exact float32 → float64", .exact = true, .looked_at = -1};
    if (all_seen) {
      candidates.plan.looked_at = static_cast<std::int64_t>(distances.size() + odd_ones.size());
    } else if (distances.empty() || distances.back() <= bound) {
      const Statement within = database_.names().statement(within_text(condition.sql));
      Params band;
      band.vector(unit).float8(bound).append(condition.params);
      answers = run(settings, {{within, std::move(band)}});
      if (!answers) return std::move(answers).error();
      rows = &answers->front();
    }
    candidates.hits = scored(*rows, query);
    return candidates;
  }
}

Result<Search::Candidates> Search::indexed(const SearchSettings& settings,
                                           std::span<const float> query, std::size_t k,
                                           const MemoryFilter& filter) const {
  static const Statement begin("BEGIN READ ONLY");
  static const Statement commit("COMMIT");
  // The plan is made for what the filter says: a few memories are sorted, many come from the index.
  static const Statement hnsw(
      "SELECT set_config('hnsw.ef_search', $1, true),"
      " set_config('plan_cache_mode', 'force_custom_plan', true),"
      " set_config('hnsw.iterative_scan', 'strict_order', true)");
  static const Statement ivfflat(
      "SELECT set_config('ivfflat.probes', $1, true),"
      " set_config('plan_cache_mode', 'force_custom_plan', true),"
      " set_config('ivfflat.iterative_scan', 'relaxed_order', true)");
  const Condition condition = condition_of(filter, first_of_filter);
  const Statement nearest =
      database_.names().statement(indexed_text(settings.dimension, condition.sql));
  const std::size_t wanted = indexed_limit(k);
  const bool graph = settings.index == "hnsw";
  const auto effort = static_cast<std::size_t>(graph ? settings.ef_search : settings.probes);
  const std::size_t setting =
      graph ? std::min<std::size_t>(std::max(effort, wanted), 1000) : effort;
  Params params;
  params.vector(unit_of(query)).int8(limit_of(wanted)).append(condition.params);
  auto answers = run(settings, {{begin},
                                {graph ? hnsw : ivfflat, Params().text(std::to_string(setting))},
                                {nearest, std::move(params)},
                                {commit}});
  if (!answers) return std::move(answers).error();
  Candidates candidates;
  candidates.hits = scored((*answers)[2], query);
  candidates.plan = {.index = graph ? fmt::format("hnsw halfvec ef_search={}", setting)
                                    : fmt::format("ivfflat halfvec probes={}", setting),
                     .exact = false,
                     .looked_at = -1};
  return candidates;
}

Result<SearchResult> Search::keyword(std::string_view text, std::size_t k,
                                     const MemoryFilter& filter) const {
  BB5_TRY(validate(filter));
  SearchResult result{.plan = {.index = "gin tsvector, idf × tf", .exact = true, .looked_at = -1}};
  const auto asked = ranking::asked_words(to_storable_utf8(text));
  if (k == 0 || asked.terms.empty()) return result;
  const Condition condition = condition_of(filter, 5);
  const Statement statement = database_.names().statement(keyword_text(condition.sql));
  Params params;
  params.texts(websearch_terms(asked.terms))
      .texts(websearch_phrases(asked.required))
      .texts(websearch_phrases(asked.forbidden))
      .int8(limit_of(k))
      .append(condition.params);
  auto rows = database_.read("search by keyword", statement, std::move(params));
  if (!rows) return std::move(rows).error();
  for (int row = 0; row < rows->size(); ++row) {
    result.hits.push_back({MemoryId{rows->uuid(row, 0)}, rows->int8(row, 1), rows->float8(row, 2)});
  }
  return result;
}

}  // namespace bb5::postgres
