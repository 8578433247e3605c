#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/entity_graph.hpp"

namespace bb5 {

struct RelayProgress {
  std::int64_t applied = 0;
  std::int64_t poisoned = 0;
  bool waiting = false;  ///< The projection is away; the relay tries again.
};

struct RelayOptions {
  std::size_t batch = 2'000;  ///< Changes in one transaction of the projection, at most.
  /// Between two attempts while the projection is away: doubled each time, half of it chance.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{5'000};
  /// Attempts without progress end after this; 0: the first one is the last.
  std::chrono::milliseconds give_up_after{30'000};
  /// More rows than this that the projection refuses one by one: the fault is not in the rows.
  std::size_t poison_allowed = 100;
  /// Called after every batch and before every pause; false ends the run, what is left stays in the
  /// outbox.
  std::function<bool(const RelayProgress&)> progress = {};

  std::function<void(std::chrono::milliseconds)> sleep = {};          ///< Empty: the thread sleeps.
  std::function<std::chrono::steady_clock::time_point()> clock = {};  ///< Empty: the system's.
  std::uint64_t seed = 0;                                             ///< 0: from the system.
};

/// A row that the projection refuses. It stays in the outbox, and the next run tries it again.
struct PoisonRow {
  GraphChange::Kind kind = GraphChange::Kind::entity;
  std::string key;
  std::int64_t rev = 0;
  Error error;
};

struct RelayReport {
  std::int64_t applied = 0;  ///< Changes applied and marked.
  std::int64_t batches = 0;
  std::int64_t attempts_failed = 0;  ///< For want of the projection.
  std::vector<PoisonRow> poison;
  /// Why changes are left in the outbox; none: it is empty but for the poison.
  std::optional<Error> stopped_by;
};

/// Applies what is in the record's outbox to the projection until nothing is left. The one relay of
/// the bank: its lock is held throughout. May be killed at any point: a change that was applied and
/// not yet marked is applied once more, which is harmless.
/// Where the projection refuses a batch for a reason that lies in its rows, the batch is halved
/// until the row is found; the others are applied. A projection that is away is waited for.
/// Errors: locked (another relay is at work); those of the record. What the projection says is in
/// the report.
[[nodiscard]] Result<RelayReport> drain_outbox(EntityRecord& record, GraphProjection& projection,
                                               const RelayOptions& options = {});

/// Empties the projection and fills it anew from the record. Puts all rows into the outbox before
/// it removes any: after a kill the next drain_outbox() completes the work. Errors: as
/// drain_outbox(), and those of prepare() and clear().
[[nodiscard]] Result<RelayReport> rebuild_projection(EntityRecord& record,
                                                     GraphProjection& projection,
                                                     const RelayOptions& options = {});

struct RepairReport {
  std::int64_t differences = 0;  ///< Found before.
  std::int64_t removed = 0;      ///< Rows that only the projection had.
  std::int64_t remaining = 0;    ///< Found after: these need rebuild_projection().
  RelayReport relay;
};

/// Makes the projection equal to the record: removes the rows that only the projection has and
/// applies all rows of the record again. Cheap where there is no difference.
/// Errors: as drain_outbox(); those of the projection.
[[nodiscard]] Result<RepairReport> repair_projection(EntityRecord& record,
                                                     GraphProjection& projection,
                                                     const RelayOptions& options = {});

}  // namespace bb5
