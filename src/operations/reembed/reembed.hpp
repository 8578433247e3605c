#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/result.hpp"
#include "ports/bank.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

struct ReembedProgress {
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< Those that waited when it began.
};

struct ReembedOptions {
  std::size_t batch = 128;  ///< Memories that are embedded together and written in one transaction.
  /// Called after each batch; returning false stops there.
  std::function<bool(const ReembedProgress&)> progress = {};
};

struct ReembedReport {
  std::int64_t waiting = 0;      ///< When it began.
  std::int64_t embedded = 0;     ///< Have their vector now.
  std::int64_t from_cache = 0;   ///< Of these, by a vector that the bank had seen before.
  std::int64_t passed_over = 0;  ///< Changed, erased or embedded by others meanwhile.
  bool stopped = false;          ///< By `progress`: the same call goes on.
};

/// Gives every memory that needs embedding (kind memory, vector_state other than indexed) the
/// vector of its content, by the embedder, which a bank without one records. What is done stays
/// done, whatever ends it; several may be at it at once, and nobody is kept from writing. A memory
/// that changes meanwhile waits for the next pass.
/// Errors: conflict (the bank keeps to another embedder), those of the embedder and of the bank.
[[nodiscard]] Result<ReembedReport> embed_missing(Bank& bank, Embedder& embedder,
                                                  const ReembedOptions& options = {});

}  // namespace bb5
