#include "stores/postgres/filter.hpp"

#include <fmt/format.h>

namespace bb5::postgres {

std::string FilterShape::sql(int first) const {
  std::string text;
  if (networks) text += fmt::format(" AND m.network = ANY(${})", first++);
  if (kinds) text += fmt::format(" AND m.kind = ANY(${})", first++);
  if (validity) {
    text += fmt::format(
        " AND (m.valid_from IS NULL OR m.valid_from <= ${0})"
        " AND (m.valid_until IS NULL OR m.valid_until > ${0})",
        first++);
  }
  return text;
}

void add_filter(Params& params, const MemoryFilter& filter) {
  if (!filter.networks.empty()) params.texts(filter.networks);
  if (!filter.kinds.empty()) {
    std::vector<std::int16_t> kinds;
    for (const MemoryKind kind : filter.kinds) kinds.push_back(static_cast<std::int16_t>(kind));
    params.int2s(kinds);
  }
  if (filter.valid_at) params.timestamptz(*filter.valid_at);
}

}  // namespace bb5::postgres
