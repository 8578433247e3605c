#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "http/http_client.hpp"
#include "stores/neo4j/graph_transport.hpp"
#include "stores/neo4j/neo4j_graph.hpp"

namespace bb5::neo4j {

struct HttpTransportOptions {
  std::string database = "neo4j";
  Neo4jOptions::Door door = Neo4jOptions::Door::probe;
  std::chrono::milliseconds read_timeout{10'000};
  std::chrono::milliseconds write_timeout{60'000};
  /// Longer lists of statements go in several requests within one open transaction.
  std::size_t longest_request_bytes = std::size_t{8} << 20;
};

/// Statements over HTTP, by the door that the server has open: asked at the first call, and again
/// after an answer that was none of Neo4j's. One transaction is one request where the door allows
/// it.
[[nodiscard]] std::unique_ptr<GraphTransport> new_http_transport(
    std::unique_ptr<HttpClient> client, const HttpTransportOptions& options);

}  // namespace bb5::neo4j
