#pragma once

#include <string>
#include <vector>

#include "stores/postgres/indexes.hpp"
#include "stores/postgres/reader.hpp"
#include "stores/postgres/schema.hpp"

namespace bb5::postgres {

/// What is wrong with a bank, a line each. Quick: versions, schema, indexes, settings. Thorough:
/// every row is read back and hashed, and rows that name others must find them.
Result<std::vector<std::string>> check_bank(const Database& database, const Reader& reader,
                                            const Indexes& indexes, const SchemaOptions& options,
                                            bool thorough);

}  // namespace bb5::postgres
