#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "ports/entity_graph.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// Reads facts, the folded graph and the outbox.
class GraphReader {
 public:
  explicit GraphReader(const Database& database);

  Result<GraphCounts> counts() const;
  Result<std::vector<Entity>> entities(std::string_view after_key, std::size_t limit) const;
  Result<> visit_entities(std::int64_t after_rev,
                          const std::function<void(const Entity&)>& visit) const;
  Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                  std::size_t limit) const;
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const;
  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key, std::size_t limit) const;
  Result<std::optional<Entity>> entity_named(std::string_view name) const;

  Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq, std::size_t limit) const;
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                           std::size_t limit) const;
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const;
  Result<std::vector<RelationshipFact>> get_relationship_facts(std::span<const FactId> ids) const;

  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) const;
  Result<> mark_applied(std::span<const GraphChange> changes) const;

 private:
  const Database& database_;
  Statement counts_;
  Statement entities_;
  Statement visited_entities_;
  Statement relationships_;
  Statement mentions_;
  Statement neighbours_;
  Statement named_;
  Statement entity_facts_;
  Statement relationship_facts_;
  Statement get_entity_facts_;
  Statement get_relationship_facts_;
  Statement pending_;
  Statement mark_;
};

}  // namespace bb5::postgres
