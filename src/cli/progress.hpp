#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "operations/migrate/migration.hpp"

namespace bb5::cli {

/// How fast a phase goes, from when it was first heard of: what an earlier, stopped run did of it
/// does not count.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  void start(const MigrationProgress& progress, Clock::time_point now);
  /// Records a second; nothing until one second has passed or where none are read.
  [[nodiscard]] std::optional<double> rate(const MigrationProgress& progress,
                                           Clock::time_point now) const;
  /// Nothing while there is too little to tell it from: before a second and a hundredth of the
  /// work, or without a total.
  [[nodiscard]] std::optional<double> seconds_left(const MigrationProgress& progress,
                                                   Clock::time_point now) const;

 private:
  Clock::time_point start_;
  std::int64_t records_ = 0;
  std::int64_t done_ = 0;
};

/// One line for a person, without a line end.
[[nodiscard]] std::string progress_text(const MigrationProgress& progress,
                                        std::optional<double> rate,
                                        std::optional<double> seconds_left);

/// Shows how far a migration is, on standard error: a bar on a terminal, a line every ten seconds
/// elsewhere, JSON lines with --json. Also notices SIGINT and SIGTERM.
class ProgressDisplay {
 public:
  enum class Form : std::uint8_t { bar, lines, json, quiet };
  /// From the flags and from what standard error is.
  static Form form_for(bool json, bool quiet);

  explicit ProgressDisplay(Form form);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// False once the user has asked to stop.
  bool show(const MigrationProgress& progress);
  /// Removes the bar.
  void clear();

 private:
  void draw(const MigrationProgress& progress, Pace::Clock::time_point now) const;

  Form form_;
  std::string phase_;
  Pace pace_;
  std::chrono::steady_clock::time_point last_;
  bool drawn_ = false;
};

}  // namespace bb5::cli
