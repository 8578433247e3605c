#pragma once

#include <vector>

#include "operations/migrate/batch_maker.hpp"
#include "ports/bank.hpp"

namespace bb5 {

/// A record whose identity is its content is the memory that the bank holds under it, whatever
/// else it says: takes such records out of the batch, as identical, with a remark.
[[nodiscard]] Result<> drop_held_by_content(const Bank& bank, PreparedBatch& batch);

/// What writing the batch with OnConflict::keep would do to each of its memories, facts or cached
/// vectors, in their order: inserted, identical, conflict (cached vectors: replaced). Writes
/// nothing.
[[nodiscard]] Result<std::vector<WriteAction>> foresee(const Bank& bank,
                                                       const PreparedBatch& batch);

/// The records of a batch that the bank would reject. actions: as foresee() gives them.
[[nodiscard]] std::vector<RejectedRecord> rejected_of(const PreparedBatch& batch,
                                                      const std::vector<WriteAction>& actions);

}  // namespace bb5
