#include "stores/postgres/ranking_reader.hpp"

#include <fmt/format.h>

#include "model/cosine.hpp"
#include "stores/postgres/filter.hpp"
#include "stores/postgres/websearch.hpp"

namespace bb5::postgres {
namespace {

/// $1 ids, $2 reaches. Sums of positions stay within their type.
constexpr std::string_view near_text =
    "SELECT r.id, o.id, abs(o.position - s.position) FROM unnest($1::uuid[], $2::int8[]) r (id, "
    "reach), LATERAL (SELECT x.thread, x.position FROM {bank}.memories x WHERE x.id = r.id AND "
    "x.thread IS NOT NULL AND x.position IS NOT NULL OFFSET 0) s, LATERAL (SELECT x.id, x.position "
    "FROM {bank}.memories x WHERE left(x.thread, 200) = left(s.thread, 200) AND x.thread = "
    "s.thread "
    "AND x.position BETWEEN greatest(s.position, -9223372036854775807 + r.reach) - r.reach AND "
    "least(s.position, 9223372036854775807 - r.reach) + r.reach AND x.id <> r.id OFFSET 0) o";

/// $1 terms as websearch_to_tsquery() reads them. Of a term that the index leaves out as too common
/// all memories are taken to have it.
constexpr std::string_view holding_text =
    "WITH held AS MATERIALIZED (SELECT CASE WHEN c.reltuples >= 10000 THEN c.reltuples::int8 ELSE "
    "(SELECT count(*) FROM {bank}.memories) END AS n FROM pg_catalog.pg_class c WHERE c.oid = "
    "$2::text::regclass) SELECT 0::int8, n FROM held UNION ALL SELECT w.number, CASE WHEN "
    "numnode(w.word) = 0 THEN held.n ELSE (SELECT count(*) FROM {bank}.memories m WHERE m.tsv @@ "
    "w.word) END FROM held, LATERAL (SELECT number, "
    "websearch_to_tsquery('pg_catalog.english'::regconfig, text) AS word FROM unnest($1::text[]) "
    "WITH ORDINALITY one (text, number) OFFSET 0) w";

/// $1 ids, filters from $2.
std::string rows_text(const std::string& condition, bool with_vectors) {
  return fmt::format(
      "SELECT m.id, m.seq, m.content, m.author, m.thread, m.position, m.created_at, (true{0}) IS "
      "TRUE, {1} "
      "FROM unnest($1::uuid[]) asked (id), LATERAL (SELECT * FROM {{bank}}.memories x WHERE x.id = "
      "asked.id OFFSET 0) m",
      condition, with_vectors ? "m.embedding" : "NULL");
}

RankedRow read_row(const Rows& rows, int row, const QueryVector* query) {
  RankedRow read{.id = MemoryId{rows.uuid(row, 0)},
                 .seq = rows.int8(row, 1),
                 .content = rows.text(row, 2),
                 .author = rows.optional_text(row, 3).value_or(""),
                 .thread = rows.optional_text(row, 4).value_or(""),
                 .position = rows.optional_int8(row, 5),
                 .created_at = rows.optional_timestamptz(row, 6),
                 .passes = rows.boolean(row, 7)};
  if (query == nullptr || rows.is_null(row, 8)) return read;
  const std::vector<float> vector = read_vector(rows.field(row, 8));
  // Of another length: the bank has changed its model just now.
  if (vector.size() == query->numbers.size()) read.cosine = cosine(query->numbers, vector);
  return read;
}

std::vector<Uuid> uuids_of(std::span<const MemoryId> ids) {
  std::vector<Uuid> uuids;
  uuids.reserve(ids.size());
  for (const MemoryId& id : ids) uuids.push_back(id.uuid);
  return uuids;
}

}  // namespace

RankingReader::RankingReader(const Database& database, const Search& search)
    : database_(database),
      search_(search),
      near_(database.names().sql(near_text)),
      holding_(database.names().sql(holding_text)) {}

Result<std::vector<ranking::Neighbour>> RankingReader::near(
    std::span<const ranking::Reach> memories) const {
  std::vector<ranking::Neighbour> found;
  if (memories.empty()) return found;
  std::vector<Uuid> ids;
  std::vector<std::int64_t> reaches;
  for (const ranking::Reach& one : memories) {
    ids.push_back(one.id.uuid);
    reaches.push_back(one.positions);
  }
  auto rows =
      database_.read("read neighbours in threads", near_, Params().uuids(ids).int8s(reaches));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) {
    return ranking::Neighbour{MemoryId{rows->uuid(row, 0)}, MemoryId{rows->uuid(row, 1)},
                              rows->int8(row, 2)};
  });
}

Result<RankingMaterial> RankingReader::material(std::span<const MemoryId> memories,
                                                const QueryVector* query,
                                                const MemoryFilter& filter,
                                                std::span<const ranking::AskedTerm> terms) const {
  BB5_TRY(validate(filter));
  if (query != nullptr) BB5_TRY(search_.check(*query));
  const Condition condition = condition_of(filter, 2);
  Params params;
  params.uuids(uuids_of(memories)).append(condition.params);
  const Command commands[] = {
      {database_.names().statement(rows_text(condition.sql, query != nullptr)), std::move(params)},
      {holding_,
       Params().texts(websearch_terms(terms)).text(database_.names().sql("{bank}.memories"))}};
  auto answers = database_.read("read what the ranking looks at", commands);
  if (!answers) return std::move(answers).error();
  RankingMaterial material;
  const Rows& rows = (*answers)[0];
  for (int row = 0; row < rows.size(); ++row) material.rows.push_back(read_row(rows, row, query));
  const Rows& counts = (*answers)[1];
  for (int row = 0; row < counts.size(); ++row) {
    const auto number = static_cast<std::size_t>(counts.int8(row, 0));
    if (number == 0) {
      material.corpus.memories = counts.int8(row, 1);
    } else {
      material.corpus.holding.emplace(terms[number - 1].term, counts.int8(row, 1));
    }
  }
  return material;
}

}  // namespace bb5::postgres
