#include "stores/postgres/filter.hpp"

#include <fmt/format.h>

#include "stores/postgres/graph_rows.hpp"
#include "stores/postgres/jsonb_text.hpp"

namespace bb5::postgres {
namespace {

/// Puts a condition together, each parameter numbered where it is named.
class Conditions {
 public:
  explicit Conditions(int first) : next_(first) {}

  /// sql: `{0}` is the first new parameter, `{1}` the next.
  Params& add(std::string_view sql, int parameters = 1) {
    condition_.sql += " AND " + fmt::format(fmt::runtime(sql), fmt::format("${}", next_),
                                            fmt::format("${}", next_ + 1));
    next_ += parameters;
    return condition_.params;
  }
  void add_list(std::string_view sql, const std::vector<std::string>& texts) {
    if (!texts.empty()) add(sql).texts(texts);
  }
  void add_time(std::string_view sql, const std::optional<Timestamp>& time) {
    if (time) add(sql).timestamptz(*time);
  }
  void add_number(std::string_view sql, const std::optional<double>& number) {
    if (number) add(sql).float8(*number);
  }
  void add_kinds(const std::vector<MemoryKind>& kinds) {
    if (kinds.empty()) return;
    std::vector<std::int16_t> numbers;
    for (const MemoryKind kind : kinds) numbers.push_back(static_cast<std::int16_t>(kind));
    add("m.kind = ANY({0})").int2s(numbers);
  }
  void add_entities(const std::vector<std::string>& names) {
    if (names.empty()) return;
    std::vector<Uuid> ids;
    for (const std::string& name : names) {
      if (const auto of_name = name_ids(name)) ids.push_back(of_name->name_id);
    }
    add("m.id IN (SELECT f.memory_id FROM {{bank}}.mention_facts f WHERE f.name_id = ANY({0}))")
        .uuids(ids);
  }
  void add_metadata(const json::Object& members) {
    for (const auto& [key, value] : members.members()) {
      const auto json = to_jsonb(json::write_compact(value)).text;
      if (json) {
        add("m.metadata -> {0} = {1}", 2).text(key).jsonb(*json);
      } else {  // more than jsonb can hold: nothing is equal to it there
        condition_.sql += " AND FALSE";
      }
    }
  }
  [[nodiscard]] Condition take() && { return std::move(condition_); }

 private:
  int next_;
  Condition condition_;
};

}  // namespace

Condition condition_of(const MemoryFilter& filter, int first) {
  const std::string confidence = fmt::format("coalesce(m.confidence, {})", unstated_confidence);
  Conditions conditions(first);
  conditions.add_list("m.network = ANY({0})", filter.networks);
  conditions.add_kinds(filter.kinds);
  conditions.add_time(
      "(m.valid_from IS NULL OR m.valid_from <= {0})"
      " AND (m.valid_until IS NULL OR m.valid_until > {0})",
      filter.valid_at);
  conditions.add_list("m.category = ANY({0})", filter.categories);
  conditions.add_list("m.source_type = ANY({0})", filter.source_types);
  conditions.add_list("m.author = ANY({0})", filter.authors);
  // What the index memories_task holds comes first; a text may be longer than it can be there.
  conditions.add_list(
      "left(m.metadata ->> 'task_id', 200) = ANY(ARRAY(SELECT left(t, 200) FROM unnest({0}) t))"
      " AND m.metadata -> 'task_id' = ANY(ARRAY(SELECT to_jsonb(t) FROM unnest({0}) t))",
      filter.tasks);
  conditions.add_entities(filter.entities);
  conditions.add_number(confidence + " >= {0}", filter.min_confidence);
  conditions.add_number(confidence + " <= {0}", filter.max_confidence);
  conditions.add_time("m.created_at >= {0}", filter.since);
  conditions.add_time("m.created_at < {0}", filter.until);
  conditions.add_metadata(filter.metadata);
  return std::move(conditions).take();
}

}  // namespace bb5::postgres
