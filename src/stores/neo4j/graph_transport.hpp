#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace bb5::neo4j {

/// One Cypher statement. Values are parameters, never text.
struct Statement {
  std::string text;
  nlohmann::json parameters = nlohmann::json::object();
};

/// What one statement gave: each row a JSON array in the order of its RETURN.
struct Rows {
  std::vector<nlohmann::json> rows;
};

/// The server's own words about a failure: the code alone decides what is done about it.
struct ServerError {
  std::string code;  ///< `Neo.TransientError.Transaction.DeadlockDetected`
  std::string message;
  bool operator==(const ServerError&) const = default;
};

/// The server's answer to a list of statements: rows for each, or the error that undid them all.
struct Answer {
  std::vector<Rows> results;
  std::optional<ServerError> error;
};

enum class Access : unsigned char { read, write };

/// Carries statements to a Neo4j and its answer back. Safe to call from several threads at once.
class GraphTransport {
 public:
  virtual ~GraphTransport() = default;

  /// Runs all statements in one transaction.
  /// Errors: those that carry no code of Neo4j's: unavailable (no connection, cut off, time is up:
  /// whether the transaction was committed is unknown then), refused (TLS, HTTP authentication),
  /// unsupported (no Neo4j at this address), invalid_argument (a parameter is not UTF-8).
  virtual Result<Answer> run(std::span<const Statement> statements, Access access) = 0;

  /// The server's version as its discovery document gives it, `5.26.18`; empty when it tells none.
  /// Errors: as run().
  virtual Result<std::string> server_version() = 0;
};

}  // namespace bb5::neo4j
