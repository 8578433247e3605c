#include "stores/postgres/memory_rows.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "ranking/index_words.hpp"
#include "stores/postgres/jsonb_text.hpp"

namespace bb5::postgres {
namespace {

void put_null(FieldWriter& fields, Oid) {
  fields.null();
}
void put_null(Params& params, Oid type) {
  params.null(type);
}

/// To a COPY row and to a statement's parameters alike: both have a method for each type.
template <class Sink>
void put_memory(Sink& sink, const Memory& memory, std::string_view hash, Standing standing) {
  sink.uuid(memory.id.uuid);
  sink.text(memory.content);
  sink.text(memory.network);
  memory.embedding.empty() ? put_null(sink, oid::inferred) : void(sink.vector(memory.embedding));
  sink.optional(memory.confidence);
  sink.optional(memory.source);
  sink.optional(memory.source_type);
  sink.optional(memory.category);
  sink.texts(memory.entities);
  sink.optional(memory.created_at);
  const JsonbForm metadata = to_jsonb(memory.metadata);
  metadata.text ? void(sink.jsonb(*metadata.text)) : put_null(sink, oid::jsonb);
  sink.text(memory.legacy_id);
  sink.int2(static_cast<std::int16_t>(memory.kind));
  sink.optional(memory.updated_at);
  sink.optional(memory.valid_from);
  sink.optional(memory.valid_until);
  sink.optional(memory.superseded_by);
  sink.optional(memory.author);
  sink.optional(memory.thread);
  sink.optional(memory.position);
  metadata.reproduces ? put_null(sink, oid::text) : void(sink.text(memory.metadata));
  sink.int2(static_cast<std::int16_t>(memory.vector_state));
  memory.raw ? void(sink.bytes(memory.raw->text)) : put_null(sink, oid::bytea);
  memory.raw&& memory.raw->embedding_at
      ? void(sink.int8(static_cast<std::int64_t>(*memory.raw->embedding_at)))
      : put_null(sink, oid::int8);
  memory.given ? void(sink.text(memory.given->model)) : put_null(sink, oid::text);
  const std::string extra =
      to_storable_utf8(ranking::extra_words(memory.content, memory.author.value_or("")));
  extra.empty() ? put_null(sink, oid::text) : void(sink.text(extra));
  sink.bytes(hash);
  sink.int2(static_cast<std::int16_t>(standing));
}

}  // namespace

void write_memory(FieldWriter& fields, const Memory& memory, std::string_view hash,
                  Standing standing, std::int64_t seq) {
  put_memory(fields, memory, hash, standing);
  fields.int8(seq);
}

std::string update_memory_sql() {
  std::string sql = "UPDATE {bank}.memories SET ";
  std::string_view rest = memory_columns.substr(std::string_view("id, ").size());
  for (int number = 2; number < memory_column_count; ++number) {
    const auto comma = rest.find(", ");
    const std::string_view column = rest.substr(0, comma);
    rest.remove_prefix(comma + 2);
    sql += fmt::format("{}{} = ${}{}", number == 2 ? "" : ", ", column, number,
                       column == "embedding" ? "::{vector}.vector" : "");
  }
  return sql + " WHERE id = $1";
}

Params update_memory_params(const Memory& memory, std::string_view hash, Standing standing) {
  Params params;
  put_memory(params, memory, hash, standing);
  return params;
}

std::string memory_select_list(std::string_view table, bool with_embeddings) {
  constexpr std::string_view columns[] = {"id",           "content",       "network",
                                          "embedding",    "confidence",    "source",
                                          "source_type",  "category",      "entities",
                                          "created_at",   "metadata",      "legacy_id",
                                          "kind",         "updated_at",    "valid_from",
                                          "valid_until",  "superseded_by", "author",
                                          "thread",       "position",      "metadata_text",
                                          "vector_state", "raw",           "raw_embedding_at",
                                          "seq"};
  std::string list;
  for (const std::string_view column : columns) {
    if (!list.empty()) list += ", ";
    if (column == "embedding" && !with_embeddings) {
      list += "NULL";
    } else if (column == "metadata") {  // not sent where the exact text is
      list += fmt::format("CASE WHEN {0}metadata_text IS NULL THEN {0}metadata END", table);
    } else {
      list += fmt::format("{}{}", table, column);
    }
  }
  if (!with_embeddings) return list + ", NULL, NULL";
  return list + fmt::format(
                    ", {0}given_model, (SELECT g.embedding FROM {{bank}}.other_vectors g"
                    " WHERE g.memory_id = {0}id AND g.model = {0}given_model)",
                    table);
}

Memory read_memory(const Rows& rows, int row) {
  int column = 0;
  Memory memory;
  memory.id.uuid = rows.uuid(row, column++);
  memory.content = rows.text(row, column++);
  memory.network = rows.text(row, column++);
  if (!rows.is_null(row, column)) memory.embedding = read_vector(rows.field(row, column));
  ++column;
  memory.confidence = rows.optional_float8(row, column++);
  memory.source = rows.optional_text(row, column++);
  memory.source_type = rows.optional_text(row, column++);
  memory.category = rows.optional_text(row, column++);
  memory.entities = read_texts(rows.field(row, column++));
  memory.created_at = rows.optional_timestamptz(row, column++);
  const int metadata = column++;
  memory.legacy_id = rows.text(row, column++);
  memory.kind = static_cast<MemoryKind>(rows.int2(row, column++));
  memory.updated_at = rows.optional_timestamptz(row, column++);
  memory.valid_from = rows.optional_timestamptz(row, column++);
  memory.valid_until = rows.optional_timestamptz(row, column++);
  if (const auto id = rows.optional_uuid(row, column++)) memory.superseded_by = MemoryId{*id};
  memory.author = rows.optional_text(row, column++);
  memory.thread = rows.optional_text(row, column++);
  memory.position = rows.optional_int8(row, column++);
  if (!rows.is_null(row, column)) {
    memory.metadata = rows.text(row, column);
  } else if (!rows.is_null(row, metadata)) {
    memory.metadata = canonical_text(read_jsonb(rows.field(row, metadata)));
  }
  ++column;
  memory.vector_state = static_cast<VectorState>(rows.int2(row, column++));
  const int raw = column++;
  const auto embedding_at = rows.optional_int8(row, column++);
  if (!rows.is_null(row, raw)) {
    memory.raw = RawRecord{.text = rows.text(row, raw)};
    if (embedding_at) memory.raw->embedding_at = static_cast<std::uint32_t>(*embedding_at);
  }
  memory.seq = rows.int8(row, column++);
  if (auto model = rows.optional_text(row, column++)) {
    memory.given = GivenVector{*std::move(model), {}};
    if (!rows.is_null(row, column)) memory.given->numbers = read_vector(rows.field(row, column));
  }
  return memory;
}

std::vector<Memory> read_memories(const Rows& rows) {
  return rows.collect([&](int row) { return read_memory(rows, row); });
}

}  // namespace bb5::postgres
