#include "stores/embedded/merge_rows.hpp"

#include "stores/embedded/fact_rows.hpp"
#include "stores/embedded/graph_fold_rows.hpp"

namespace bb5::embedded {
namespace {

Result<> write(Connection& connection, const EntityMerges& merges) {
  BB5_TRY(connection.run("DELETE FROM merges"));
  BB5_TRY(connection.run("DELETE FROM merged_names"));
  for (const auto& [from, merge] : merges.all()) {
    BB5_TRY(connection.run("INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?)", from, merge.into_key,
                           merge.name, merge.reason, merge.at, merges.root(merge.into_key)));
  }
  for (const auto& [name, group] : merges.groups()) {
    BB5_TRY(connection.run("INSERT INTO merged_names VALUES (?, ?, ?)", name,
                           static_cast<std::int64_t>(group), merges.root_of_bare(name)));
  }
  return ok();
}

/// All relationships that use one of the names: where they lead may change without the name's own
/// meaning changing.
Result<> touch_edges(Connection& connection, const std::string& name, Touched& touched) {
  const auto take = [&](const Row& row) {
    touched.edges.emplace(row.string(0), row.string(1), row.string(2));
  };
  BB5_TRY(connection.each(
      "SELECT DISTINCT subject_name_key, predicate, object_name_key FROM relationship_facts "
      "WHERE subject_name_key = ?",
      take, name));
  return connection.each(
      "SELECT DISTINCT subject_name_key, predicate, object_name_key FROM relationship_facts "
      "WHERE object_name_key = ?",
      take, name);
}

Result<> replace(Connection& connection, const EntityMerges& before, const EntityMerges& after) {
  BB5_TRY(write(connection, after));
  auto stale = connection.integer("SELECT graph_stale FROM bank");
  if (!stale) return std::move(stale).error();
  if (*stale != 0) return fold_everything(connection);
  Touched touched;
  for (const std::string& name : names_touched(before, after)) {
    touched.described_names[name].some_removed = true;
    BB5_TRY(touch_edges(connection, name, touched));
  }
  return fold_touched(connection, touched);
}

}  // namespace

Result<std::vector<EntityMerge>> read_merges(Connection& connection) {
  std::vector<EntityMerge> merges;
  BB5_TRY(
      connection.each("SELECT from_key, into_key, name, reason, at FROM merges ORDER BY from_key",
                      [&](const Row& row) {
                        merges.push_back({.from_key = row.string(0),
                                          .into_key = row.string(1),
                                          .name = row.string(2),
                                          .reason = row.string(3),
                                          .at = row.maybe_time(4).value_or(Timestamp{})});
                      }));
  return merges;
}

Result<> add_merges(Connection& connection, std::span<const EntityMerge> merges) {
  auto held = read_merges(connection);
  if (!held) return std::move(held).error();
  const EntityMerges before(*held);
  auto all = with_merges(before, merges);
  if (!all) return std::move(all).error();
  if (all->size() == held->size()) return ok();
  return replace(connection, before, EntityMerges(*all));
}

Result<bool> remove_merge(Connection& connection, std::string_view from_key) {
  auto held = read_merges(connection);
  if (!held) return std::move(held).error();
  const EntityMerges before(*held);
  auto rest = without_merge(before, from_key);
  if (!rest) return std::move(rest).error();
  if (!*rest) return false;
  BB5_TRY(replace(connection, before, EntityMerges(**rest)));
  return true;
}

}  // namespace bb5::embedded
