#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"
#include "model/extraction.hpp"

namespace bb5 {

/// Writes what was extracted as the old system's `retain --dry-run` did: `all_memories.json`,
/// `NETWORK_memories.json` for each network that occurs, `entities.json`, `relationships.json`
/// (JSON arrays, indent 2, ASCII).
class LegacyOutput {
 public:
  void add(const Extraction& extraction, const Document& document, Timestamp moment);
  /// Makes the folder where it is missing. Files of networks that do not occur are left alone.
  /// Errors: refused, out_of_space, unavailable naming the file.
  [[nodiscard]] Result<> save(const std::filesystem::path& folder) const;

  std::int64_t memories = 0;
  std::int64_t entities = 0;
  std::int64_t relationships = 0;

 private:
  /// Texts of the arrays by file, without their brackets.
  std::map<std::string, std::string> files_;
};

}  // namespace bb5
