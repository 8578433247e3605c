#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bb5::neo4j {

/// One numbered file of schema/, built into the program.
struct SchemaFile {
  std::int64_t version = 0;
  std::string_view name;  ///< `001_start.cypher`
  std::string_view text;
};
/// In order of version.
[[nodiscard]] std::span<const SchemaFile> schema_files();

/// The statements of a file: each ends in `;` at the end of a line; `//` lines are comments.
[[nodiscard]] std::vector<std::string> schema_statements(std::string_view text);

/// SHA-256 of the file's text, as hex.
[[nodiscard]] std::string schema_checksum(const SchemaFile& file);

}  // namespace bb5::neo4j
