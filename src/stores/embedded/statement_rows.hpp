#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ports/statement_index.hpp"
#include "stores/embedded/connection.hpp"

/// The index of statements as rows.
namespace bb5::embedded {

Result<StatementIndex::Missing> read_missing_statements(Connection& connection, std::size_t limit);
Result<> put_statements(Connection& connection, std::span<const StatementKey> entries,
                        std::int64_t up_to);
Result<std::vector<StatementKey>> read_statements(Connection& connection,
                                                  std::span<const std::int64_t> keys);

/// One memory's, within the transaction that writes or erases it.
Result<> put_statement(Connection& connection, std::int64_t memory_seq, std::int64_t key);
Result<> forget_statement(Connection& connection, std::int64_t memory_seq);

}  // namespace bb5::embedded
