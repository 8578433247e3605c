#pragma once

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

/// The fold of model/graph.hpp as a pure function: what every store's tables must equal. The order
/// of the facts does not matter, their seq does. So a merge that is taken away leaves no trace.
[[nodiscard]] FoldedGraph fold(std::span<const EntityFact> entities,
                               std::span<const RelationshipFact> relationships,
                               std::span<const MemoryMentions> mentions,
                               const EntityMerges& merges = {});

}  // namespace bb5
