#include "stores/embedded/ranking_rows.hpp"

#include <cstdlib>
#include <limits>

#include "model/cosine.hpp"
#include "stores/embedded/filter_rows.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/keyword_search.hpp"
#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/vector_search.hpp"

namespace bb5::embedded {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

struct Place {
  std::int64_t seq = 0;
  std::string thread;
  std::int64_t position = 0;
};

Result<std::optional<Place>> place_of(Connection& connection, const MemoryId& id) {
  return connection.first(
      "SELECT seq, thread, position FROM memories WHERE id = ? AND thread IS NOT NULL AND "
      "position IS NOT NULL",
      [](const Row& row) {
        return Place{row.integer(0), row.string(1), row.integer(2)};
      },
      id);
}

/// Reads the rows that the ranking looks at, one by one.
class RowReader {
 public:
  RowReader(Connection& connection, const QueryVector* query, const MemoryFilter& filter)
      : connection_(connection),
        query_(query),
        condition_(condition_of(filter, 2)),
        sql_(
            "SELECT m.seq, m.content, m.author, m.thread, m.position, m.created_at, m.vec_id, "
            "true" +
            condition_.sql + " FROM memories m WHERE m.id = ?1") {}

  Result<> read(const MemoryId& id, std::vector<RankedRow>& rows) {
    std::optional<std::int64_t> vec_id;
    const std::size_t before = rows.size();
    BB5_TRY(connection_.each(
        sql_,
        [&](const Row& row) {
          rows.push_back({.id = id,
                          .seq = row.integer(0),
                          .content = row.string(1),
                          .author = row.string(2),
                          .thread = row.string(3),
                          .position = row.maybe_integer(4),
                          .created_at = row.maybe_time(5),
                          .passes = !row.is_null(7) && row.integer(7) != 0});
          vec_id = row.maybe_integer(6);
        },
        id, condition_.values));
    if (rows.size() == before || !vec_id || query_ == nullptr) return ok();
    return connection_.each(
        "SELECT embedding FROM vectors WHERE vec_id = ?",
        [&](const Row& row) {
          copy_floats(row.blob(0), vector_);
          if (vector_.size() == query_->numbers.size())
            rows.back().cosine = cosine(query_->numbers, vector_);
        },
        *vec_id);
  }

 private:
  Connection& connection_;
  const QueryVector* query_;
  const Condition condition_;
  const std::string sql_;
  std::vector<float> vector_;
};

}  // namespace

Result<std::vector<ranking::Neighbour>> find_thread_neighbours(
    Connection& connection, std::span<const ranking::Reach> memories) {
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  std::vector<ranking::Neighbour> found;
  for (const ranking::Reach& reach : memories) {
    auto place = place_of(connection, reach.id);
    if (!place) return std::move(place).error();
    if (!*place) continue;
    const std::int64_t at = (*place)->position;
    const std::int64_t first =
        at < Limits::min() + reach.positions ? Limits::min() : at - reach.positions;
    const std::int64_t last =
        at > Limits::max() - reach.positions ? Limits::max() : at + reach.positions;
    BB5_TRY(connection.each(
        "SELECT id, position FROM memories WHERE thread = ?1 AND position BETWEEN ?2 AND ?3 AND "
        "seq <> ?4",
        [&](const Row& row) {
          found.push_back({reach.id, {row.uuid(0)}, std::abs(row.integer(1) - at)});
        },
        (*place)->thread, first, last, (*place)->seq));
  }
  return found;
}

Result<RankingMaterial> read_ranking_material(Connection& connection,
                                              std::span<const MemoryId> memories,
                                              const QueryVector* query, const MemoryFilter& filter,
                                              std::span<const ranking::AskedTerm> terms) {
  BB5_TRY(validate(filter));
  auto transaction = Transaction::read(connection);
  if (!transaction) return std::move(transaction).error();
  if (query != nullptr) {
    auto embedder = read_embedder(connection);
    if (!embedder) return std::move(embedder).error();
    BB5_TRY(check_query(*query, *embedder));
  }
  RankingMaterial material;
  RowReader reader(connection, query, filter);
  for (const MemoryId& id : memories) BB5_TRY(reader.read(id, material.rows));
  auto all = count_memories(connection, std::nullopt, std::nullopt);
  if (!all) return std::move(all).error();
  material.corpus.memories = *all;
  for (const ranking::AskedTerm& asked : terms) {
    auto holding = count_holding(connection, asked);
    if (!holding) return std::move(holding).error();
    material.corpus.holding.emplace(asked.term, *holding);
  }
  return material;
}

}  // namespace bb5::embedded
