#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ports/entity_graph.hpp"
#include "stores/neo4j/graph_statements.hpp"
#include "stores/neo4j/graph_transport.hpp"

namespace bb5::neo4j {

/// How often a transaction that the server undid for a passing reason (a deadlock) is tried again.
/// All our statements may be repeated.
struct RetryOptions {
  int attempts = 6;
  std::chrono::milliseconds first_pause{25};  ///< Doubled each time; half of it is chance.
  std::chrono::milliseconds longest_pause{1'000};
  std::function<void(std::chrono::milliseconds)> sleep = {};  ///< Empty: the thread sleeps.
  std::uint64_t seed = 0;                                     ///< 0: from the system.
};

struct ProjectionOptions {
  std::string bank = "default";
  PieceLimits pieces = {};
  std::size_t clear_relationships = 20'000;  ///< At most so many in one transaction of clear().
  std::size_t clear_nodes = 5'000;
  RetryOptions retry = {};
};

/// The projection of one bank over any transport.
[[nodiscard]] std::unique_ptr<GraphProjection> new_neo4j_projection(
    std::unique_ptr<GraphTransport> transport, const ProjectionOptions& options);

}  // namespace bb5::neo4j
