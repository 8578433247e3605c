#pragma once

#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "operations/migrate/verification.hpp"
#include "ports/bank.hpp"

namespace bb5 {

/// Told now and then how many memories are done; returning false stops with `cancelled`.
using CopyProgress = std::function<bool(std::int64_t memories)>;

/// Copies all that a bank is the record of (memories in their order, facts, retained documents,
/// merges, cached vectors, vectors of other models, embedder, the ledger of its migrations) into an
/// empty bank of any store, and folds the graph there. What is derived is derived anew. Errors:
/// conflict when `to` is not empty; those of both banks.
[[nodiscard]] Result<std::int64_t> copy_bank(const Bank& from, Bank& to,
                                             const CopyProgress& progress);

/// Everything in which the second bank differs from the first: memories field by field and bit by
/// bit, their order, facts, retained documents, merges, cached vectors, graph tables. At most
/// 1,000.
[[nodiscard]] Result<std::vector<Difference>> compare_banks(const Bank& left, const Bank& right,
                                                            const CopyProgress& progress);

}  // namespace bb5
