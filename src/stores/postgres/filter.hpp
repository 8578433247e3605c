#pragma once

#include <string>

#include "ports/memory_store.hpp"
#include "stores/postgres/connection.hpp"

namespace bb5::postgres {

/// Which parts of a filter restrict anything. Each shape has its own statement, so that the planner
/// sees no condition that is none.
struct FilterShape {
  explicit FilterShape(const MemoryFilter& filter)
      : FilterShape(!filter.networks.empty(), !filter.kinds.empty(), filter.valid_at.has_value()) {}
  FilterShape(bool by_networks, bool by_kinds, bool by_validity)
      : networks(by_networks), kinds(by_kinds), validity(by_validity) {}

  static constexpr int count = 8;
  static FilterShape at(int number) {
    return {(number & 1) != 0, (number & 2) != 0, (number & 4) != 0};
  }
  [[nodiscard]] int number() const {
    return (networks ? 1 : 0) | (kinds ? 2 : 0) | (validity ? 4 : 0);
  }

  /// ` AND m.network = ANY($n)` …, its parameters numbered from `first`.
  [[nodiscard]] std::string sql(int first) const;
  bool networks;
  bool kinds;
  bool validity;
};

/// Adds the filter's parameters, in the order of FilterShape::sql.
void add_filter(Params& params, const MemoryFilter& filter);

}  // namespace bb5::postgres
