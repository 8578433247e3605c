#include "stores/postgres/indexes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "stores/postgres/ledger.hpp"

namespace bb5::postgres {
namespace {

using Step = MemorySearch::DerivedStep;

constexpr std::string_view words_index = "memories_words";
constexpr std::string_view vectors_index = "memories_vectors";
constexpr std::string_view derivation = "derivation";  // what the lock is for
constexpr std::string_view words_step = "keyword index";
constexpr std::string_view statistics_step = "statistics";
constexpr std::string_view vectors_step = "vector index";
constexpr std::int32_t largest_indexed_dimension = 4000;  // of halfvec
// A scan of so few rows is as fast as an index.
constexpr std::int64_t few = 1000;
constexpr auto as_long_as_it_takes = std::chrono::hours(24 * 30);

Step step_of(std::string_view name, bool ready, std::int64_t total) {
  return {.name = std::string(name),
          .done = ready ? total : 0,
          .total = total,
          .state = ready ? "ready" : "waiting"};
}

std::string words_definition() {
  return fmt::format("{} ON {{bank}}.memories USING gin (tsv)", words_index);
}

/// True when a pooler stands between us and the server: settings of the session would be another's.
bool is_pooled(Connection& connection) {
  const Statement pid("SELECT pg_backend_pid()");
  const auto rows = connection.run(pid);
  return !rows || rows->int4(0, 0) != connection.backend_pid();
}

}  // namespace

Indexes::Indexes(const Database& database, const Search& search, IndexOptions options)
    : database_(database),
      search_(search),
      options_(options),
      look_(
          "SELECT i.relname::text, am.amname::text, x.indisvalid FROM pg_catalog.pg_index x"
          " JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_am am ON am.oid "
          "= i.relam"
          " JOIN pg_catalog.pg_class t ON t.oid = x.indrelid JOIN pg_catalog.pg_namespace n ON "
          "n.oid = t.relnamespace"
          " WHERE n.nspname = $1 AND t.relname = 'memories' AND i.relname = ANY($2)"),
      // The planner's estimate where there is one, else counted, but no further than it matters.
      counts_(database.names().sql(
          "SELECT CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint ELSE"
          " (SELECT count(*) FROM (SELECT FROM {bank}.memories LIMIT $1) few) END,"
          " (SELECT count(*) FROM (SELECT FROM {bank}.memories WHERE vector_state = 1 LIMIT $1) "
          "few),"
          " b.dimension, b.vector_index, b.index_choice, b.index_m, b.index_lists, EXISTS (SELECT "
          "FROM pg_catalog.pg_stats s"
          " WHERE s.schemaname = $2 AND s.tablename = 'memories')"
          " FROM {bank}.bank_info b, pg_catalog.pg_class c WHERE c.oid = $3::text::regclass")),
      invalid_(
          "SELECT i.relname::text FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = "
          "x.indexrelid"
          " JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = $1"
          " AND NOT x.indisvalid AND i.relname = ANY($2)"),
      progress_(
          "SELECT coalesce(CASE WHEN blocks_total > 0 THEN blocks_done::float8 / blocks_total END, "
          "0)"
          " FROM pg_catalog.pg_stat_progress_create_index WHERE relid = $1::text::regclass"),
      set_index_(database.names().sql(
          "UPDATE {bank}.bank_info SET vector_index = $1, hnsw_ef_search = $2, ivfflat_probes = $3,"
          " index_built_for = $4, index_recall = NULL")),
      set_effort_(database.names().sql(
          "UPDATE {bank}.bank_info SET index_recall = $2,"
          " hnsw_ef_search = CASE vector_index WHEN 'hnsw' THEN $1 ELSE hnsw_ef_search END,"
          " ivfflat_probes = CASE vector_index WHEN 'ivfflat' THEN $1 ELSE ivfflat_probes END")),
      choose_(database.names().sql(
          "UPDATE {bank}.bank_info SET index_choice = $1, index_m = $2, index_lists = $3,"
          " vector_index = 'none', index_recall = NULL")),
      status_(database.names().sql(
          "SELECT b.vector_index, b.index_choice, b.hnsw_ef_search, b.ivfflat_probes,"
          " b.index_recall, b.index_built_for,"
          " (SELECT count(*) FROM {bank}.memories WHERE vector_state = 1),"
          " coalesce(pg_catalog.pg_relation_size(c.oid), 0), coalesce(c.reloptions, '{}')"
          " FROM {bank}.bank_info b LEFT JOIN pg_catalog.pg_class c ON c.oid ="
          " pg_catalog.to_regclass($1)")),
      words_state_(database.names().sql(
          "SELECT (SELECT x.indisvalid FROM pg_catalog.pg_index x WHERE x.indexrelid = "
          "pg_catalog.to_regclass($1)),"
          " (SELECT count(*) FROM (SELECT FROM {bank}.memories LIMIT $2) first)")) {}

Result<Indexes::State> Indexes::look() const {
  const std::string& schema = database_.names().schema();
  const std::vector<std::string> names = {std::string(words_index), std::string(vectors_index)};
  const Command commands[] = {{look_, Params().text(schema).texts(names)},
                              {counts_, Params()
                                            .int8(std::max(options_.vectors_from, few) + 1)
                                            .text(schema)
                                            .text(database_.names().sql("{bank}.memories"))}};
  auto answers = database_.read("look at the bank's indexes", commands);
  if (!answers) return std::move(answers).error();
  State state;
  const Rows& indexes = (*answers)[0];
  for (int row = 0; row < indexes.size(); ++row) {
    const bool valid = indexes.boolean(row, 2);
    if (indexes.field(row, 0) == words_index) state.words_valid = valid;
    if (indexes.field(row, 0) == vectors_index && valid) state.vector_method = indexes.text(row, 1);
  }
  const Rows& counts = (*answers)[1];
  if (counts.empty()) return Error{Errc::corrupt, "bank_info has lost its row"};
  state.memories = counts.int8(0, 0);
  state.vectors = counts.int8(0, 1);
  state.dimension = counts.int4(0, 2);
  state.settings_index = counts.text(0, 3);
  state.choice = counts.text(0, 4);
  state.m = counts.int4(0, 5);
  state.lists = counts.int4(0, 6);
  state.analyzed = counts.boolean(0, 7);
  return state;
}

std::string Indexes::wanted_method(const State& state) const {
  if (state.dimension == 0 || state.dimension > largest_indexed_dimension) return "";
  switch (options_.kind) {
    case IndexOptions::Kind::none:
      return "";
    case IndexOptions::Kind::hnsw:
      return "hnsw";
    case IndexOptions::Kind::ivfflat:
      return "ivfflat";
    case IndexOptions::Kind::automatic:
      break;
  }
  if (state.choice == "none") return "";
  if (state.choice != "automatic") return state.choice;
  // One that is there stays, of whatever kind: someone chose it.
  if (!state.vector_method.empty()) return state.vector_method;
  return state.vectors > options_.vectors_from ? "hnsw" : "";
}

Result<std::vector<Step>> Indexes::steps() const {
  auto state = look();
  if (!state) return std::move(state).error();
  const std::string method = wanted_method(*state);
  std::vector<Step> steps = {
      step_of(words_step, state->words_valid || state->memories <= few, state->memories),
      step_of(statistics_step, state->analyzed || state->memories <= few, state->memories),
      step_of(vectors_step,
              method == state->vector_method &&
                  (method.empty() ? "none" : method) == state->settings_index,
              state->vectors)};
  auto running = database_.read("look at the progress of an index", progress_,
                                Params().text(database_.names().sql("{bank}.memories")));
  if (!running) return std::move(running).error();
  if (!running->empty()) {
    for (Step& step : steps) {
      if (step.state == "ready" || step.name == statistics_step) continue;
      step.state = "building";
      step.done = std::min<std::int64_t>(
          static_cast<std::int64_t>(running->float8(0, 0) * static_cast<double>(step.total)),
          step.total - 1);
      break;
    }
  }
  return steps;
}

Result<std::vector<std::string>> Indexes::invalid() const {
  const std::vector<std::string> ours = {std::string(words_index), std::string(vectors_index)};
  auto rows = database_.read("look for invalid indexes", invalid_,
                             Params().text(database_.names().schema()).texts(ours));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) { return rows->text(row, 0); });
}

