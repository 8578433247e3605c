#pragma once

#include <string_view>

#include "base/result.hpp"
#include "stores/neo4j/graph_transport.hpp"

namespace bb5::neo4j {

/// True for errors that another attempt may not meet: the server has undone the transaction.
[[nodiscard]] bool is_transient(std::string_view code) noexcept;

/// True when what a schema statement was to create is there already.
[[nodiscard]] bool is_already_there(std::string_view code) noexcept;

/// What a code of Neo4j's means to our callers.
[[nodiscard]] Errc errc_of(std::string_view code) noexcept;

/// The error for a person, with the server's words as detail and a remedy where one is known.
[[nodiscard]] Error error_from(const ServerError& error);

}  // namespace bb5::neo4j
