#include "stores/neo4j/neo4j_projection.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "stores/neo4j/graph_schema.hpp"
#include "stores/neo4j/neo4j_errors.hpp"

namespace bb5::neo4j {
namespace {

constexpr int needed_major = 5;
constexpr int needed_minor = 26;

/// `5.26.18`, `5.27-aura` and the calendar's `2025.08.0`.
bool is_new_enough(std::string_view version) {
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto [after_major, major_problem] = std::from_chars(version.data(), end, major);
  if (major_problem != std::errc{}) return false;
  if (after_major != end && *after_major == '.') std::from_chars(after_major + 1, end, minor);
  return major > needed_major || (major == needed_major && minor >= needed_minor);
}

/// The first value of the first row; 0 when there is none.
std::int64_t number_of(const Rows& rows) {
  if (rows.rows.empty() || rows.rows.front().empty()) return 0;
  const auto& value = rows.rows.front().front();
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool flag_of(const Rows& rows) {
  return !rows.rows.empty() && !rows.rows.front().empty() && rows.rows.front().front() == true;
}

class Neo4jProjection final : public GraphProjection {
 public:
  Neo4jProjection(std::unique_ptr<GraphTransport> transport, ProjectionOptions options)
      : transport_(std::move(transport)),
        options_(std::move(options)),
        random_(options_.retry.seed != 0 ? options_.retry.seed : std::random_device{}()) {
    if (!options_.retry.sleep)
      options_.retry.sleep = [](std::chrono::milliseconds pause) {
        std::this_thread::sleep_for(pause);
      };
  }

  Result<GraphCounts> graph_counts() const override {
    auto results = execute(count_statements(options_.bank), Access::read);
    if (!results) return std::move(results).error();
    return GraphCounts{.entities = number_of((*results)[0]),
                       .relationships = number_of((*results)[1]),
                       .mentions = number_of((*results)[2])};
  }

  Result<std::vector<Entity>> entities(std::string_view after_key,
                                       std::size_t limit) const override {
    return page<Entity>(
        limit, [&](bool odd) { return entities_statement(options_.bank, after_key, limit, odd); },
        &entity_from);
  }

  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const override {
    return page<Relationship>(
        limit,
        [&](bool odd) { return relationships_statement(options_.bank, after_key, limit, odd); },
        &relationship_from);
  }

  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    if (limit == 0) return std::vector<Mention>{};
    auto results = execute({mentions_statement(options_.bank, after, limit)}, Access::read);
    if (!results) return std::move(results).error();
    std::vector<Mention> found;
    found.reserve(results->front().rows.size());
    for (const auto& row : results->front().rows)
      if (auto mention = mention_from(row, options_.bank)) found.push_back(*std::move(mention));
    return found;
  }

  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    if (limit == 0) return std::vector<Neighbour>{};
    auto results = execute({neighbours_statement(options_.bank, entity_key, limit)}, Access::read);
    if (!results) return std::move(results).error();
    return decoded<Neighbour>(results->front(), &neighbour_from);
  }

  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    if (name_key_of(name).empty()) return std::optional<Entity>{};
    auto results = execute({entity_named_statement(options_.bank, name)}, Access::read);
    if (!results) return std::move(results).error();
    if (results->front().rows.empty()) return std::optional<Entity>{};
    return std::optional(entity_from(results->front().rows.front(), options_.bank));
  }

  Result<> apply(std::span<const GraphChange> changes) override {
    auto statements = apply_statements(options_.bank, changes, options_.pieces);
    if (!statements) return std::move(statements).error();
    if (statements->empty()) return ok();
    auto results = execute(*statements, Access::write);
    if (!results) return std::move(results).error();
    return ok();
  }

  Result<> prepare() override {
    BB5_TRY(check_version());
    auto applied = schema_versions();
    if (!applied) return std::move(applied).error();
    for (const auto& [version, checksum] : *applied) {
      if (version > schema_files().back().version)
        return Error{.code = Errc::unsupported,
                     .message = "Neo4j: the graph's schema has version " + std::to_string(version) +
                                ", this program knows " +
                                std::to_string(schema_files().back().version),
                     .remedy = "use a newer version of bb5-memory"};
    }
    for (const SchemaFile& file : schema_files()) {
      const std::string checksum = schema_checksum(file);
      const auto found = std::find_if(applied->begin(), applied->end(), [&file](const auto& each) {
        return each.first == file.version;
      });
      if (found != applied->end() && found->second != checksum)
        return Error{
            .code = Errc::corrupt,
            .message = "Neo4j: schema " + std::string(file.name) + " was applied with another text",
            .remedy = "rebuild the graph in an empty database",
            .detail = found->second + " instead of " + checksum};
      // Also when it was applied before: an index may have been dropped since.
      BB5_TRY(apply_schema(file, checksum));
    }
    return ok();
  }

  Result<> clear() override {
    const auto statements =
        clear_statements(options_.bank, options_.clear_relationships, options_.clear_nodes);
    for (bool again = true; again;) {
      auto results = execute(statements, Access::write);
      if (!results) return std::move(results).error();
      again = std::any_of(results->begin(), results->end(),
                          [](const Rows& rows) { return number_of(rows) > 0; });
    }
    return ok();
  }

