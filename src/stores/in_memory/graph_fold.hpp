#pragma once

#include "stores/in_memory/state.hpp"

namespace bb5::in_memory {

/// Folds the graph anew from all that the bank holds: rows that come out otherwise than they were
/// get the next revision and go into the outbox, as do those that are gone.
void fold_everything(State& state);

}  // namespace bb5::in_memory
