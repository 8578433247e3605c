#include "cli/progress.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace bb5::cli {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void ask_to_stop(int) {
  stop_asked = 1;
}

}  // namespace

void Pace::start(const MigrationProgress& progress, Clock::time_point now) {
  start_ = now;
  records_ = progress.records;
  done_ = progress.done;
}

std::optional<double> Pace::rate(const MigrationProgress& progress, Clock::time_point now) const {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (seconds < 1 || progress.records == records_) return std::nullopt;
  return static_cast<double>(progress.records - records_) / seconds;
}

std::optional<double> Pace::seconds_left(const MigrationProgress& progress,
                                         Clock::time_point now) const {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const auto done = static_cast<double>(progress.done - done_);
  const auto total = static_cast<double>(progress.total - done_);
  if (seconds < 1 || total <= 0 || done < total / 100) return std::nullopt;
  return seconds * std::max(0.0, total - done) / done;
}

std::string progress_text(const MigrationProgress& progress, std::optional<double> rate,
                          std::optional<double> seconds_left) {
  constexpr int width = 20;
  std::string text = fmt::format("  {:<7}", progress.phase);
  if (progress.total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    text += ' ';
    for (int i = 0; i < width; ++i) text += i < static_cast<int>(share * width) ? "█" : "·";
    text += fmt::format(" {:>3.0f} %", share * 100);
  }
  if (progress.records > 0) text += fmt::format("  {:>9} records", progress.records);
  if (rate) text += fmt::format("  {:>7.0f}/s", *rate);
  if (seconds_left) text += fmt::format("  {:.0f} s left", *seconds_left);
  if (progress.rejected) text += fmt::format("  rejected {}", *progress.rejected);
  if (progress.quarantined) text += fmt::format("  quarantined {}", *progress.quarantined);
  return text;
}

ProgressDisplay::Form ProgressDisplay::form_for(bool json, bool quiet) {
  if (quiet) return Form::quiet;
  if (json) return Form::json;
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return isatty(STDERR_FILENO) != 0 && !dumb ? Form::bar : Form::lines;
}

ProgressDisplay::ProgressDisplay(Form form) : form_(form), last_(Pace::Clock::now()) {
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
  const auto now = Pace::Clock::now();
  const bool new_phase = phase_ != progress.phase;
  if (new_phase) {
    phase_ = progress.phase;
    pace_.start(progress, now);
  }
  const auto pause =
      form_ == Form::lines ? std::chrono::milliseconds(10'000) : std::chrono::milliseconds(200);
  const bool finished = progress.total > 0 && progress.done >= progress.total;
  if (form_ != Form::quiet &&
      (now - last_ >= pause || (form_ == Form::json && (new_phase || finished)))) {
    last_ = now;
    draw(progress, now);
    drawn_ = form_ == Form::bar;
  }
  return stop_asked == 0;
}

void ProgressDisplay::draw(const MigrationProgress& progress, Pace::Clock::time_point now) const {
  const auto rate = pace_.rate(progress, now);
  const auto left = pace_.seconds_left(progress, now);
  if (form_ == Form::json) {
    using Document = nlohmann::ordered_json;
    const auto or_null = [](const auto& value) {
      return value ? Document(*value) : Document(nullptr);
    };
    const Document line = {{"type", "progress"},
                           {"phase", progress.phase},
                           {"done", progress.records},
                           {"bytes", progress.done},
                           {"of_bytes", progress.total},
                           {"rate", or_null(rate)},
                           {"eta_s", or_null(left)},
                           {"rejected", or_null(progress.rejected)},
                           {"quarantined", or_null(progress.quarantined)}};
    fmt::print(stderr, "{}\n", line.dump());
    return;
  }
  const bool in_place = form_ == Form::bar;
  fmt::print(stderr, "{}{}{}", in_place ? "\r\x1b[2K" : "", progress_text(progress, rate, left),
             in_place ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace bb5::cli
