#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ports/statement_index.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// The index of statements.
class Statements {
 public:
  /// It outlives this.
  explicit Statements(const Database& database);

  Result<StatementIndex::Missing> missing(std::size_t limit) const;
  Result<> index(std::span<const StatementKey> entries, std::int64_t up_to) const;
  Result<std::vector<StatementKey>> find(std::span<const std::int64_t> keys) const;

  /// Those of memories that a transaction writes, all of which are there when it ends.
  [[nodiscard]] Command put(std::span<const StatementKey> entries) const;
  [[nodiscard]] Command forget(const MemoryId& memory) const;

 private:
  const Database& database_;
  Statement missing_;
  Statement position_;
  Statement index_;
  Statement advance_;
  Statement find_;
  Statement put_;
  Statement forget_;
};

}  // namespace bb5::postgres
