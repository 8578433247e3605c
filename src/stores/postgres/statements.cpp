#include "stores/postgres/statements.hpp"

#include <fmt/format.h>

#include "stores/postgres/memory_rows.hpp"

namespace bb5::postgres {
namespace {

// All writers put rows in one order, so that two of the same ones wait for each other and never in
// a ring.
constexpr std::string_view put_sql =
    "INSERT INTO {{bank}}.statements (memory_id, key)"
    " SELECT n.memory_id, n.key FROM unnest($1::uuid[], $2::bigint[]) AS n(memory_id, key){}"
    " ORDER BY n.memory_id ON CONFLICT (memory_id) DO UPDATE SET key = excluded.key";

Params params_of(std::span<const StatementKey> entries) {
  std::vector<Uuid> memories;
  std::vector<std::int64_t> keys;
  for (const auto& [memory, key] : entries) {
    memories.push_back(memory.uuid);
    keys.push_back(key);
  }
  Params params;
  params.uuids(memories).int8s(keys);
  return params;
}

}  // namespace

Statements::Statements(const Database& database)
    : database_(database),
      missing_(database.names().sql(fmt::format(
          "SELECT {} FROM {{bank}}.memories m WHERE m.seq > (SELECT statements_to FROM "
          "{{bank}}.bank_info) AND m.kind = 0 AND NOT EXISTS (SELECT FROM {{bank}}.statements s "
          "WHERE s.memory_id = m.id) ORDER BY m.seq LIMIT $1",
          memory_select_list("m.", false)))),
      position_(database.names().sql(
          "SELECT statements_to, coalesce((SELECT max(seq) FROM {bank}.memories), 0)"
          " FROM {bank}.bank_info")),
      // One that is erased at the same time is waited for, or waits.
      index_(database.names().sql(
          fmt::format(put_sql,
                      " JOIN (SELECT id FROM {bank}.memories WHERE id = ANY($1) FOR KEY SHARE) m"
                      " ON m.id = n.memory_id"))),
      advance_(database.names().sql("UPDATE {bank}.bank_info SET statements_to = $1"
                                    " WHERE statements_to < $1")),
      find_(database.names().sql(
          "SELECT s.memory_id, s.key FROM unnest($1::bigint[]) AS w(key) CROSS JOIN LATERAL"
          " (SELECT * FROM {bank}.statements x WHERE x.key = w.key OFFSET 0) s")),
      put_(database.names().sql(fmt::format(put_sql, ""))),
      forget_(database.names().sql("DELETE FROM {bank}.statements WHERE memory_id = $1")) {}

Result<StatementIndex::Missing> Statements::missing(std::size_t limit) const {
  // The position first: what is written from here on is looked at next time.
  auto position = database_.read("look where the index of statements stands", position_);
  if (!position) return std::move(position).error();
  auto rows =
      database_.read("look for statements to index", missing_, Params().int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  StatementIndex::Missing missing{.memories = read_memories(*rows),
                                  .after = position->int8(0, 0),
                                  .up_to = position->int8(0, 1)};
  if (!missing.memories.empty() && missing.memories.size() == limit)
    missing.up_to = missing.memories.back().seq;
  return missing;
}

Result<> Statements::index(std::span<const StatementKey> entries, std::int64_t up_to) const {
  return database_.transact<std::monostate>(
      "index statements", [&](Transaction& transaction) -> Result<> {
        // In this order, which is that of a change of the model: bank_info, then memories.
        const Command commands[] = {{advance_, Params().int8(up_to)}, {index_, params_of(entries)}};
        transaction.number_with_next_run();
        BB5_TRY(transaction.run(commands));
        return ok();
      });
}

Result<std::vector<StatementKey>> Statements::find(std::span<const std::int64_t> keys) const {
  auto rows = database_.read("look for statements", find_, Params().int8s(keys));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) {
    return StatementKey{{r.uuid(row, 0)}, r.int8(row, 1)};
  });
}

Command Statements::put(std::span<const StatementKey> entries) const {
  return {put_, params_of(entries)};
}

Command Statements::forget(const MemoryId& memory) const {
  return {forget_, Params().uuid(memory.uuid)};
}

}  // namespace bb5::postgres
