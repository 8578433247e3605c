#include "stores/embedded/other_vectors.hpp"

#include "base/fail_point.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/vector_writer.hpp"

namespace bb5::embedded {
namespace {

constexpr std::size_t page_size = 256;

/// Memories that a change of the model is about, from `memories m`.
constexpr std::string_view takes_part = "(m.kind = 0 OR m.vector_state = 1)";

/// ?1: the model.
const std::string lacks = std::string(takes_part) +
                          " AND ?1 <> (SELECT embedder_model FROM bank) AND NOT EXISTS "
                          "(SELECT 1 FROM other_vectors o WHERE o.model = ?1 AND o.seq = m.seq)";

/// Ids of memories behind `after`, from a statement that gives seq and id; `after` goes along.
template <class... Args>
Result<std::vector<MemoryId>> next_ids(Connection& connection, const std::string& sql,
                                       std::int64_t& after, const Args&... args) {
  std::vector<MemoryId> ids;
  BB5_TRY(connection.each(
      sql,
      [&](const Row& row) {
        after = row.integer(0);
        ids.push_back({row.uuid(1)});
      },
      args...));
  return ids;
}

/// Puts the memory's vector of the next model into the place of the present one.
class Exchange {
 public:
  Exchange(Connection& connection, const EmbedderInfo& present, const EmbedderInfo& next)
      : connection_(connection), present_(present), next_(next) {}

  Result<> run() {
    auto last_vec_id = connection_.integer("SELECT last_vec_id FROM bank");
    if (!last_vec_id) return std::move(last_vec_id).error();
    vectors_.begin(*last_vec_id);
    BB5_TRY(
        connection_.run("INSERT INTO other_vectors (model, seq, embedding) "
                        "SELECT ?, seq, embedding FROM vectors",
                        present_.model));
    BB5_TRY(exchange_all());
    BB5_TRY(connection_.run("DELETE FROM vectors WHERE vec_id <= ?", *last_vec_id));
    BB5_TRY(connection_.run("DELETE FROM other_vectors WHERE model = ?", next_.model));
    BB5_TRY(tallies_.write(connection_));
    return connection_.run(
        "UPDATE bank SET embedder_model = ?, dimension = ?, last_vec_id = ?, epoch = epoch + 1, "
        "index_recall = NULL",
        next_.model, next_.dimension, vectors_.last());
  }

 private:
  Result<> exchange_all() {
    const std::string page = "SELECT m.seq, m.id FROM memories m WHERE m.seq > ? AND " +
                             std::string(takes_part) + " ORDER BY m.seq LIMIT ?";
    for (std::int64_t after = 0;;) {
      auto ids = next_ids(connection_, page, after, after, page_size);
      if (!ids) return std::move(ids).error();
      if (ids->empty()) return ok();
      auto memories = get_memories(connection_, *ids, true);
      if (!memories) return std::move(memories).error();
      for (Memory& memory : *memories) BB5_TRY(exchange(std::move(memory)));
    }
  }

  Result<> exchange(Memory held) {
    auto vector = connection_.first(
        "SELECT embedding FROM other_vectors WHERE model = ? AND seq = ?",
        [](const Row& row) { return floats_of(row.blob(0)); }, next_.model, held.seq);
    if (!vector) return std::move(vector).error();
    const VectorState before = held.vector_state;
    auto changed = with_model_changed(std::move(held), present_.model, next_.model,
                                      std::move(*vector).value_or(std::vector<float>{}));
    if (!changed) return std::move(changed).error();
    const Memory& memory = *changed;
    auto network = network_code(connection_, memory.network);
    if (!network) return std::move(network).error();
    auto vec_id = vectors_.insert(memory, memory.seq, *network);
    if (!vec_id) return std::move(vec_id).error();
    tallies_.add(*network, memory.kind, before, -1);
    tallies_.add(*network, memory.kind, memory.vector_state, 1);
    const auto text = memory.raw ? std::optional(memory.raw->text) : std::nullopt;
    const auto given = memory.given ? std::optional(memory.given->model) : std::nullopt;
    return connection_.run(
        "UPDATE memories SET vector_state = ?, vec_id = ?, record_hash = ?, raw = ?, "
        "given_model = ? WHERE seq = ?",
        memory.vector_state, *vec_id, Blob{record_hash(memory)}, text, given, memory.seq);
  }

