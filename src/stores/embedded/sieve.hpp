#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "model/memory_filter.hpp"
#include "stores/embedded/connection.hpp"

namespace bb5::embedded {

/// Which vectors a search looks at, as the transaction of the search sees it: by their labels, less
/// those of memories that are not valid at the moment asked about; or, where the filter says more
/// than that, those that are listed.
struct Sieve {
  std::optional<std::vector<std::int64_t>> labels;  // ascending
  std::vector<std::int64_t> left_out;               // vec_ids, ascending
  std::optional<std::vector<std::int64_t>> listed;  // vec_ids, ascending

  [[nodiscard]] bool leaves_out(std::int64_t vec_id) const;
  [[nodiscard]] bool lets_through(std::int64_t vec_id, std::int64_t label) const;
};

/// Takes as long as there are memories that are not valid; where the filter says more than labels
/// and validity, a look at all memories that no index rules out.
Result<Sieve> sieve_of(Connection& connection, const MemoryFilter& filter);

/// How many vectors it lets through.
Result<std::int64_t> count_vectors(Connection& connection, const Sieve& sieve);

}  // namespace bb5::embedded
