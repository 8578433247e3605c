#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// One numbered file of schema/, as compiled in.
struct SchemaFile {
  int version = 0;
  std::string_view name;  ///< `001_start`
  std::string_view sql;
};
[[nodiscard]] std::span<const SchemaFile> schema_files();

/// What a server and a bank are made of.
struct SchemaState {
  std::string extension_version;  ///< Of vector; empty: not installed in this database.
  std::string extension_schema;
  bool bank_exists = false;
  struct Applied {
    int version = 0;
    std::string checksum;
  };
  std::vector<Applied> applied;  ///< In order.
};
[[nodiscard]] Result<SchemaState> inspect_schema(const Database& database);

/// One line for each way in which the applied files differ from ours.
[[nodiscard]] std::vector<std::string> schema_findings(const SchemaState& state);

struct SchemaOptions {
  bool create = false;
  int minimum_server = 160'000;  ///< As PQserverVersion counts.
  std::string minimum_extension = "0.8.4";
};

/// Checks server and extension, creates the bank (when asked to) and applies the numbered files
/// that it lacks. Several processes may do so at once. Tells the database's names where the
/// extension lives. Errors: unsupported (too old a server or extension, a newer or edited schema),
/// not_found (no such bank), refused.
[[nodiscard]] Result<> open_schema(Database& database, const SchemaOptions& options);

/// Compares dotted version numbers: true when `version` is at least `minimum`.
[[nodiscard]] bool version_at_least(std::string_view version, std::string_view minimum);

}  // namespace bb5::postgres
