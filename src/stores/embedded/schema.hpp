#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stores/embedded/connection.hpp"

namespace bb5::embedded {

/// `bb5m`: marks our files in their header, where file(1) and we look for it.
inline constexpr std::int64_t application_id = 0x6262356D;
inline constexpr std::int64_t schema_version = 1;

/// The text of schema/001_start.sql.
extern const std::string_view schema_001_start;

enum class FileState { ours, empty };

/// Whose file this is. Errors: invalid_argument (not a database, or not ours), unsupported (newer),
/// corrupt (the recorded checksum of the schema is not ours).
Result<FileState> inspect_file(Connection& connection);

/// Writes by way of a log, so that readers and a writer do not wait for each other; the file
/// remembers it. Errors: unsupported, where the file system cannot.
Result<> require_wal(Connection& connection, std::chrono::milliseconds patience);

/// Turns an empty file into an empty bank; another process may be doing the same.
Result<> create_schema(Connection& connection);

/// Tables, indexes and views that are missing, changed or strange: one line each.
Result<std::vector<std::string>> schema_differences(Connection& connection);

}  // namespace bb5::embedded
