#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/bank.hpp"

namespace bb5 {

/// The names, and all others of the entities that they mean: the entity's own, and those that
/// merges lead to it. Who asks for PostgreSQL gets what was said of Postgres, once both are one.
/// Errors: those of the bank.
[[nodiscard]] Result<std::vector<std::string>> names_of_entities(
    const Bank& bank, const std::vector<std::string>& names);

}  // namespace bb5
