#pragma once

#include "base/result.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/fact_rows.hpp"

/// The fold of model/graph.hpp over tables. Works on what a transaction touched, or on everything,
/// by the same statements; rows that come out as they were keep their revision.
namespace bb5::embedded {

/// Makes the temporary tables that the fold works in; once for each writing connection.
Result<> prepare_fold(Connection& connection);

/// Within a write transaction: the next fold queues the memory's mentions once more, though they
/// stay as they are, because a projection shows something else of the memory that has changed.
/// Marked by rev 0.
Result<> project_anew(Connection& connection, std::int64_t memory_seq);

/// Within a write transaction that changed facts.
Result<> fold_touched(Connection& connection, const Touched& touched);

/// Within a write transaction. Also mends rows that no fact accounts for. touched: knows the ids of
/// memories that the transaction erased.
Result<> fold_everything(Connection& connection, const Touched& touched = {});

}  // namespace bb5::embedded