 private:
  /// One result for each statement, or what stood in the way after all attempts.
  Result<std::vector<Rows>> execute(const std::vector<Statement>& statements, Access access) const {
    const RetryOptions& retry = options_.retry;
    auto pause = retry.first_pause;
    for (int attempt = 1;; ++attempt) {
      auto answer = transport_->run(statements, access);
      // No connection is for the caller to wait out: a search would rather do without the graph.
      if (!answer) return std::move(answer).error();
      if (!answer->error) {
        if (answer->results.size() != statements.size())
          return Error{.code = Errc::internal, .message = "Neo4j: results are missing"};
        return std::move(answer->results);
      }
      if (attempt >= retry.attempts || !is_transient(answer->error->code))
        return error_from(*answer->error);
      retry.sleep(jittered(pause));
      pause = std::min(pause * 2, retry.longest_pause);
    }
  }

  std::chrono::milliseconds jittered(std::chrono::milliseconds pause) const {
    const std::lock_guard lock(random_mutex_);
    return pause / 2 + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(
                           0, pause.count() / 2)(random_));
  }

  template <class T>
  std::vector<T> decoded(const Rows& rows,
                         T (*decode)(const nlohmann::json&, std::string_view)) const {
    std::vector<T> values;
    values.reserve(rows.rows.size());
    for (const auto& row : rows.rows) values.push_back(decode(row, options_.bank));
    return values;
  }

  /// The page by the indexes, or, where the bank says that its keys defy their order, sorted in
  /// full.
  template <class T, class Make>
  Result<std::vector<T>> page(std::size_t limit, const Make& make_statement,
                              T (*decode)(const nlohmann::json&, std::string_view)) const {
    if (limit == 0) return std::vector<T>{};
    auto results =
        execute({odd_keys_statement(options_.bank), make_statement(false)}, Access::read);
    if (!results) return std::move(results).error();
    if (flag_of(results->front())) {
      results = execute({make_statement(true)}, Access::read);
      if (!results) return std::move(results).error();
    }
    return decoded<T>(results->back(), decode);
  }

  Result<> check_version() const {
    auto version = transport_->server_version();
    if (!version) return std::move(version).error();
    if (version->empty()) {
      auto results = execute({{.text = "CALL dbms.components() YIELD name, versions "
                                       "WHERE name = 'Neo4j Kernel' RETURN versions[0]"}},
                             Access::read);
      if (!results) return std::move(results).error();
      const auto& rows = results->front().rows;
      if (!rows.empty() && !rows.front().empty() && rows.front().front().is_string())
        version = rows.front().front().get<std::string>();
    }
    if (is_new_enough(*version)) return ok();
    return Error{.code = Errc::unsupported,
                 .message = "Neo4j " + (version->empty() ? "of an unknown version" : *version) +
                            " is too old",
                 .remedy = "use Neo4j 5.26 or later"};
  }

  Result<std::vector<std::pair<std::int64_t, std::string>>> schema_versions() const {
    auto results =
        execute({{.text = "MATCH (s:Bb5Schema) RETURN s.version, s.checksum ORDER BY s.version"}},
                Access::read);
    if (!results) return std::move(results).error();
    std::vector<std::pair<std::int64_t, std::string>> versions;
    for (const auto& row : results->front().rows)
      if (row.size() == 2 && row[0].is_number_integer() && row[1].is_string())
        versions.emplace_back(row[0].get<std::int64_t>(), row[1].get<std::string>());
    return versions;
  }

  Result<> apply_schema(const SchemaFile& file, const std::string& checksum) const {
    // A schema statement and a write cannot share a transaction.
    std::vector<std::string> texts = schema_statements(file.text);
    texts.insert(texts.begin(),
                 "CREATE CONSTRAINT bb5_schema_version IF NOT EXISTS "
                 "FOR (s:Bb5Schema) REQUIRE s.version IS UNIQUE");
    for (const auto& text : texts) {
      const Statement statement{.text = text};
      auto results = execute({statement}, Access::write);
      if (!results && !is_already_there(code_of(results.error())))
        return std::move(results).error();
    }
    BB5_TRY(execute({{.text = "CALL db.awaitIndexes(45)"}}, Access::write));
    auto results = execute(
        {{.text = "MERGE (s:Bb5Schema {version: $version}) "
                  "ON CREATE SET s.checksum = $checksum, s.name = $name, "
                  "s.applied_at = datetime()",
          .parameters = {{"version", file.version}, {"checksum", checksum}, {"name", file.name}}}},
        Access::write);
    if (!results) return std::move(results).error();
    return ok();
  }

  static std::string_view code_of(const Error& error) {
    return std::string_view(error.detail).substr(0, error.detail.find(':'));
  }

  std::unique_ptr<GraphTransport> transport_;
  ProjectionOptions options_;
  mutable std::mutex random_mutex_;
  mutable std::mt19937_64 random_;  // guarded by random_mutex_
};

}  // namespace

std::unique_ptr<GraphProjection> new_neo4j_projection(std::unique_ptr<GraphTransport> transport,
                                                      const ProjectionOptions& options) {
  return std::make_unique<Neo4jProjection>(std::move(transport), options);
}

}  // namespace bb5::neo4j
