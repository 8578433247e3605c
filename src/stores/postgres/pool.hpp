#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.hpp"
#include "stores/postgres/connection.hpp"
#include "stores/postgres/pool_counters.hpp"

namespace bb5::postgres {

/// A bounded number of sessions, lent one thread at a time. Invariant: open_ = lent + idle_.size(),
/// and at most `limit`. The last one given back is lent first, so surplus ones grow old and go.
class Pool {
 public:
  Pool(ConnectOptions options, std::size_t limit, std::chrono::milliseconds longest_wait,
       std::shared_ptr<PoolCounters> counters);

  /// A lent connection; the destructor gives it back, or closes it when it is not idle.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Lease();
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Errors: unavailable when none comes free in time, and those of Connection::open.
  Result<Lease> borrow();

  /// A session outside the pool, for what must outlive a call.
  [[nodiscard]] Result<std::unique_ptr<Connection>> open_own(
      std::chrono::milliseconds patience) const;

  /// After a few of these, statements are no longer prepared: a pooler between us and the server
  /// hands out another session each time.
  void note_stale_statement();
  [[nodiscard]] const PoolCounters& counters() const { return *counters_; }

 private:
  void give_back(std::unique_ptr<Connection> connection);

  const ConnectOptions options_;
  const std::size_t limit_;
  const std::chrono::milliseconds longest_wait_;
  const std::shared_ptr<PoolCounters> counters_;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t open_ = 0;                           // guarded by mutex_
};

}  // namespace bb5::postgres
