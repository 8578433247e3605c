#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/memory.hpp"

namespace bb5 {

struct StatementKey {
  MemoryId memory;
  std::int64_t key = 0;
  bool operator==(const StatementKey&) const = default;
};

/// Finds memories by a number that stands for the words of what they say (statement_key() of
/// operations/retain): equal for all that may say the same. RETAIN fills it and asks it. It is
/// derived, and it may lack a memory, or hold one under a number that its content has no more: who
/// asks compares the contents. Only memories of kind memory are in it. Threads and common errors as
/// MemoryStore.
class StatementIndex {
 public:
  virtual ~StatementIndex() = default;

  /// Memories that came by other ways and are not in the index, oldest first, without embeddings.
  struct Missing {
    std::vector<Memory> memories;
    std::int64_t after = 0;  ///< Of this seq and before, all are in it.
    std::int64_t up_to = 0;  ///< So far this will be so when these are.
  };
  /// At most `limit`. A memory that another process commits meanwhile under an earlier seq may be
  /// missed.
  virtual Result<Missing> missing_statements(std::size_t limit) const = 0;

  /// Puts memories in, in the place of what the index has of them, and notes that none is missing
  /// up to that seq. Memories that are gone are left out.
  virtual Result<> index_statements(std::span<const StatementKey> entries, std::int64_t up_to) = 0;

  /// All in the index under one of these numbers, in no order.
  virtual Result<std::vector<StatementKey>> statements(
      std::span<const std::int64_t> keys) const = 0;
};

}  // namespace bb5
