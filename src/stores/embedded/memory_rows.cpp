#include "stores/embedded/memory_rows.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/string_list.hpp"

namespace bb5::embedded {
namespace {

/// A statement that reads memories, with or without their vectors: a page without never touches
/// their table.
std::string select_memories(bool with_embeddings, std::string_view rest) {
  std::string sql =
      "SELECT m.seq, m.id, m.legacy_id, m.kind, m.content, n.name, m.confidence, m.source, "
      "m.source_type, "
      "m.category, m.entities, m.created_at, m.updated_at, m.valid_from, m.valid_until, "
      "m.superseded_by, "
      "m.author, m.thread, m.position, m.metadata, m.vector_state, m.raw, m.raw_embedding_at";
  if (with_embeddings) sql += ", v.embedding, m.given_model, g.embedding";
  sql += " FROM memories m JOIN networks n ON n.code = m.network ";
  if (with_embeddings)
    sql +=
        "LEFT JOIN vectors v ON v.vec_id = m.vec_id "
        "LEFT JOIN other_vectors g ON g.model = m.given_model AND g.seq = m.seq ";
  return sql.append(rest);
}

Memory memory_from(const Row& row, bool with_embedding) {
  Memory memory;
  int at = 0;
  memory.seq = row.integer(at++);
  memory.id = {row.uuid(at++)};
  memory.legacy_id = row.string(at++);
  memory.kind = static_cast<MemoryKind>(row.integer(at++));
  memory.content = row.string(at++);
  memory.network = row.string(at++);
  memory.confidence = row.maybe_real(at++);
  memory.source = row.maybe_string(at++);
  memory.source_type = row.maybe_string(at++);
  memory.category = row.maybe_string(at++);
  memory.entities = read_string_list(row.text(at++));
  memory.created_at = row.maybe_time(at++);
  memory.updated_at = row.maybe_time(at++);
  memory.valid_from = row.maybe_time(at++);
  memory.valid_until = row.maybe_time(at++);
  if (!row.is_null(at)) memory.superseded_by = MemoryId{row.uuid(at)};
  ++at;
  memory.author = row.maybe_string(at++);
  memory.thread = row.maybe_string(at++);
  memory.position = row.maybe_integer(at++);
  memory.metadata = row.string(at++);
  memory.vector_state = static_cast<VectorState>(row.integer(at++));
  if (!row.is_null(at)) {
    memory.raw = RawRecord{.text = row.string(at), .embedding_at = std::nullopt};
    if (const auto cut = row.maybe_integer(at + 1)) {
      memory.raw->embedding_at = static_cast<std::uint32_t>(*cut);
    }
  }
  at += 2;
  if (!with_embedding) return memory;
  memory.embedding = floats_of(row.blob(at++));
  if (!row.is_null(at)) memory.given = GivenVector{row.string(at), floats_of(row.blob(at + 1))};
  return memory;
}

/// Places of memories that the filter lets through, merged from one ordered scan for each label.
Result<std::vector<std::int64_t>> filtered_seqs(Connection& connection,
                                                const std::vector<std::int64_t>& labels,
                                                const PageRequest& request) {
  const std::size_t limit = request.limit;
  const auto& moment = request.filter.valid_at;
  const std::string sql =
      "SELECT seq FROM memories m INDEXED BY memories_by_network WHERE network = ?1 AND kind = ?2 "
      "AND seq > ?3 AND (?6 = 0 OR vector_state <> 1)" +
      valid_sql("?5") + " ORDER BY seq LIMIT ?4";
  std::vector<std::int64_t> seqs;
  for (const std::int64_t label : labels) {
    BB5_TRY(connection.each(
        sql, [&](const Row& row) { seqs.push_back(row.integer(0)); }, label / 4, label % 4,
        request.after_seq, limit_of(limit), moment, request.without_vector ? 1 : 0));
  }
  std::sort(seqs.begin(), seqs.end());
  if (seqs.size() > limit) seqs.resize(limit);
  return seqs;
}

}  // namespace

std::int64_t limit_of(std::size_t limit) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(limit, most));
}

Result<std::int64_t> network_code(Connection& connection, std::string_view network) {
  auto code = connection.integer("SELECT code FROM networks WHERE name = ?", network);
  if (!code || *code != 0) return code;
  return connection.integer("INSERT INTO networks (name) VALUES (?) RETURNING code", network);
}

Result<std::int64_t> count_memories(Connection& connection,
                                    const std::optional<std::vector<std::int64_t>>& labels,
                                    std::optional<VectorState> state) {
  std::int64_t count = 0;
  BB5_TRY(connection.each(
      "SELECT network * 4 + kind, vector_state, memories FROM tallies", [&](const Row& row) {
        if (labels && !std::binary_search(labels->begin(), labels->end(), row.integer(0))) return;
        if (state && row.integer(1) != static_cast<std::int64_t>(*state)) return;
        count += row.integer(2);
      }));
  return count;
}

Result<std::vector<Memory>> get_memories(Connection& connection, std::span<const MemoryId> ids,
                                         bool with_embeddings) {
  std::vector<Memory> memories;
  const std::string sql = select_memories(with_embeddings, "WHERE m.id = ?");
  for (const MemoryId& id : ids) {
    BB5_TRY(connection.each(
        sql, [&](const Row& row) { memories.push_back(memory_from(row, with_embeddings)); }, id));
  }
  return memories;
}

Result<std::vector<Memory>> find_memories(Connection& connection,
                                          std::string_view legacy_id_or_uuid) {
  std::vector<Memory> memories;
  const auto uuid = Uuid::parse(legacy_id_or_uuid);
  BB5_TRY(connection.each(
      select_memories(true, "WHERE m.legacy_id = ?1 OR m.id = ?2 ORDER BY m.seq"),
      [&](const Row& row) { memories.push_back(memory_from(row, true)); }, legacy_id_or_uuid,
      uuid));
  return memories;
}

