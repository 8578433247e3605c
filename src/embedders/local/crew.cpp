#include "embedders/local/crew.hpp"

#include <system_error>

namespace bb5::local {
namespace {

/// About 50 µs: longer than the parts of a job differ, unless one has lost its core.
constexpr int spins = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  work_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

bool Crew::try_run(std::size_t parts, const std::function<void(std::size_t)>& job) {
  const std::unique_lock busy(busy_, std::try_to_lock);
  if (!busy) return false;
  if (parts > 1) {
    const std::lock_guard lock(mutex_);
    try {
      while (helpers_.size() + 1 < parts)
        helpers_.emplace_back([this, part = helpers_.size() + 1] { help(part); });
    } catch (const std::system_error&) {
      return false;  // no more threads to be had
    }
    job_ = &job;
    parts_ = parts;
    left_ = parts - 1;
    ++round_;
  }
  if (parts > 1) work_.notify_all();
  job(0);
  if (parts > 1) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return left_ == 0; });
  }
  return true;
}

void Crew::help(std::size_t part) {
  std::unique_lock lock(mutex_);
  for (std::size_t seen = 0;;) {
    work_.wait(lock, [&] { return ending_ || round_ != seen; });
    if (ending_) return;
    seen = round_;
    if (part >= parts_) continue;
    const auto& job = *job_;
    lock.unlock();
    job(part);
    lock.lock();
    if (--left_ == 0) done_.notify_one();
  }
}

void Meeting::wait() {
  if (parts_ == 1) return;
  const std::size_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parts_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (int spun = 0; round_.load(std::memory_order_acquire) == round; ++spun) {
    if (spun < spins) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace bb5::local
