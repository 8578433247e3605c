#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"
#include "stores/embedded/connection.hpp"

/// The folded graph as rows, and the outbox that carries its changes to a projection.
namespace bb5::embedded {

Result<GraphCounts> count_graph(Connection& connection);
Result<> visit_entities(Connection& connection, std::int64_t after_rev,
                        const std::function<void(const Entity&)>& visit);
Result<std::vector<Entity>> page_of_entities(Connection& connection, std::string_view after_key,
                                             std::size_t limit);
Result<std::vector<Relationship>> page_of_relationships(Connection& connection,
                                                        std::string_view after_key,
                                                        std::size_t limit);
Result<std::vector<Mention>> page_of_mentions(Connection& connection, const Mention& after,
                                              std::size_t limit);
Result<std::vector<Neighbour>> read_neighbours(Connection& connection, std::string_view entity_key,
                                               std::size_t limit);
Result<std::optional<Entity>> read_entity_named(Connection& connection, std::string_view name);

/// Within a read transaction.
Result<std::vector<GraphChange>> read_pending_changes(Connection& connection, std::size_t limit);
/// Within a write transaction.
Result<> mark_changes_applied(Connection& connection, std::span<const GraphChange> changes);
Result<> requeue_everything(Connection& connection);

}  // namespace bb5::embedded
