#include "cli/progress.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/environment.hpp"

namespace bb5::cli {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void ask_to_stop(int) {
  stop_asked = 1;
}

}  // namespace

ProgressDisplay::Form ProgressDisplay::form_for(bool json, bool quiet) {
  if (quiet) return Form::quiet;
  if (json) return Form::json;
  const bool dumb = environment("TERM") == "dumb";
  return isatty(STDERR_FILENO) != 0 && !dumb ? Form::bar : Form::lines;
}

ProgressDisplay::ProgressDisplay(Form form)
    : form_(form), phase_start_(std::chrono::steady_clock::now()), last_(phase_start_) {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C ends the program at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

ProgressDisplay::~ProgressDisplay() {
  clear();
}

void ProgressDisplay::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[2K");
  drawn_ = false;
}

bool ProgressDisplay::show(const MigrationProgress& progress) {
  using std::chrono::steady_clock;
  const auto now = steady_clock::now();
  const bool new_phase = phase_ != progress.phase;
  if (new_phase) {
    phase_ = progress.phase;
    phase_start_ = now;
  }
  const auto pause =
      form_ == Form::lines ? std::chrono::milliseconds(10'000) : std::chrono::milliseconds(200);
  const bool finished = progress.bytes_total > 0 && progress.bytes >= progress.bytes_total;
  if (form_ != Form::quiet &&
      (now - last_ >= pause || (form_ == Form::json && (new_phase || finished)))) {
    last_ = now;
    draw(progress, std::chrono::duration<double>(now - phase_start_).count());
    drawn_ = form_ == Form::bar;
  }
  return stop_asked == 0;
}

void ProgressDisplay::draw(const MigrationProgress& progress, double seconds) const {
  const double share = progress.bytes_total > 0
                           ? std::min(1.0, static_cast<double>(progress.bytes) /
                                               static_cast<double>(progress.bytes_total))
                           : 0;
  const double rate = seconds > 0 ? static_cast<double>(progress.records) / seconds : 0;
  const double left = share > 0 ? seconds * (1 - share) / share : 0;
  if (form_ == Form::json) {
    const nlohmann::ordered_json line = {{"type", "progress"},
                                         {"phase", progress.phase},
                                         {"done", progress.records},
                                         {"bytes", progress.bytes},
                                         {"of_bytes", progress.bytes_total},
                                         {"rate", rate},
                                         {"eta_s", left},
                                         {"rejected", progress.rejected},
                                         {"quarantined", progress.quarantined}};
    fmt::print(stderr, "{}\n", line.dump());
    return;
  }
  constexpr int width = 20;
  const int full = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "█" : "·";
  const auto text = fmt::format(
      "  {:<7} {} {:>10} records  {:>9.1f} MB  {:>8.0f}/s  {:.0f} s left  rejected {}  quarantined "
      "{}",
      progress.phase, bar, progress.records, static_cast<double>(progress.bytes) / 1e6, rate, left,
      progress.rejected, progress.quarantined);
  const bool in_place = form_ == Form::bar;
  fmt::print(stderr, "{}{}{}", in_place ? "\r\x1b[2K" : "", text, in_place ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace bb5::cli
