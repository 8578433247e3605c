#pragma once

#include <memory>

#include "engine/addresses.hpp"
#include "ports/bank.hpp"

namespace bb5 {

enum class OpenMode : std::uint8_t {
  existing,  ///< not_found when there is no such store or bank.
  create     ///< Makes what is missing: the file and its folder, the bank's tables.
};

/// Opens a bank by its addresses. Errors: those of check_addresses and of the store.
[[nodiscard]] Result<std::unique_ptr<Bank>> open_bank(const Addresses& addresses, OpenMode mode);

/// Opens the graph outside the store, or nothing where the addresses name none. Nothing is sent
/// yet: GraphProjection::prepare() asks the server. The password comes from NEO4J_PASSWORD, the
/// user from the URL or NEO4J_USER.
[[nodiscard]] Result<std::unique_ptr<GraphProjection>> open_graph(const Addresses& addresses);

}  // namespace bb5
