#pragma once

#include <memory>
#include <string>

#include "engine/addresses.hpp"
#include "ports/bank.hpp"
#include "ports/memory_source.hpp"

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

/// Opens what memories are taken over from: a folder or file of the old system. Errors: not_found;
/// invalid_argument when nothing of it is there; refused.
[[nodiscard]] Result<std::unique_ptr<MemorySource>> open_source(const std::string& path);

}  // namespace bb5
