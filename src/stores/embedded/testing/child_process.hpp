#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <stdexcept>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bb5::embedded {

/// A process of its own that reports numbers to this one. It must be started before this process
/// opens the bank: SQLite's connections do not survive a fork.
class ChildProcess {
 public:
  using Report = std::function<void(std::int64_t)>;

  explicit ChildProcess(const std::function<void(const Report&)>& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ < 0) throw std::runtime_error("no child process");
    if (process_ == 0) {
      ::close(ends[0]);
      work([&](std::int64_t number) {
        if (::write(ends[1], &number, sizeof number) != sizeof number) ::_exit(3);
      });
      ::_exit(0);  // no destructors, no output buffers of the parent
    }
    ::close(ends[1]);
    reports_ = ends[0];
  }
  ~ChildProcess() {
    kill();
    ::close(reports_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  /// Waits for its end; its exit status, -1 when a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// The last number reported so far, after everything reported has been read; -1: none.
  std::int64_t last_report() {
    pollfd ready{.fd = reports_, .events = POLLIN, .revents = 0};
    while (::poll(&ready, 1, 0) == 1 && (ready.revents & (POLLIN | POLLHUP)) != 0) {
      if (::read(reports_, &last_, sizeof last_) != sizeof last_) break;
    }
    return last_;
  }

 private:
  pid_t process_ = 0;
  int reports_ = -1;
  std::int64_t last_ = -1;
};

}  // namespace bb5::embedded