  Connection& connection_;
  const EmbedderInfo& present_;
  const EmbedderInfo& next_;
  VectorWriter vectors_{connection_};
  TallyChanges tallies_;
};

}  // namespace

Result<OtherVectors::Lack> count_lack(Connection& connection, std::string_view model) {
  OtherVectors::Lack lack;
  BB5_TRY(connection.each(
      "SELECT count(*), coalesce(sum(length(CAST(m.content AS BLOB))), 0) FROM memories m WHERE " +
          lacks,
      [&](const Row& row) {
        lack = {row.integer(0), row.integer(1)};
      },
      model));
  return lack;
}

Result<std::vector<Memory>> page_of_lacking(Connection& connection, std::string_view model,
                                            std::int64_t after_seq, std::size_t limit) {
  const std::string page = "SELECT m.seq, m.id FROM memories m WHERE m.seq > ?2 AND " + lacks +
                           " ORDER BY m.seq LIMIT ?3";
  auto ids = next_ids(connection, page, after_seq, model, after_seq, limit_of(limit));
  if (!ids) return std::move(ids).error();
  return get_memories(connection, *ids, false);
}

Result<std::int64_t> put_other_vectors(Connection& connection, const EmbedderInfo& of,
                                       std::span<const MadeVector> vectors) {
  auto recorded = read_embedder(connection);
  if (!recorded) return std::move(recorded).error();
  if (recorded->model == of.model) return own_model(of.model);
  BB5_TRY(check_lengths(vectors, of.dimension));
  BB5_TRY(check_numbers(vectors));
  std::int64_t held = 0;
  for (const MadeVector& vector : vectors) {
    auto memories = get_memories(connection, std::span(&vector.id, 1), false);
    if (!memories) return std::move(memories).error();
    if (memories->empty() || content_sha256_of(memories->front().content) != vector.content_sha256)
      continue;
    BB5_TRY(connection.run(
        "INSERT INTO other_vectors (model, seq, embedding) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        of.model, memories->front().seq, Blob{bytes_of(vector.embedding)}));
    held += connection.changes();
  }
  return held;
}

Result<std::vector<OtherVectors::Held>> page_of_other_vectors(Connection& connection,
                                                              std::string_view model,
                                                              std::int64_t after_seq,
                                                              std::size_t limit) {
  std::vector<OtherVectors::Held> held;
  BB5_TRY(connection.each(
      "SELECT o.seq, m.id, m.content, o.embedding FROM other_vectors o JOIN memories m "
      "ON m.seq = o.seq WHERE o.model = ? AND o.seq > ? ORDER BY o.seq LIMIT ?",
      [&](const Row& row) {
        held.push_back(
            {row.integer(0),
             {MemoryId{row.uuid(1)}, content_sha256_of(row.text(2)), floats_of(row.blob(3))}});
      },
      model, after_seq, limit_of(limit)));
  return held;
}

Result<std::int64_t> exchange_vectors(Connection& connection, const EmbedderInfo& next) {
  BB5_TRY(check_embedder(next));
  auto present = read_embedder(connection);
  if (!present) return std::move(present).error();
  if (*present == next) return 0;
  if (present->model == next.model) return other_embedder(*present);
  auto lack = count_lack(connection, next.model);
  if (!lack) return std::move(lack).error();
  if (lack->memories > 0) return lack->memories;
  auto unfit = connection.integer(
      "SELECT count(*) FROM other_vectors WHERE model = ? AND length(embedding) <> 4 * ?",
      next.model, next.dimension);
  if (!unfit) return std::move(unfit).error();
  if (*unfit > 0) return of_several_lengths(next);
  BB5_TRY(Exchange(connection, *present, next).run());
  fail_point("change_model.before_commit");
  return 0;
}

Result<std::int64_t> remove_other_vectors(Connection& connection) {
  auto vectors = connection.integer("SELECT count(*) FROM other_vectors");
  if (!vectors) return std::move(vectors).error();
  for (std::int64_t after = 0;;) {
    auto ids = next_ids(connection,
                        "SELECT seq, id FROM memories WHERE seq > ? AND given_model <> '' "
                        "ORDER BY seq LIMIT ?",
                        after, after, page_size);
    if (!ids) return std::move(ids).error();
    if (ids->empty()) break;
    auto memories = get_memories(connection, *ids, true);
    if (!memories) return std::move(memories).error();
    for (Memory& memory : *memories) {
      memory.given.emplace();
      BB5_TRY(connection.run("UPDATE memories SET given_model = '', record_hash = ? WHERE seq = ?",
                             Blob{record_hash(memory)}, memory.seq));
    }
  }
  BB5_TRY(connection.run("DELETE FROM other_vectors"));
  BB5_TRY(connection.run("UPDATE bank SET epoch = epoch + 1"));
  return vectors;
}

}  // namespace bb5::embedded
