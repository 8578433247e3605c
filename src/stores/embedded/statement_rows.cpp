#include "stores/embedded/statement_rows.hpp"

#include <utility>

#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {

Result<StatementIndex::Missing> read_missing_statements(Connection& connection, std::size_t limit) {
  StatementIndex::Missing missing;
  BB5_TRY(connection.each("SELECT statements_to, last_seq FROM bank", [&](const Row& row) {
    missing.after = row.integer(0);
    missing.up_to = row.integer(1);
  }));
  std::vector<MemoryId> ids;
  BB5_TRY(connection.each(
      "SELECT m.id FROM memories m WHERE m.seq > ? AND m.kind = ? AND NOT EXISTS "
      "(SELECT 1 FROM statements s WHERE s.memory_seq = m.seq) ORDER BY m.seq LIMIT ?",
      [&](const Row& row) { ids.push_back({row.uuid(0)}); }, missing.after, MemoryKind::memory,
      limit_of(limit)));
  auto memories = get_memories(connection, ids, false);
  if (!memories) return std::move(memories).error();
  missing.memories = std::move(*memories);
  if (ids.size() == limit && limit > 0) missing.up_to = missing.memories.back().seq;
  return missing;
}

Result<> put_statements(Connection& connection, std::span<const StatementKey> entries,
                        std::int64_t up_to) {
  for (const auto& [memory, key] : entries) {
    auto seq = connection.integer("SELECT seq FROM memories WHERE id = ?", memory);
    if (!seq) return std::move(seq).error();
    if (*seq != 0) BB5_TRY(put_statement(connection, *seq, key));
  }
  return connection.run("UPDATE bank SET statements_to = max(statements_to, ?)", up_to);
}

Result<std::vector<StatementKey>> read_statements(Connection& connection,
                                                  std::span<const std::int64_t> keys) {
  std::vector<StatementKey> entries;
  for (const std::int64_t key : keys) {
    BB5_TRY(connection.each(
        "SELECT m.id FROM statements s JOIN memories m ON m.seq = s.memory_seq WHERE s.key = ?",
        [&](const Row& row) {
          entries.push_back({{row.uuid(0)}, key});
        },
        key));
  }
  return entries;
}

Result<> put_statement(Connection& connection, std::int64_t memory_seq, std::int64_t key) {
  return connection.run("INSERT OR REPLACE INTO statements (memory_seq, key) VALUES (?, ?)",
                        memory_seq, key);
}

Result<> forget_statement(Connection& connection, std::int64_t memory_seq) {
  return connection.run("DELETE FROM statements WHERE memory_seq = ?", memory_seq);
}

}  // namespace bb5::embedded
