#pragma once

#include <atomic>
#include <cstdint>

namespace bb5::postgres {

/// What a pool has done and how it stands. Read by any thread at any time.
struct PoolCounters {
  std::atomic<std::int64_t> open{0};        ///< Connections now.
  std::atomic<std::int64_t> in_use{0};      ///< Of these, lent.
  std::atomic<std::int64_t> opened{0};      ///< Ever.
  std::atomic<std::int64_t> dropped{0};     ///< Closed because they were broken, dead or too old.
  std::atomic<std::int64_t> waits{0};       ///< Borrowers that had to wait.
  std::atomic<std::int64_t> time_outs{0};   ///< Borrowers that waited in vain.
  std::atomic<std::int64_t> reprepared{0};  ///< Prepared statements that were gone when used.
};

}  // namespace bb5::postgres
