#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bb5::local {

/// Threads that help whoever asks first; each starts with the first job that has a part for it, and
/// sleeps between jobs.
/// Safe to call from several threads at once.
class Crew {
 public:
  /// size ≥ 1: threads that work on a job, the caller's own among them.
  explicit Crew(std::size_t size) : size_(size) {}
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  Crew(Crew&&) = delete;
  Crew& operator=(Crew&&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Calls job(0) to job(parts - 1), each on a thread of its own, part 0 on the caller's, and
  /// returns when all have. parts: 1 to size(). False, and nothing is called, while another caller
  /// has the crew or threads cannot be had. The job must not throw.
  [[nodiscard]] bool try_run(std::size_t parts, const std::function<void(std::size_t)>& job);

 private:
  void help(std::size_t part);

  const std::size_t size_;
  std::mutex busy_;  // held by the caller whose job is done
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::vector<std::thread> helpers_;                       // guarded by mutex_
  const std::function<void(std::size_t)>* job_ = nullptr;  // guarded by mutex_
  std::size_t parts_ = 0;                                  // guarded by mutex_
  std::size_t round_ = 0;                                  // guarded by mutex_
  std::size_t left_ = 0;                                   // guarded by mutex_
  bool ending_ = false;                                    // guarded by mutex_
};

/// Where the parts of one job wait for each other; in a computation of milliseconds that meet a
/// dozen times, so they do not go to sleep.
class Meeting {
 public:
  explicit Meeting(std::size_t parts) : parts_(parts) {}
  /// Returns when all parts have called it as often; what they wrote before is seen by all.
  void wait();

 private:
  const std::size_t parts_;
  std::atomic<std::size_t> arrived_ = 0;
  std::atomic<std::size_t> round_ = 0;
};

}  // namespace bb5::local
