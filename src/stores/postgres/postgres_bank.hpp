#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "ports/bank.hpp"
#include "stores/postgres/pool_counters.hpp"

namespace bb5 {

struct PostgresOptions {
  /// `postgresql://user@host:port/database?…`, also `postgres://`: what libpq reads. Without a
  /// password in it libpq takes PGPASSWORD or ~/.pgpass.
  std::string url;
  /// `default` is the schema public, NAME the schema bb5_NAME; [a-z0-9_]{1,40}.
  std::string bank = "default";
  bool create = false;  ///< Makes the bank, and the extension, where they are missing.

  std::size_t pool_size = 4;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds pool_timeout{10'000};  ///< For a connection to come free.
  std::chrono::milliseconds statement_deadline{
      30'000};  ///< The server's longest silence; folds of a whole bank,
                ///< index builds and checks take as long as they take.
  /// Filled as the pool works: metrics read them.
  std::shared_ptr<postgres::PoolCounters> counters;

  enum class VectorIndex : std::uint8_t { automatic, none, hnsw, ivfflat };
  VectorIndex vector_index = VectorIndex::automatic;  ///< What derive() makes; automatic: HNSW…
  std::int64_t vector_index_from = 20'000;            ///< …for more vectors than this, else none.
  std::int32_t hnsw_ef_search = 100;
  std::int32_t ivfflat_lists = 0;   ///< 0: a thousandth of the rows, at least 10.
  std::int32_t ivfflat_probes = 0;  ///< 0: the root of lists.
  std::int64_t index_memory_bytes = std::int64_t{1}
                                    << 30;  ///< The most that an index build asks for.

  int minimum_server_version = 160'000;  ///< As PQserverVersion counts.
  std::string minimum_vector_version = "0.8.4";
};

/// Opens a bank in PostgreSQL. Errors: invalid_argument (URL, name of the bank), refused, not_found
/// (no such database; no such bank without `create`), unavailable, unsupported (too old a server or
/// extension, or a newer schema).
[[nodiscard]] Result<std::unique_ptr<Bank>> open_postgres_bank(const PostgresOptions& options);

}  // namespace bb5