Result<std::vector<Memory>> page_of_memories(Connection& connection, const PageRequest& request) {
  BB5_TRY(validate(request.filter));
  std::vector<Memory> memories;
  const bool with = request.with_embeddings;
  const auto take = [&](const Row& row) { memories.push_back(memory_from(row, with)); };
  if (!is_plain(request.filter)) {
    const Condition condition = condition_of(request.filter, 4);
    const std::string rest = "WHERE m.seq > ?1 AND (?3 = 0 OR m.vector_state <> 1)" +
                             condition.sql + " ORDER BY m.seq LIMIT ?2";
    BB5_TRY(connection.each(select_memories(with, rest), take, request.after_seq,
                            limit_of(request.limit), request.without_vector ? 1 : 0,
                            condition.values));
    return memories;
  }
  auto labels = labels_of(connection, request.filter);
  if (!labels) return std::move(labels).error();
  if (!*labels) {
    const auto& moment = request.filter.valid_at;
    const std::string rest = "WHERE m.seq > ?1 AND (?4 = 0 OR m.vector_state <> 1)" +
                             valid_sql("?3") + " ORDER BY m.seq LIMIT ?2";
    BB5_TRY(connection.each(select_memories(with, rest), take, request.after_seq,
                            limit_of(request.limit), moment, request.without_vector ? 1 : 0));
    return memories;
  }
  auto seqs = filtered_seqs(connection, **labels, request);
  if (!seqs) return std::move(seqs).error();
  const std::string sql = select_memories(with, "WHERE m.seq = ?");
  for (const std::int64_t seq : *seqs) BB5_TRY(connection.each(sql, take, seq));
  return memories;
}

Result<StoreStats> read_stats(Connection& connection) {
  StoreStats stats;
  BB5_TRY(
      connection.each("SELECT n.name, t.kind, t.vector_state, t.memories FROM tallies t JOIN "
                      "networks n ON n.code = t.network "
                      "WHERE t.memories <> 0",
                      [&](const Row& row) {
                        const std::int64_t count = row.integer(3);
                        stats.memories += count;
                        stats.networks[row.string(0)] += count;
                        stats.kinds[static_cast<MemoryKind>(row.integer(1))] += count;
                        stats.vectors[static_cast<VectorState>(row.integer(2))] += count;
                      }));
  BB5_TRY(connection.each(
      "SELECT (SELECT count(*) FROM entities), (SELECT count(*) FROM relationships), "
      "(SELECT count(*) FROM mentions), (SELECT count(*) FROM outbox), "
      "(SELECT count(*) FROM embedding_cache), "
      "(SELECT min(created_at) FROM memories WHERE created_at IS NOT NULL), "
      "(SELECT max(created_at) FROM memories WHERE created_at IS NOT NULL)",
      [&](const Row& row) {
        stats.entities = row.integer(0);
        stats.relationships = row.integer(1);
        stats.mentions = row.integer(2);
        stats.outbox_pending = row.integer(3);
        stats.cached_embeddings = row.integer(4);
        stats.oldest = row.maybe_time(5);
        stats.newest = row.maybe_time(6);
      }));
  BB5_TRY(connection.each(
      "SELECT model, count(*) FROM other_vectors GROUP BY model",
      [&](const Row& row) { stats.other_vectors[row.string(0)] = row.integer(1); }));
  return stats;
}

Result<EmbedderInfo> read_embedder(Connection& connection) {
  EmbedderInfo embedder;
  BB5_TRY(connection.each("SELECT embedder_model, dimension FROM bank", [&](const Row& row) {
    embedder.model = row.string(0);
    embedder.dimension = static_cast<std::size_t>(row.integer(1));
  }));
  return embedder;
}

Result<> check_embedder(const EmbedderInfo& embedder) {
  constexpr std::size_t most_dimensions = 16'000;
  if (embedder.dimension == 0 || embedder.dimension > most_dimensions || embedder.model.empty()) {
    return Error{Errc::invalid_argument,
                 fmt::format("an embedder needs a name and 1 to {} numbers, not {}",
                             most_dimensions, embedder.dimension)};
  }
  return ok();
}

Result<> record_embedder(Connection& connection, const EmbedderInfo& embedder) {
  BB5_TRY(check_embedder(embedder));
  auto transaction = Transaction::write(connection);
  if (!transaction) return std::move(transaction).error();
  auto recorded = read_embedder(connection);
  if (!recorded) return std::move(recorded).error();
  if (*recorded == embedder) return ok();
  if (recorded->dimension != 0) return other_embedder(*recorded);
  BB5_TRY(connection.run("UPDATE bank SET embedder_model = ?, dimension = ?, epoch = epoch + 1",
                         embedder.model, embedder.dimension));
  BB5_TRY(connection.run("DELETE FROM other_vectors WHERE model = ?", embedder.model));
  return transaction->commit();
}

void TallyChanges::add(std::int64_t network, MemoryKind kind, VectorState state,
                       std::int64_t memories) {
  changes_[{network, kind, state}] += memories;
}

Result<> TallyChanges::write(Connection& connection) const {
  for (const auto& [sort, memories] : changes_) {
    if (memories == 0) continue;
    const auto& [network, kind, state] = sort;
    BB5_TRY(connection.run(
        "INSERT INTO tallies (network, kind, vector_state, memories) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET memories = memories + excluded.memories",
        network, kind, state, memories));
  }
  return ok();
}

}  // namespace bb5::embedded
