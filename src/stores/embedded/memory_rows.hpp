#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "stores/embedded/connection.hpp"

/// Memories as rows: reading, filtering, and the numbers kept about them.
namespace bb5::embedded {

/// Network and kind of a memory in one number, as vectors and their codes carry it.
[[nodiscard]] constexpr std::int64_t label_of(std::int64_t network, MemoryKind kind) {
  return network * 4 + static_cast<std::int64_t>(kind);
}

/// The network's number, made when there is none yet.
Result<std::int64_t> network_code(Connection& connection, std::string_view network);

/// How many memories the filter lets through; with `state`, of those only the ones in that state.
Result<std::int64_t> count_memories(Connection& connection,
                                    const std::optional<std::vector<std::int64_t>>& labels,
                                    std::optional<VectorState> state);

Result<std::vector<Memory>> get_memories(Connection& connection, std::span<const MemoryId> ids,
                                         bool with_embeddings);
Result<std::vector<Memory>> find_memories(Connection& connection,
                                          std::string_view legacy_id_or_uuid);
Result<std::vector<Memory>> page_of_memories(Connection& connection, const PageRequest& request);

/// All of StoreStats but bytes_on_disk.
Result<StoreStats> read_stats(Connection& connection);

Result<EmbedderInfo> read_embedder(Connection& connection);
/// Errors: invalid_argument, when no bank can have it.
Result<> check_embedder(const EmbedderInfo& embedder);
Result<> record_embedder(Connection& connection, const EmbedderInfo& embedder);

/// `limit` as SQLite takes it.
[[nodiscard]] std::int64_t limit_of(std::size_t limit);

/// By how much each tally changes in a transaction.
class TallyChanges {
 public:
  void add(std::int64_t network, MemoryKind kind, VectorState state, std::int64_t memories);
  Result<> write(Connection& connection) const;

 private:
  std::map<std::tuple<std::int64_t, MemoryKind, VectorState>, std::int64_t> changes_;
};

}  // namespace bb5::embedded
