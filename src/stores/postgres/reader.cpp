#include "stores/postgres/reader.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/cached_vectors.hpp"
#include "stores/postgres/filter.hpp"
#include "stores/postgres/memory_rows.hpp"

namespace bb5::postgres {
namespace {

std::string md5_text(const Uuid& key) {
  std::string text = key.to_string();
  std::erase(text, '-');
  return text;
}

// One by one: a plan is made once for a connection, maybe while the table is still small, and
// OFFSET 0 keeps it from reading the whole table ever after.
constexpr const char* memories_by_id =
    "SELECT {} FROM unnest($1::uuid[]) AS w(id)"
    " CROSS JOIN LATERAL (SELECT * FROM {{bank}}.memories x WHERE x.id = w.id OFFSET 0) m";

}  // namespace

Reader::Reader(const Database& database)
    : database_(database),
      get_{Statement(
               database.names().sql(fmt::format(memories_by_id, memory_select_list("m.", false)))),
           Statement(
               database.names().sql(fmt::format(memories_by_id, memory_select_list("m.", true))))},
      find_legacy_(database.names().sql(
          fmt::format("SELECT {} FROM {{bank}}.memories m WHERE m.legacy_id = $1 ORDER BY m.seq",
                      memory_select_list("m.", true)))),
      find_either_(database.names().sql(fmt::format(
          "SELECT {} FROM {{bank}}.memories m WHERE m.legacy_id = $1 OR m.id = $2 ORDER BY m.seq",
          memory_select_list("m.", true)))),
      count_memories_(database.names().sql(
          "SELECT network, kind, vector_state, count(*), min(created_at), max(created_at)"
          " FROM {bank}.memories GROUP BY network, kind, vector_state")),
      count_(database.names().sql("SELECT count(*) FROM {bank}.memories")),
      count_rows_(database.names().sql(
          "SELECT (SELECT count(*) FROM {bank}.entities), (SELECT count(*) FROM "
          "{bank}.relationships),"
          " (SELECT count(*) FROM {bank}.mentions), (SELECT count(*) FROM {bank}.outbox),"
          " (SELECT count(*) FROM {bank}.embedding_cache)")),
      count_other_vectors_(
          database.names().sql("SELECT model, count(*) FROM {bank}.other_vectors GROUP BY model")),
      size_(
          "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class "
          "c"
          " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND "
          "c.relkind = 'r'"
          " AND c.relname = ANY($2)"),
      embedder_(database.names().sql("SELECT model, dimension FROM {bank}.bank_info")),
      cached_(database.names().sql(
          "SELECT embedding FROM {bank}.embedding_cache WHERE model = $1 AND text_md5 = $2")),
      cached_page_(database.names().sql(
          "SELECT model, text_md5, embedding FROM {bank}.embedding_cache WHERE used_at IS NULL AND "
          "model >= $1"
          " AND (model > $1 OR $2::uuid IS NULL OR text_md5 > $2) ORDER BY model, text_md5 LIMIT "
          "$3")) {}

Result<std::vector<Memory>> Reader::get(std::span<const MemoryId> ids, bool with_embeddings) const {
  std::vector<Memory> found;
  if (ids.empty()) return found;
  std::vector<Uuid> uuids;
  for (const MemoryId& id : ids) uuids.push_back(id.uuid);
  auto rows = database_.read("read memories", get_[with_embeddings ? 1 : 0], Params().uuids(uuids));
  if (!rows) return std::move(rows).error();
  std::unordered_map<MemoryId, int> row_of;
  for (int row = 0; row < rows->size(); ++row) row_of.emplace(MemoryId{rows->uuid(row, 0)}, row);
  for (const MemoryId& id : ids) {
    if (const auto row = row_of.find(id); row != row_of.end())
      found.push_back(read_memory(*rows, row->second));
  }
  return found;
}

Result<std::vector<Memory>> Reader::find(std::string_view legacy_id_or_uuid) const {
  if (!is_storable_utf8(legacy_id_or_uuid)) return std::vector<Memory>{};
  const auto uuid = Uuid::parse(legacy_id_or_uuid);
  Params params;
  params.text(legacy_id_or_uuid);
  if (uuid) params.uuid(*uuid);
  auto rows =
      database_.read("find a memory", uuid ? find_either_ : find_legacy_, std::move(params));
  if (!rows) return std::move(rows).error();
  return read_memories(*rows);
}

Result<std::vector<Memory>> Reader::page(const PageRequest& request) const {
  BB5_TRY(validate(request.filter));
  const Condition condition = condition_of(request.filter, 4);
  const Statement page = database_.names().statement(fmt::format(
      "SELECT {} FROM {{bank}}.memories m WHERE m.seq > $1 AND ($3::boolean IS FALSE OR "
      "m.vector_state <> 1){} ORDER BY m.seq LIMIT $2",
      memory_select_list("m.", request.with_embeddings), condition.sql));
  Params params;
  params.int8(request.after_seq)
      .int8(limit_of(request.limit))
      .boolean(request.without_vector)
      .append(condition.params);
  auto rows = database_.read("read memories", page, std::move(params));
  if (!rows) return std::move(rows).error();
  return read_memories(*rows);
}

Result<StoreStats> Reader::stats() const {
  const std::vector<std::string> tables = {"memories",
                                           "entity_facts",
                                           "relationship_facts",
                                           "mention_facts",
                                           "entities",
                                           "names",
                                           "relationships",
                                           "mentions",
                                           "outbox",
                                           "documents",
                                           "document_memories",
                                           "document_facts",
                                           "statements",
                                           "embedding_cache",
                                           "other_vectors",
                                           "migration_runs",
                                           "migration_files",
                                           "migration_batches",
                                           "migration_issues",
                                           "bank_info",
                                           "schema_versions",
                                           "merges",
                                           "merged_names",
                                           "kept_apart",
                                           "marks"};
  const Command commands[] = {{count_memories_},
                              {count_rows_},
                              {size_, Params().text(database_.names().schema()).texts(tables)},
                              {count_other_vectors_}};
  auto answers = database_.read("count what the bank holds", commands);
  if (!answers) return std::move(answers).error();
  StoreStats stats;
  const Rows& groups = (*answers)[0];
  for (int row = 0; row < groups.size(); ++row) {
    const std::int64_t count = groups.int8(row, 3);
    stats.memories += count;
    stats.networks[groups.text(row, 0)] += count;
    stats.kinds[static_cast<MemoryKind>(groups.int2(row, 1))] += count;
    stats.vectors[static_cast<VectorState>(groups.int2(row, 2))] += count;
    const auto oldest = groups.optional_timestamptz(row, 4);
    const auto newest = groups.optional_timestamptz(row, 5);
    if (oldest && (!stats.oldest || *oldest < *stats.oldest)) stats.oldest = oldest;
    if (newest && (!stats.newest || *newest > *stats.newest)) stats.newest = newest;
  }
  const Rows& counts = (*answers)[1];
  stats.entities = counts.int8(0, 0);
  stats.relationships = counts.int8(0, 1);
  stats.mentions = counts.int8(0, 2);
  stats.outbox_pending = counts.int8(0, 3);
  stats.cached_embeddings = counts.int8(0, 4);
  stats.bytes_on_disk = (*answers)[2].int8(0, 0);
  const Rows& others = (*answers)[3];
  for (int row = 0; row < others.size(); ++row)
    stats.other_vectors[others.text(row, 0)] = others.int8(row, 1);
  return stats;
}

Result<std::int64_t> Reader::count() const {
  auto rows = database_.read("count the memories", count_);
  if (!rows) return std::move(rows).error();
  return rows->int8(0, 0);
}

Result<EmbedderInfo> Reader::embedder() const {
  auto rows = database_.read("read the bank's embedder", embedder_);
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return Error{Errc::corrupt, "bank_info has lost its row"};
  return EmbedderInfo{.model = rows->text(0, 0),
                      .dimension = static_cast<std::size_t>(rows->int4(0, 1))};
}

Result<std::optional<std::vector<float>>> Reader::cached_embedding(
    std::string_view model, std::string_view text_md5) const {
  const auto key = cache_key(text_md5);
  if (!key || !is_storable_utf8(model)) return std::optional<std::vector<float>>{};
  auto rows = database_.read("read a cached embedding", cached_, Params().text(model).uuid(*key));
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return std::optional<std::vector<float>>{};
  return std::optional(read_floats(rows->field(0, 0)));
}

Result<std::vector<EmbeddingCache::Entry>> Reader::cached_embeddings(std::string_view after_model,
                                                                     std::string_view after_md5,
                                                                     std::size_t limit) const {
  const auto key = cache_key(after_md5);
  if (!key && !after_md5.empty()) {
    return Error{Errc::invalid_argument,
                 fmt::format("\"{}\" is no MD5 in 32 lower-case hex digits", after_md5)};
  }
  Params params;
  params.text(after_model);
  key ? params.uuid(*key) : params.null(oid::uuid);
  params.int8(limit_of(limit));
  auto rows = database_.read("read cached embeddings", cached_page_, std::move(params));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) {
    return EmbeddingCache::Entry{.text_md5 = md5_text(rows->uuid(row, 1)),
                                 .model = rows->text(row, 0),
                                 .embedding = read_floats(rows->field(row, 2))};
  });
}

}  // namespace bb5::postgres
