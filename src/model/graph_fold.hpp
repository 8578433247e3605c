#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/entity_merges.hpp"
#include "model/graph.hpp"

namespace bb5 {

/// The names that one memory mentions.
struct MemoryMentions {
  MemoryId memory;
  std::vector<std::string> names;
};

/// A bank's graph by key, every `rev` 0.
struct FoldedGraph {
  std::map<std::string, Entity> entities;             ///< by Entity::key
  std::map<std::string, Relationship> relationships;  ///< by relationship_key()
  std::set<Mention> mentions;
  std::map<std::string, std::string> meanings;  ///< name key → key of the entity that it means
  bool operator==(const FoldedGraph&) const = default;
};

/// The sum, or the largest number where it would overflow: mentions are what a source claims.
[[nodiscard]] std::int64_t add_up(std::int64_t a, std::int64_t b) noexcept;

/// Name and type of an entity as some of its facts have them (model/graph.hpp, rule 1): the same
/// whatever the order.
struct EntityTitle {
  std::map<std::string, std::int64_t> spellings;  ///< With their mentions.
  std::string type;                               ///< The smallest spelling.

  void add(const std::string& name, const std::string& given_type, std::int64_t mentions);
  /// The spelling with the most mentions, of equal ones the smallest; there is one at least.
  [[nodiscard]] const std::string& name() const;
};

/// The fold of model/graph.hpp as a pure function: what every store's tables must equal. The order
/// of the facts does not matter, their seq does. So a merge that is taken away leaves no trace.
[[nodiscard]] FoldedGraph fold(std::span<const EntityFact> entities,
                               std::span<const RelationshipFact> relationships,
                               std::span<const MemoryMentions> mentions,
                               const EntityMerges& merges = {});

}  // namespace bb5
