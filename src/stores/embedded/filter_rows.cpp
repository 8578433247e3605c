#include "stores/embedded/filter_rows.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/string_list.hpp"

namespace bb5::embedded {
namespace {

/// Puts a condition together, each parameter numbered where it is named.
class Conditions {
 public:
  explicit Conditions(int first) : next_(first) {}

  /// sql: `{}` is the parameter's place, used once or more.
  void add(std::string_view sql, Values::value_type value) {
    condition_.sql += " AND " + fmt::format(fmt::runtime(sql), fmt::format("?{}", next_++));
    condition_.values.push_back(std::move(value));
  }
  /// sql: `{}` is the list of the texts. Without texts: no condition.
  void add_list(std::string_view sql, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    const std::string list = "(SELECT value FROM json_each({}))";
    add(fmt::format(fmt::runtime(sql), list), *write_string_list(texts));
  }
  void add_time(std::string_view sql, const std::optional<Timestamp>& time) {
    if (time) add(sql, std::int64_t{time->time_since_epoch().count()});
  }
  void add_number(std::string_view sql, const std::optional<double>& number) {
    if (number) add(sql, *number);
  }
  void add_kinds(const std::vector<MemoryKind>& kinds) {
    if (kinds.empty()) return;
    std::string list;
    for (const MemoryKind kind : kinds)
      list += fmt::format("{}{}", list.empty() ? "[" : ",", static_cast<int>(kind));
    add("m.kind IN (SELECT value FROM json_each({}))", list + "]");
  }
  [[nodiscard]] Condition take() && { return std::move(condition_); }

 private:
  int next_;
  Condition condition_;
};

}  // namespace

bool is_plain(const MemoryFilter& filter) {
  return filter == MemoryFilter{.networks = filter.networks,
                                .kinds = filter.kinds,
                                .valid_at = filter.valid_at};
}

Result<std::optional<std::vector<std::int64_t>>> labels_of(Connection& connection,
                                                           const MemoryFilter& filter) {
  if (filter.networks.empty() && filter.kinds.empty())
    return std::optional<std::vector<std::int64_t>>{};
  std::vector<std::int64_t> networks;
  BB5_TRY(connection.each("SELECT code, name FROM networks", [&](const Row& row) {
    const auto name = row.text(1);
    if (filter.networks.empty() ||
        std::find(filter.networks.begin(), filter.networks.end(), name) != filter.networks.end()) {
      networks.push_back(row.integer(0));
    }
  }));
  std::vector<std::int64_t> labels;
  for (const std::int64_t network : networks) {
    for (const MemoryKind kind :
         {MemoryKind::memory, MemoryKind::entity, MemoryKind::relationship}) {
      if (filter.kinds.empty() ||
          std::find(filter.kinds.begin(), filter.kinds.end(), kind) != filter.kinds.end()) {
        labels.push_back(label_of(network, kind));
      }
    }
  }
  std::sort(labels.begin(), labels.end());
  return std::optional(std::move(labels));
}

std::string valid_sql(std::string_view parameter) {
  return fmt::format(
      " AND ({0} IS NULL OR (coalesce(m.valid_from <= {0}, 1) AND coalesce(m.valid_until > {0}, "
      "1)))",
      parameter);
}

Result<NotValid> not_valid_at(Connection& connection, const std::optional<Timestamp>& moment,
                              const std::optional<std::vector<std::int64_t>>& labels) {
  NotValid found;
  if (!moment) return found;
  BB5_TRY(connection.each(
      "SELECT network * 4 + kind, vec_id FROM memories INDEXED BY memories_by_end "
      "WHERE valid_until <= ?1 UNION ALL "
      "SELECT network * 4 + kind, vec_id FROM memories INDEXED BY memories_by_beginning "
      "WHERE valid_from > ?1 AND (valid_until IS NULL OR valid_until > ?1)",
      [&](const Row& row) {
        if (labels && !std::binary_search(labels->begin(), labels->end(), row.integer(0))) return;
        ++found.memories;
        if (!row.is_null(1)) found.vec_ids.push_back(row.integer(1));
      },
      *moment));
  std::sort(found.vec_ids.begin(), found.vec_ids.end());
  return found;
}

Condition condition_of(const MemoryFilter& filter, int first) {
  const std::string confidence = fmt::format("coalesce(m.confidence, {})", unstated_confidence);
  Conditions conditions(first);
  conditions.add_list("m.network IN (SELECT code FROM networks WHERE name IN {})", filter.networks);
  conditions.add_kinds(filter.kinds);
  conditions.add_time("coalesce(m.valid_from <= {0}, 1) AND coalesce(m.valid_until > {0}, 1)",
                      filter.valid_at);
  conditions.add_list("m.category IN {}", filter.categories);
  conditions.add_list("m.source_type IN {}", filter.source_types);
  conditions.add_list("m.author IN {}", filter.authors);
  conditions.add_list("m.task IN {}", filter.tasks);
  conditions.add_list("m.seq IN (SELECT memory_seq FROM mention_facts WHERE name_key IN {})",
                      name_keys_of(filter.entities));
  conditions.add_number(confidence + " >= {}", filter.min_confidence);
  conditions.add_number(confidence + " <= {}", filter.max_confidence);
  conditions.add_time("m.created_at >= {}", filter.since);
  conditions.add_time("m.created_at < {}", filter.until);
  if (!filter.metadata.empty())
    conditions.add("has_members(m.metadata, {})", json::write_compact(filter.metadata));
  return std::move(conditions).take();
}

Result<> add_filter_functions(Connection& connection) {
  return connection.add_predicate(
      "has_members", [](std::string_view metadata, std::string_view wanted) {
        const auto object = json::parse_text(wanted);
        return object && object->object() != nullptr && has_members(metadata, *object->object());
      });
}

}  // namespace bb5::embedded
