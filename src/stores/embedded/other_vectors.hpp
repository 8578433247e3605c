#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ports/other_vectors.hpp"
#include "stores/embedded/connection.hpp"

/// The table `other_vectors`, as OtherVectors has it. Each within a transaction of the caller.
namespace bb5::embedded {

Result<OtherVectors::Lack> count_lack(Connection& connection, std::string_view model);
Result<std::vector<Memory>> page_of_lacking(Connection& connection, std::string_view model,
                                            std::int64_t after_seq, std::size_t limit);
Result<std::int64_t> put_other_vectors(Connection& connection, const EmbedderInfo& of,
                                       std::span<const MadeVector> vectors);
Result<std::vector<OtherVectors::Held>> page_of_other_vectors(Connection& connection,
                                                              std::string_view model,
                                                              std::int64_t after_seq,
                                                              std::size_t limit);
Result<std::int64_t> exchange_vectors(Connection& connection, const EmbedderInfo& next);
Result<std::int64_t> remove_other_vectors(Connection& connection);

}  // namespace bb5::embedded
