#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"

namespace bb5 {

/// Where Neo4j is and how long it may take.
struct Neo4jOptions {
  /// `neo4j+http://user@host:port/database` or `neo4j+https://…`. Without a user `neo4j`, without a
  /// port 7474 (https: 7473), without a database `neo4j`. A password in it is refused.
  std::string url;
  std::string password;          ///< From NEO4J_PASSWORD or a file, never from a command line.
  std::string bank = "default";  ///< `[a-z0-9_]{1,40}`

  std::chrono::milliseconds connect_timeout{2'000};
  std::chrono::milliseconds read_timeout{10'000};   ///< Of one request that reads.
  std::chrono::milliseconds write_timeout{60'000};  ///< Of one request that writes.
  std::size_t connections = 8;  ///< Requests under way at once; further ones wait for their turn.
  std::string ca_file;          ///< PEM; empty: the system's certificates.

  /// The way in. `probe` asks the server: `tx_commit` where it answers (the faster one), else
  /// `query_v2`.
  enum class Door : unsigned char { probe, tx_commit, query_v2 };
  Door door = Door::probe;
};

/// One bank's graph in a Neo4j ≥ 5.26. Nothing is sent before the first call, so a server that is
/// away does not keep the graph from being opened; prepare() asks for its version and rights.
/// Safe to call from several threads at once.
/// Errors: invalid_argument (the URL, a password in it, or the bank's name).
[[nodiscard]] Result<std::unique_ptr<GraphProjection>> open_neo4j_graph(
    const Neo4jOptions& options);

}  // namespace bb5
