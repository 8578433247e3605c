#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "ports/entity_graph.hpp"
#include "ports/memory_source.hpp"

namespace bb5 {

/// A relationship names its ends without a type. Where no entity bears such a name, the fold puts a
/// placeholder there; where several do, it takes the one with the most mentions (model/graph.hpp,
/// rule 2). Each such choice is worth a remark, at the first record that made it necessary.
/// Memory: one entry a distinct name. Not thread-safe.
class NameChoices {
 public:
  /// Notes the names that the record's relationship uses, if it is one.
  void add(const std::string& file, const SourceRecord& record);
  /// The choices that the folded graph shows, by file, in order of the records.
  [[nodiscard]] Result<std::map<std::string, std::vector<LedgerIssue>>> remarks(
      const EntityGraph& graph) const;

  static constexpr const char* placeholder_code = "endpoint_placeholder";
  static constexpr const char* ambiguous_code = "endpoint_ambiguous";

 private:
  struct Use {
    std::string name;
    std::string file;
    std::int64_t ordinal = 0;
    std::int64_t byte_from = 0;
    std::string pointer;
  };
  void note(std::string name, Use use);
  static LedgerIssue remark(const Use& use, std::string code, std::string message);

  std::unordered_map<std::string, Use> first_;  ///< By name_key_of().
};

}  // namespace bb5
