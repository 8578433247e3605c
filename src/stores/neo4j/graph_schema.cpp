#include "stores/neo4j/graph_schema.hpp"

#include <utility>

#include "base/digest.hpp"

namespace bb5::neo4j {

std::vector<std::string> schema_statements(std::string_view text) {
  std::vector<std::string> statements;
  std::string statement;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with("//") || line.empty()) continue;
    const bool last = line.ends_with(';');
    if (last) line.remove_suffix(1);
    if (!statement.empty()) statement += '\n';
    statement += line;
    if (last) statements.push_back(std::exchange(statement, {}));
  }
  if (!statement.empty()) statements.push_back(std::move(statement));
  return statements;
}

std::string schema_checksum(const SchemaFile& file) {
  return to_hex(sha256(file.text));
}

}  // namespace bb5::neo4j
