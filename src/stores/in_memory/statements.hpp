#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ports/statement_index.hpp"
#include "stores/in_memory/state.hpp"

/// The index of statements.
namespace bb5::in_memory {

[[nodiscard]] StatementIndex::Missing read_missing_statements(const State& state,
                                                              std::size_t limit);
void put_statements(State& state, std::span<const StatementKey> entries, std::int64_t up_to);
[[nodiscard]] std::vector<StatementKey> read_statements(const State& state,
                                                        std::span<const std::int64_t> keys);

}  // namespace bb5::in_memory
