#include "stores/postgres/pool.hpp"

#include <fmt/format.h>

namespace bb5::postgres {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto longest_idle = std::chrono::minutes(5);
constexpr auto longest_life = std::chrono::minutes(60);
constexpr std::int64_t stale_statements_tolerated = 3;

}  // namespace

Pool::Pool(ConnectOptions options, std::size_t limit, std::chrono::milliseconds longest_wait,
           std::shared_ptr<PoolCounters> counters)
    : options_(std::move(options)),
      limit_(limit == 0 ? 1 : limit),
      longest_wait_(longest_wait),
      counters_(counters != nullptr ? std::move(counters) : std::make_shared<PoolCounters>()) {}

Pool::Lease::~Lease() {
  if (connection_ != nullptr) pool_->give_back(std::move(connection_));
}

Result<Pool::Lease> Pool::borrow() {
  std::vector<std::unique_ptr<Connection>> dead;  // closed after the lock is gone
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    const auto until = Clock::now() + longest_wait_;
    bool waited = false;
    while (true) {
      while (!idle_.empty() && connection == nullptr) {
        connection = std::move(idle_.back());
        idle_.pop_back();
        const auto now = Clock::now();
        if (now - connection->idle_since > longest_idle ||
            now - connection->opened_at > longest_life || connection->is_dead()) {
          dead.push_back(std::move(connection));
          --open_;
          ++counters_->dropped;
          --counters_->open;
        }
      }
      if (connection != nullptr) break;
      if (open_ < limit_) {
        ++open_;  // a promise: kept below, or taken back
        ++counters_->open;
        break;
      }
      if (!waited) ++counters_->waits;
      waited = true;
      if (freed_.wait_until(lock, until) == std::cv_status::timeout && idle_.empty() &&
          open_ >= limit_) {
        ++counters_->time_outs;
        return Error{Errc::unavailable,
                     fmt::format("all {} connections to PostgreSQL were busy for {} ms", limit_,
                                 longest_wait_.count()),
                     "try again, or raise the pool's size"};
      }
    }
  }
  if (connection == nullptr) {
    auto opened = Connection::open(options_);
    if (!opened) {
      {
        const std::lock_guard lock(mutex_);
        --open_;
      }
      --counters_->open;
      freed_.notify_one();
      return std::move(opened).error();
    }
    ++counters_->opened;
    connection = std::move(*opened);
  }
  ++counters_->in_use;
  return Lease(this, std::move(connection));
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  --counters_->in_use;
  const bool sound = connection->is_idle();
  {
    const std::lock_guard lock(mutex_);
    if (sound) {
      connection->reset_patience();
      connection->idle_since = Clock::now();
      idle_.push_back(std::move(connection));
    } else {
      --open_;
      --counters_->open;
      ++counters_->dropped;
    }
  }
  freed_.notify_one();
}

Result<std::unique_ptr<Connection>> Pool::open_own(std::chrono::milliseconds patience) const {
  ConnectOptions options = options_;
  options.patience = patience;
  // Its statements are few: nothing to gain from preparing them.
  options.prepare = std::make_shared<std::atomic<bool>>(false);
  return Connection::open(options);
}

void Pool::note_stale_statement() {
  if (++counters_->reprepared >= stale_statements_tolerated) options_.prepare->store(false);
}

}  // namespace bb5::postgres
