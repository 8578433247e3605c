#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "operations/migrate/migration.hpp"

namespace bb5::cli {

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
  void draw(const MigrationProgress& progress, double seconds) const;

  Form form_;
  std::string phase_;
  std::chrono::steady_clock::time_point phase_start_;
  std::chrono::steady_clock::time_point last_;
  bool drawn_ = false;
};

}  // namespace bb5::cli
