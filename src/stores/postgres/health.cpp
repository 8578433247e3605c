#include "stores/postgres/health.hpp"

#include <iterator>

#include <fmt/format.h>

#include "stores/postgres/memory_rows.hpp"

namespace bb5::postgres {
namespace {

constexpr std::size_t most_findings = 100;
constexpr std::int64_t rows_a_page = 500;

/// Rows whose columns no longer give the hash that they were written with.
Result<> check_rows(const Database& database, std::vector<std::string>& findings) {
  const Statement page(database.names().sql(fmt::format(
      "SELECT {}, m.record_hash FROM {{bank}}.memories m WHERE m.seq > $1 ORDER BY m.seq LIMIT $2",
      memory_select_list("m.", true))));
  std::int64_t after = 0;
  while (true) {
    auto rows = database.read("check memories", page, Params().int8(after).int8(rows_a_page));
    if (!rows) return std::move(rows).error();
    for (int row = 0; row < rows->size(); ++row) {
      const Memory memory = read_memory(*rows, row);
      after = memory.seq;
      if (record_hash(memory) == rows->field(row, memory_select_count) ||
          findings.size() >= most_findings)
        continue;
      findings.push_back(fmt::format("memory {} ({}) was altered: its hash is another one now",
                                     memory.id.to_string(), memory.legacy_id));
    }
    if (rows->size() < rows_a_page) return ok();
  }
}

Result<> check_counts(const Database& database, std::vector<std::string>& findings) {
  const Statement counts(database.names().sql(
      "SELECT (SELECT count(*) FROM {bank}.memories WHERE (vector_state = 1) <> (embedding IS NOT "
      "NULL)),"
      " (SELECT count(*) FROM {bank}.mentions x WHERE NOT EXISTS (SELECT FROM {bank}.memories m "
      "WHERE m.id = x.memory_id)),"
      " (SELECT count(*) FROM {bank}.mention_facts x"
      "  WHERE NOT EXISTS (SELECT FROM {bank}.memories m WHERE m.id = x.memory_id)),"
      " (SELECT count(*) FROM {bank}.entity_facts x WHERE x.memory_id IS NOT NULL"
      "  AND NOT EXISTS (SELECT FROM {bank}.memories m WHERE m.id = x.memory_id)),"
      " (SELECT count(*) FROM {bank}.relationship_facts x WHERE x.memory_id IS NOT NULL"
      "  AND NOT EXISTS (SELECT FROM {bank}.memories m WHERE m.id = x.memory_id)),"
      " (SELECT count(*) FROM {bank}.names x"
      "  WHERE NOT EXISTS (SELECT FROM {bank}.entities e WHERE e.entity_id = x.entity_id)),"
      " (SELECT count(*) FROM {bank}.document_memories x"
      "  WHERE NOT EXISTS (SELECT FROM {bank}.memories m WHERE m.id = x.memory_id)"
      "  OR NOT EXISTS (SELECT FROM {bank}.documents d WHERE d.document = x.document)),"
      " (SELECT count(*) FROM {bank}.document_facts x WHERE CASE x.kind"
      "  WHEN 0 THEN NOT EXISTS (SELECT FROM {bank}.entity_facts f WHERE f.id = x.fact_id)"
      "  ELSE NOT EXISTS (SELECT FROM {bank}.relationship_facts f WHERE f.id = x.fact_id) END"
      "  OR NOT EXISTS (SELECT FROM {bank}.documents d WHERE d.document = x.document)),"
      " (SELECT count(*) FROM {bank}.other_vectors x WHERE NOT EXISTS (SELECT FROM "
      "{bank}.memories m WHERE m.id = x.memory_id) OR x.model = (SELECT model FROM "
      "{bank}.bank_info)),"
      " (SELECT count(*) FROM {bank}.memories m WHERE m.given_model <> '' AND NOT EXISTS (SELECT "
      "FROM {bank}.other_vectors x WHERE x.memory_id = m.id AND x.model = m.given_model))"));
  auto rows = database.read("check counts", counts);
  if (!rows) return std::move(rows).error();
  constexpr const char* what[] = {
      "memories have a vector where their state says none, or none where it says one",
      "mentions are of memories that are not there",
      "names are kept of memories that are not there",
      "entity facts are of memories that are not there",
      "relationship facts are of memories that are not there",
      "names mean entities that are not there",
      "sayings are of memories or documents that are not there",
      "facts of documents, or documents of facts, are not there",
      "vectors of other models are of memories that are not there, or of the bank's model",
      "memories have lost the vector that they came with"};
  for (int column = 0; column < static_cast<int>(std::size(what)); ++column) {
    if (const auto count = rows->int8(0, column); count != 0)
      findings.push_back(fmt::format("{} {}", count, what[column]));
  }
  return ok();
}

}  // namespace

Result<std::vector<std::string>> check_bank(const Database& database, const Reader& reader,
                                            const Indexes& indexes, const SchemaOptions& options,
                                            bool thorough) {
  auto state = inspect_schema(database);
  if (!state) return std::move(state).error();
  std::vector<std::string> findings = schema_findings(*state);
  if (!version_at_least(state->extension_version, options.minimum_extension)) {
    findings.push_back(fmt::format("pgvector is {}; {} is the oldest that will do",
                                   state->extension_version, options.minimum_extension));
  }
  if (state->applied.size() < schema_files().size())
    findings.emplace_back("the schema is older than this program's");
  auto embedder = reader.embedder();
  if (!embedder) return std::move(embedder).error();

  const Statement column(
      "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a"
      " WHERE a.attrelid = $1::text::regclass AND a.attname = 'embedding'");
  auto type = database.read("check the vectors' column", column,
                            Params().text(database.names().sql("{bank}.memories")));
  if (!type) return std::move(type).error();
  const std::string shown = type->empty() ? "" : type->text(0, 0);
  if (embedder->dimension != 0 &&
      shown.find(fmt::format("vector({})", embedder->dimension)) == std::string::npos) {
    findings.push_back(
        fmt::format("the embedder gives {} numbers, the column is {}", embedder->dimension, shown));
  }
  auto invalid = indexes.invalid();
  if (!invalid) return std::move(invalid).error();
  for (const std::string& name : *invalid) {
    findings.push_back(
        fmt::format("index {} is invalid: its build was cut off (index rebuild mends it)", name));
  }
  if (thorough) {
    BB5_TRY(check_counts(database, findings));
    BB5_TRY(check_rows(database, findings));
  }
  return findings;
}

}  // namespace bb5::postgres
