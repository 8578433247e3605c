#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/memory_filter.hpp"
#include "stores/embedded/connection.hpp"

/// A filter as the database understands it. Network, kind and validity have their own ways, since
/// they alone are asked for most of the time; whatever else a filter says is a condition.
namespace bb5::embedded {

/// True when networks, kinds and validity are all that the filter speaks of.
[[nodiscard]] bool is_plain(const MemoryFilter& filter);

/// The labels (network * 4 + kind) that the filter lets through, ascending; nothing: all.
Result<std::optional<std::vector<std::int64_t>>> labels_of(Connection& connection,
                                                           const MemoryFilter& filter);

/// ` AND …`: memory `m` is valid at the moment that `parameter` (`?3`) holds; NULL: whenever it is.
[[nodiscard]] std::string valid_sql(std::string_view parameter);

/// The memories with these labels that are not valid at a moment.
struct NotValid {
  std::int64_t memories = 0;
  std::vector<std::int64_t> vec_ids;  ///< Of those with an indexed vector, ascending.
};
Result<NotValid> not_valid_at(Connection& connection, const std::optional<Timestamp>& moment,
                              const std::optional<std::vector<std::int64_t>>& labels);

/// ` AND …` for memory `m`, and what its parameters hold.
struct Condition {
  std::string sql;
  Values values;
};
/// All of the filter. Its parameters are numbered from `first`; its text depends on which parts the
/// filter has, not on what they say, so that statements are prepared once.
[[nodiscard]] Condition condition_of(const MemoryFilter& filter, int first);

/// Makes SQL's `has_members(metadata, wanted)` known: model/memory_filter.hpp, `wanted` as JSON.
Result<> add_filter_functions(Connection& connection);

}  // namespace bb5::embedded
