#include "operations/graph/relay.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <span>
#include <thread>
#include <tuple>
#include <utility>

#include "operations/graph/compare.hpp"

namespace bb5 {
namespace {

/// Whether smaller batches may do better: an error that is no fault of the rows is everybody's.
bool lies_in_rows(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::conflict:
    case Errc::corrupt:
    case Errc::internal:
      return true;
    case Errc::not_found:
    case Errc::locked:
    case Errc::refused:
    case Errc::unavailable:
    case Errc::unsupported:
    case Errc::out_of_space:
    case Errc::cancelled:
      return false;
  }
  return false;
}

class Relay {
 public:
  Relay(EntityRecord& record, GraphProjection& projection, const RelayOptions& options)
      : record_(record),
        projection_(projection),
        options_(options),
        random_(options.seed != 0 ? options.seed : std::random_device{}()) {
    if (options_.batch == 0) options_.batch = 1;
    if (!options_.sleep)
      options_.sleep = [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); };
    if (!options_.clock) options_.clock = [] { return std::chrono::steady_clock::now(); };
  }

  Result<RelayReport> run() {
    last_progress_ = options_.clock();
    while (!report_.stopped_by) {
      // The outbox gives its first rows: the poison of this run comes again each time.
      auto pending = record_.pending_changes(options_.batch + poison_.size());
      if (!pending) return std::move(pending).error();
      std::erase_if(*pending,
                    [this](const GraphChange& change) { return poison_.contains(name(change)); });
      if (pending->empty()) break;
      BB5_TRY(apply_all(*pending));
    }
    return std::move(report_);
  }

 private:
  using Name = std::tuple<GraphChange::Kind, std::string, std::int64_t>;
  static Name name(const GraphChange& change) { return {change.kind, key_of(change), change.rev}; }

  /// Applies and marks, in halves where the whole is refused.
  Result<> apply_all(std::span<const GraphChange> changes) {
    std::vector<std::span<const GraphChange>> pieces{changes};
    while (!pieces.empty() && !report_.stopped_by) {
      const auto piece = pieces.back();
      pieces.pop_back();
      auto applied = projection_.apply(piece);
      if (applied) {
        BB5_TRY(record_.mark_applied(piece));
        report_.applied += static_cast<std::int64_t>(piece.size());
        ++report_.batches;
        note_progress();
        continue;
      }
      const Error error = std::move(applied).error();
      if (error.retryable()) {
        wait_for_projection(error);
        // The reason may be the size of the batch, too large for the server's memory or time.
        add_halves(pieces, piece);
      } else if (!lies_in_rows(error.code)) {
        report_.stopped_by = error;
      } else if (piece.size() > 1) {
        add_halves(pieces, piece);
      } else {
        add_poison(piece.front(), error);
      }
    }
    return ok();
  }

  static void add_halves(std::vector<std::span<const GraphChange>>& pieces,
                         std::span<const GraphChange> piece) {
    const std::size_t half = piece.size() / 2;
    pieces.push_back(piece.subspan(half));
    if (half > 0) pieces.push_back(piece.first(half));  // The last in is the next: order is kept.
  }

  void add_poison(const GraphChange& change, const Error& error) {
    poison_.insert(name(change));
    report_.poison.push_back(
        {.kind = change.kind, .key = key_of(change), .rev = change.rev, .error = error});
    if (report_.poison.size() > options_.poison_allowed)
      report_.stopped_by = error;
    else
      note_progress();
  }

  void note_progress() {
    last_progress_ = options_.clock();
    pause_ = options_.first_pause;
    tell(false);
  }

  void tell(bool waiting) {
    const RelayProgress progress{.applied = report_.applied,
                                 .poisoned = static_cast<std::int64_t>(report_.poison.size()),
                                 .waiting = waiting};
    if (options_.progress && !options_.progress(progress) && !report_.stopped_by)
      report_.stopped_by = Error{.code = Errc::cancelled, .message = "the relay was cancelled"};
  }

  /// Sleeps, or sets stopped_by when it has been too long already.
  void wait_for_projection(const Error& error) {
    ++report_.attempts_failed;
    const auto pause = std::clamp(pause_, std::chrono::milliseconds{1}, options_.longest_pause);
    if (options_.clock() - last_progress_ + pause > options_.give_up_after) {
      report_.stopped_by = error;
      return;
    }
    tell(true);
    if (report_.stopped_by) return;
    std::uniform_int_distribution<std::int64_t> chance(0, pause.count() / 2);
    options_.sleep(pause - std::chrono::milliseconds(chance(random_)));
    pause_ = pause * 2;
  }

  EntityRecord& record_;
  GraphProjection& projection_;
  RelayOptions options_;
  std::mt19937_64 random_;
  std::chrono::steady_clock::time_point last_progress_{};
  std::chrono::milliseconds pause_{options_.first_pause};
  std::set<Name> poison_;
  RelayReport report_;
};

}  // namespace

Result<RelayReport> drain_outbox(EntityRecord& record, GraphProjection& projection,
                                 const RelayOptions& options) {
  auto lock = record.lock_relay();
  if (!lock) return std::move(lock).error();
  return Relay(record, projection, options).run();
}

Result<RelayReport> rebuild_projection(EntityRecord& record, GraphProjection& projection,
                                       const RelayOptions& options) {
  // Throughout: a relay between the two steps would mark as applied what clear() then removes.
  auto lock = record.lock_relay();
  if (!lock) return std::move(lock).error();
  BB5_TRY(projection.prepare());
  BB5_TRY(record.requeue_all());
  BB5_TRY(projection.clear());
  return Relay(record, projection, options).run();
}

Result<RepairReport> repair_projection(EntityRecord& record, GraphProjection& projection,
                                       const RelayOptions& options) {
  auto lock = record.lock_relay();
  if (!lock) return std::move(lock).error();
  RepairReport report;
  BB5_TRY(projection.prepare());
  auto drained = Relay(record, projection, options).run();
  if (!drained) return std::move(drained).error();
  report.relay = *std::move(drained);
  if (report.relay.stopped_by) return report;

  std::vector<GraphChange> extra;
  CompareOptions compare{.limit = 0};
  compare.extra = [&](const GraphChange& change) -> Result<> {
    extra.push_back(change);
    ++report.removed;
    if (extra.size() < options.batch) return ok();
    return projection.apply(std::exchange(extra, {}));
  };
  auto before = compare_graphs(record, projection, compare);
  if (!before) return std::move(before).error();
  BB5_TRY(projection.apply(extra));
  report.differences = before->found;
  if (before->equal()) return report;

  if (before->found > report.removed) {
    BB5_TRY(record.requeue_all());
    drained = Relay(record, projection, options).run();
    if (!drained) return std::move(drained).error();
    report.relay = *std::move(drained);
  }
  auto after = compare_graphs(record, projection, {.limit = 0});
  if (!after) return std::move(after).error();
  report.remaining = after->found;
  return report;
}

}  // namespace bb5
