#include "benchmarks/support/measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace bb5::bench {
namespace {

double process_cpu() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The text behind `key` and its colon in a file like /proc/self/status.
std::string proc_value(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!std::string_view(line).starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

std::string load() {
  std::ifstream in("/proc/loadavg");
  std::string one;
  in >> one;
  return one.empty() ? "?" : one;
}

}  // namespace

Stopwatch::Stopwatch() : start_(std::chrono::steady_clock::now()), cpu_start_(process_cpu()) {}

double Stopwatch::wall_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double Stopwatch::cpu_seconds() const {
  return process_cpu() - cpu_start_;
}

std::vector<Timing> best_of(int rounds, const std::vector<std::function<void()>>& runs) {
  constexpr double never = std::numeric_limits<double>::infinity();
  std::vector<Timing> best(runs.size(), {never, never});
  for (int round = rounds > 1 ? -1 : 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const Stopwatch watch;
      runs[i]();
      if (round < 0) continue;
      best[i] = {std::min(best[i].wall, watch.wall_seconds()),
                 std::min(best[i].cpu, watch.cpu_seconds())};
    }
  }
  return best;
}

double percentile(std::vector<double>& seconds, double share) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = static_cast<std::size_t>(share * static_cast<double>(seconds.size()));
  return seconds.at(std::min(at, seconds.size() - 1));
}

double peak_memory_mib() {
  return std::strtod(proc_value("/proc/self/status", "VmHWM").c_str(), nullptr) / 1024;
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::string machine() {
  const double gib =
      std::strtod(proc_value("/proc/meminfo", "MemTotal").c_str(), nullptr) / (1 << 20);
  return fmt::format("{}, {} cores, {:.0f} GiB", proc_value("/proc/cpuinfo", "model name"),
                     std::thread::hardware_concurrency(), gib);
}

Report::Report(std::string title, int argc, char** argv)
    : title_(std::move(title)), began_(load()) {
  const std::string_view program = argv[0];
  command_ = program.substr(program.rfind('/') + 1);
  for (int i = 1; i < argc; ++i) command_ += std::string(" ") + argv[i];
}

void Report::remark(std::string text) {
  remarks_.push_back(std::move(text));
}

void Report::columns(std::vector<std::string> names) {
  rows_.push_back(std::move(names));
  rows_.emplace_back(rows_.back().size(), "---");
}

void Report::row(std::vector<std::string> cells) {
  rows_.push_back(std::move(cells));
}

void Report::print() const {
  fmt::print("### {}\n\n{:%Y-%m-%d}; {}; load average {} → {}; `{}`\n\n", title_,
             fmt::gmtime(std::time(nullptr)), machine(), began_, load(), command_);
  for (const std::string& remark : remarks_) fmt::print("{}\n\n", remark);
  for (const auto& row : rows_) {
    fmt::print("|");
    for (const std::string& cell : row) fmt::print(" {} |", cell);
    fmt::print("\n");
  }
  fmt::print("\n");
  std::fflush(stdout);
}

std::string shown_seconds(double seconds) {
  if (seconds >= 1) return fmt::format("{:.2f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.1f} µs", seconds * 1e6);
}

void give_up(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): no other thread runs
}

}  // namespace bb5::bench
