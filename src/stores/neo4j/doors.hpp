#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stores/neo4j/graph_transport.hpp"

/// The bytes of Neo4j's two HTTP doors: statements to a request's body, an answer's body to rows.
/// No sockets here.
///
/// In both doors the HTTP status says little: 200 and 202 may carry errors, a deadlock comes as
/// 400. So the body is read first, and the status only where it holds no answer of Neo4j's.
namespace bb5::neo4j {

/// One statement of a `tx` body, as JSON text. Errors: invalid_argument (a text is not UTF-8).
[[nodiscard]] Result<std::string> encode_statement(const Statement& statement);

/// A `tx` body from texts of encode_statement().
[[nodiscard]] std::string encode_tx_body(std::span<const std::string> statements);

/// The body of one `query/v2` request. `access` is left out within an open transaction after the
/// first request. Errors: invalid_argument (a text is not UTF-8).
[[nodiscard]] Result<std::string> encode_query_body(const Statement& statement,
                                                    std::optional<Access> access);

/// An answer of either door, and what it tells of an open transaction.
struct DoorAnswer {
  Answer answer;
  std::string transaction;  ///< Its id while it is open; empty: there is none, or it has ended.
};

/// Errors: unavailable (cut off; a proxy's 502, 503, 504), refused (401, 403), unsupported (no
/// Neo4j answers there).
[[nodiscard]] Result<DoorAnswer> decode_tx_answer(int status, std::string_view body);
[[nodiscard]] Result<DoorAnswer> decode_query_answer(int status, std::string_view body);

/// What the discovery document at `/` says.
struct Discovery {
  std::string version;  ///< `5.26.18`
  bool has_tx = false;
  bool has_query = false;
};
[[nodiscard]] Result<Discovery> decode_discovery(int status, std::string_view body);

}  // namespace bb5::neo4j