Result<> Indexes::keep_others_from_deriving(const Database& database, Transaction& transaction) {
  static const Statement lock("SELECT pg_try_advisory_xact_lock($1)");
  auto locked = transaction.run(lock, Params().int8(database.names().lock_key(derivation)));
  if (!locked) return std::move(locked).error();
  if (locked->boolean(0, 0)) return ok();
  return Error{Errc::locked, "another process builds the indexes of this bank",
               "try again when it is done"};
}

std::string Indexes::drop_vectors_sql() {
  return fmt::format("DROP INDEX IF EXISTS {{bank}}.{}", vectors_index);
}

Result<> Indexes::derive(const MemorySearch::DeriveProgress& progress) const {
  auto lock = take_lock(database_, derivation);
  if (!lock) return std::move(lock).error();
  return derive_all(progress);
}

Result<> Indexes::derive_all(const MemorySearch::DeriveProgress& progress) const {
  auto state = look();
  if (!state) return std::move(state).error();
  BB5_TRY(build_words(*state, progress));
  BB5_TRY(analyze(*state, progress));
  return build_vectors(*state, progress);
}

void Indexes::make_words_early() const {
  if (words_looked_at_.exchange(true)) return;
  const Names& names = database_.names();
  const std::string index = names.sql(fmt::format("{{bank}}.{}", words_index));
  const auto state = database_.read("look for the keyword index", words_state_,
                                    Params().text(index).int8(few + 1));
  if (!state || state->int8(0, 1) > few) return;
  const bool is_there = !state->is_null(0, 0);
  if (is_there && state->boolean(0, 0)) return;

  const Statement lock("SELECT pg_try_advisory_xact_lock($1)");
  // Others who write in this moment are waited for, those who write for long are not.
  std::string sql = "SET LOCAL lock_timeout = '1s';";
  if (is_there) sql += fmt::format("DROP INDEX IF EXISTS {};", index);
  sql += names.sql(fmt::format("CREATE INDEX IF NOT EXISTS {}", words_definition()));
  static_cast<void>(database_.transact<std::monostate>(
      "make the keyword index", [&](Transaction& transaction) -> Result<> {
        auto locked = transaction.run(lock, Params().int8(names.lock_key(derivation)));
        if (!locked) return std::move(locked).error();
        const bool someone_derives = !locked->boolean(0, 0);
        if (someone_derives || transaction.connection().execute(sql)) return ok();
        return transaction.error();
      }));
}

