#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bb5::bench {

/// Wall time and CPU time (of this process, all threads) since its construction.
class Stopwatch {
 public:
  Stopwatch();
  [[nodiscard]] double wall_seconds() const;
  [[nodiscard]] double cpu_seconds() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double cpu_start_;
};

struct Timing {
  double wall = 0;
  double cpu = 0;
};

/// Runs all of them in turn, `rounds` times, after one round to warm up, and returns the fastest
/// wall and CPU time of each: neighbours on the machine make times longer, never shorter, and turns
/// spread what remains over all alike.
[[nodiscard]] std::vector<Timing> best_of(int rounds,
                                          const std::vector<std::function<void()>>& runs);

/// Percentile of the times (0.5: median). Sorts them.
[[nodiscard]] double percentile(std::vector<double>& seconds, double share);

/// The process' peak resident memory in MiB since the last reset_peak_memory() (VmHWM).
[[nodiscard]] double peak_memory_mib();
void reset_peak_memory();

/// Processor, number of cores, load average, memory and date, in one line: belongs beside every
/// figure.
[[nodiscard]] std::string machine();

/// A page of docs/performance.md: a heading, remarks and a table, printed as Markdown.
class Report {
 public:
  /// command: how this run was started.
  Report(std::string title, int argc, char** argv);
  void remark(std::string text);
  void columns(std::vector<std::string> names);
  void row(std::vector<std::string> cells);
  /// Prints the page; its load average is that of now.
  void print() const;

 private:
  std::string title_;
  std::string command_;
  std::string began_;
  std::vector<std::string> remarks_;
  std::vector<std::vector<std::string>> rows_;
};

/// "1.23 s", "4.5 ms", "678 µs".
[[nodiscard]] std::string shown_seconds(double seconds);

/// Ends the program with the message: a benchmark that cannot go on has nothing to report.
[[noreturn]] void give_up(const std::string& message);

/// The value of a Result, or give_up with its error.
template <class R>
auto must(R&& result) {
  if (!result) give_up(result.error().message + " " + result.error().detail);
  return *std::forward<R>(result);
}

}  // namespace bb5::bench
