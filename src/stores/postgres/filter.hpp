#pragma once

#include <string>

#include "model/memory_filter.hpp"
#include "stores/postgres/connection.hpp"

namespace bb5::postgres {

/// A filter as SQL: ` AND …` for memory `m`, and its parameters, numbered from `first`. Parts that
/// restrict nothing are no condition, so the planner sees none; the text depends on which parts
/// there are, not on what they say, so a session prepares few.
struct Condition {
  std::string sql;
  Params params;
};
[[nodiscard]] Condition condition_of(const MemoryFilter& filter, int first);

}  // namespace bb5::postgres
