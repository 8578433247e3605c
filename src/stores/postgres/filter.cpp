#include "stores/postgres/filter.hpp"

#include <fmt/format.h>

namespace bb5::postgres {

std::string FilterShape::sql(int first) const {
  std::string text;
  if (networks) text += fmt::format(" AND m.network = ANY(${})", first++);
  if (kinds) text += fmt::format(" AND m.kind = ANY(${})", first++);
  return text;
}

void add_filter(Params& params, const MemoryFilter& filter) {
  if (!filter.networks.empty()) params.texts(filter.networks);
  if (filter.kinds.empty()) return;
  std::vector<std::int16_t> kinds;
  for (const MemoryKind kind : filter.kinds) kinds.push_back(static_cast<std::int16_t>(kind));
  params.int2s(kinds);
}

}  // namespace bb5::postgres