Result<> Indexes::build_words(const State& state,
                              const MemorySearch::DeriveProgress& progress) const {
  if (state.words_valid) return ok();
  return build(words_step, std::string(words_index), database_.names().sql(words_definition()),
               state.memories, options_.memory_bytes / 4, progress);
}

Result<> Indexes::build_vectors(const State& state,
                                const MemorySearch::DeriveProgress& progress) const {
  const std::string method = wanted_method(state);
  if (method.empty()) {
    if (state.settings_index != "none") BB5_TRY(record("none", 1, 0));
    return state.vector_method.empty() ? ok() : drop_vectors();
  }
  if (state.vector_method == method && state.settings_index == method) return ok();

  const Statement count(
      database_.names().sql("SELECT count(*) FROM {bank}.memories WHERE vector_state = 1"));
  auto rows = database_.read("count vectors", count);
  if (!rows) return std::move(rows).error();
  const std::int64_t vectors = rows->int8(0, 0);
  const std::int32_t lists =
      state.lists > 0 ? state.lists
      : options_.lists > 0
          ? options_.lists
          : static_cast<std::int32_t>(std::clamp<std::int64_t>(vectors / 1000, 10, 32'768));
  const std::int32_t probes =
      options_.probes > 0
          ? options_.probes
          : std::max(1,
                     static_cast<std::int32_t>(std::lround(std::sqrt(static_cast<double>(lists)))));
  const std::int32_t m = state.m > 0 ? state.m : options_.m;
  if (state.vector_method != method) {
    if (state.settings_index != "none") BB5_TRY(record("none", 1, 0));
    const std::string parameters = method == "hnsw"
                                       ? fmt::format("m = {}, ef_construction = {}", m,
                                                     std::max(options_.ef_construction, 2 * m))
                                       : fmt::format("lists = {}", lists);
    // Half precision, and what hangs on a node of the graph.
    const std::int64_t memory = vectors * (2 * state.dimension + 48 * m + 200);
    BB5_TRY(
        build(vectors_step, std::string(vectors_index),
              database_.names().sql(fmt::format(
                  "{} ON {{bank}}.memories USING {} ({} {{vector}}.halfvec_cosine_ops) WITH ({})",
                  vectors_index, method, indexed_expression(state.dimension), parameters)),
              vectors, memory, progress));
  }
  return record(method, probes, vectors);
}

Result<> Indexes::record(const std::string& index, std::int32_t probes,
                         std::int64_t built_for) const {
  BB5_TRY(
      database_.read("record the bank's index", set_index_,
                     Params().text(index).int4(options_.ef_search).int4(probes).int8(built_for)));
  search_.forget_settings();
  return ok();
}

Result<> Indexes::drop_vectors() const {
  auto own = database_.pool().open_own(as_long_as_it_takes);
  if (!own) return std::move(own).error();
  if ((*own)->execute(database_.names().sql(
          fmt::format("DROP INDEX CONCURRENTLY IF EXISTS {{bank}}.{}", vectors_index)))) {
    return ok();
  }
  return (*own)->error("drop the vector index");
}

namespace {

std::optional<VectorIndexKind> kind_named(std::string_view name) {
  if (name == "hnsw") return VectorIndexKind::hnsw;
  if (name == "ivfflat") return VectorIndexKind::ivfflat;
  if (name == "none") return VectorIndexKind::none;
  return std::nullopt;
}

/// The number in one of `m=16`, `ef_construction=64`, …; 0 without it.
std::int32_t option(const std::vector<std::string>& options, std::string_view name) {
  for (const std::string& text : options) {
    if (text.starts_with(name) && text.size() > name.size() && text[name.size()] == '=')
      return std::atoi(text.c_str() + name.size() + 1);
  }
  return 0;
}

Result<> check_choice(const VectorIndex::Choice& choice, std::int32_t dimension) {
  constexpr std::int32_t most_lists = 32'768;
  const VectorIndexKind kind = choice.kind.value_or(VectorIndexKind::none);
  if (kind != VectorIndexKind::none && dimension > largest_indexed_dimension)
    return Error{
        Errc::unsupported,
        fmt::format("vectors of {} numbers are too long for pgvector's indexes", dimension),
        fmt::format("it takes up to {}; searches stay exact", largest_indexed_dimension)};
  if (choice.m != 0 && (choice.m < 4 || choice.m > 64))
    return Error{Errc::invalid_argument, fmt::format("m is {}", choice.m),
                 "choose one from 4 to 64"};
  if (choice.lists < 0 || choice.lists > most_lists)
    return Error{Errc::invalid_argument, fmt::format("lists is {}", choice.lists),
                 fmt::format("choose one from 1 to {}", most_lists)};
  return ok();
}

}  // namespace

Result<VectorIndex::Status> Indexes::status() const {
  const std::string index = database_.names().sql(fmt::format("{{bank}}.{}", vectors_index));
  auto rows = database_.read("look at the vector index", status_, Params().text(index));
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return Error{Errc::corrupt, "bank_info has lost its row"};
  VectorIndex::Status status{.kind = kind_named(rows->field(0, 0)).value_or(VectorIndexKind::none),
                             .chosen = kind_named(rows->field(0, 1)),
                             .vectors = rows->int8(0, 6)};
  if (status.kind == VectorIndexKind::none) {
    status.tail = status.vectors;
    return status;
  }
  const std::vector<std::string> options = read_texts(rows->field(0, 8));
  status.m = option(options, "m");
  status.ef_construction = option(options, "ef_construction");
  status.lists = option(options, "lists");
  status.effort = rows->int4(0, status.kind == VectorIndexKind::hnsw ? 2 : 3);
  if (!rows->is_null(0, 4)) status.recall = rows->float8(0, 4);
  status.built_for = rows->int8(0, 5);
  status.bytes = rows->int8(0, 7);
  return status;
}

Result<> Indexes::set_effort(std::int32_t effort, double recall) const {
  BB5_TRY(Search::check_effort(effort));
  BB5_TRY(database_.read("record the search's effort", set_effort_,
                         Params().int4(effort).float8(recall)));
  search_.forget_settings();
  return ok();
}

Result<> Indexes::rebuild(const VectorIndex::Choice& choice,
                          const MemorySearch::DeriveProgress& progress) const {
  auto lock = take_lock(database_, derivation);
  if (!lock) return std::move(lock).error();
  auto state = look();
  if (!state) return std::move(state).error();
  BB5_TRY(check_choice(choice, state->dimension));
  const std::string_view kind = !choice.kind                            ? "automatic"
                                : *choice.kind == VectorIndexKind::none ? "none"
                                                                        : name_of(*choice.kind);
  BB5_TRY(database_.read("record the chosen index", choose_,
                         Params().text(kind).int4(choice.m).int4(choice.lists)));
  search_.forget_settings();
  BB5_TRY(drop_vectors());
  return derive_all(progress);
}

Result<> Indexes::analyze(const State& state, const MemorySearch::DeriveProgress& progress) const {
  Step step = step_of(statistics_step, false, state.memories);
  step.state = "building";
  if (!progress(step)) return Error{Errc::cancelled, "the derivation was cancelled"};
  auto own = database_.pool().open_own(as_long_as_it_takes);
  if (!own) return std::move(own).error();
  if (!(*own)->execute(
          database_.names().sql("ANALYZE {bank}.memories, {bank}.entity_facts, "
                                "{bank}.relationship_facts, {bank}.mention_facts,"
                                " {bank}.entities, {bank}.names, {bank}.relationships, "
                                "{bank}.mentions, {bank}.outbox"))) {
    return (*own)->error("gather statistics");
  }
  if (!progress(step_of(statistics_step, true, state.memories))) {
    return Error{Errc::cancelled, "the derivation was cancelled"};
  }
  return ok();
}

Result<> Indexes::build(std::string_view step_name, const std::string& name,
                        const std::string& definition, std::int64_t total,
                        std::int64_t memory_bytes,
                        const MemorySearch::DeriveProgress& progress) const {
  const std::string doing = fmt::format("build the {}", step_name);
  const std::string drop =
      database_.names().sql(fmt::format("DROP INDEX CONCURRENTLY IF EXISTS {{bank}}.{}", name));
  const std::string table = database_.names().sql("{bank}.memories");
  Step step = step_of(step_name, false, total);
  step.state = "building";
  if (!progress(step)) return Error{Errc::cancelled, "the derivation was cancelled"};

  auto own = database_.pool().open_own(as_long_as_it_takes);
  if (!own) return std::move(own).error();
  Connection& connection = **own;
  const bool pooled = is_pooled(connection);
  const std::int64_t memory_kb =
      std::clamp<std::int64_t>(
          memory_bytes, std::int64_t{64} << 20,
          std::max<std::int64_t>(options_.memory_bytes, std::int64_t{64} << 20)) /
      1024;
  // A session of its own, closed afterwards: SET LOCAL cannot go with CONCURRENTLY, which wants no
  // transaction around it.
  if (!pooled && !connection.execute(fmt::format("SET maintenance_work_mem = '{}kB'", memory_kb))) {
    return connection.error(doing);
  }
  for (const bool parallel : {true, false}) {
    if (!connection.execute(drop)) return connection.error(doing);
    if (!connection.start("CREATE INDEX CONCURRENTLY " + definition))
      return connection.error(doing);
    bool cancelled = false;
    Connection::Progress state = Connection::Progress::running;
    while (state == Connection::Progress::running) {
      state = connection.poll_started(std::chrono::milliseconds(300));
      if (state != Connection::Progress::running || cancelled) continue;
      auto rows =
          database_.read("look at the progress of an index", progress_, Params().text(table));
      if (rows && !rows->empty() && total > 0) {
        const auto done =
            static_cast<std::int64_t>(rows->float8(0, 0) * static_cast<double>(total));
        step.done = std::clamp<std::int64_t>(done, step.done, total - 1);
      }
      if (!progress(step)) {
        cancelled = true;
        connection.cancel_started();
      }
    }
    if (state == Connection::Progress::done) break;
    Error error = connection.error(doing);
    // Parallel workers share memory that containers often have little of: alone then.
    const bool again = parallel && !pooled && !cancelled && connection.failure().is("53100");
    if (!connection.failure().connection_lost) connection.execute(drop);
    if (cancelled) return Error{Errc::cancelled, "the derivation was cancelled"};
    if (!again || !connection.execute("SET max_parallel_maintenance_workers = 0")) return error;
  }
  if (!progress(step_of(step_name, true, total)))
    return Error{Errc::cancelled, "the derivation was cancelled"};
  return ok();
}

}  // namespace bb5::postgres
