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

Result<> write(Connection& connection, std::span<const KeptApart> pairs) {
  BB5_TRY(connection.run("DELETE FROM kept_apart"));
  for (const KeptApart& pair : pairs) {
    BB5_TRY(connection.run("INSERT INTO kept_apart VALUES (?, ?, ?, ?)", pair.a, pair.b,
                           pair.reason, pair.at));
  }
  return ok();
}

/// What was made one is no longer kept apart.
Result<> drop_what_is_one(Connection& connection, const EntityMerges& merges) {
  auto held = read_kept_apart(connection);
  if (!held) return std::move(held).error();
  const std::vector<KeptApart> rest = still_apart(*held, merges);
  return rest.size() == held->size() ? ok() : write(connection, rest);
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

/// Those of the merges that can be recorded.
Result<std::vector<EntityMerge>> record_resolved(Connection& connection,
                                                 std::span<const EntityMerge> merges) {
  auto held = read_merges(connection);
  if (!held) return std::move(held).error();
  auto apart = read_kept_apart(connection);
  if (!apart) return std::move(apart).error();
  std::vector<EntityMerge> accepted = mergeable(EntityMerges(*held), merges, *apart);
  if (!accepted.empty()) BB5_TRY(add_merges(connection, accepted));
  return accepted;
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
  const EntityMerges after(*all);
  BB5_TRY(drop_what_is_one(connection, after));
  if (all->size() == held->size()) return ok();
  return replace(connection, before, after);
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

Result<std::vector<KeptApart>> read_kept_apart(Connection& connection) {
  std::vector<KeptApart> pairs;
  BB5_TRY(
      connection.each("SELECT a, b, reason, at FROM kept_apart ORDER BY a, b", [&](const Row& row) {
        pairs.push_back({.a = row.string(0),
                         .b = row.string(1),
                         .reason = row.string(2),
                         .at = row.maybe_time(3).value_or(Timestamp{})});
      }));
  return pairs;
}

Result<> add_kept_apart(Connection& connection, std::span<const KeptApart> pairs) {
  auto held = read_kept_apart(connection);
  if (!held) return std::move(held).error();
  auto all = with_apart(*held, pairs);
  if (!all) return std::move(all).error();
  return write(connection, *all);
}

Result<bool> remove_kept_apart(Connection& connection, std::string_view key,
                               std::string_view other) {
  auto held = read_kept_apart(connection);
  if (!held) return std::move(held).error();
  if (!remove_pair(*held, key, other)) return false;
  BB5_TRY(write(connection, *held));
  return true;
}

Result<ResolvedMark> read_resolved_mark(Connection& connection) {
  ResolvedMark mark;
  BB5_TRY(connection.each("SELECT resolved_rev, graph_rev FROM bank", [&](const Row& row) {
    mark = {.up_to = row.integer(0), .latest = row.integer(1)};
  }));
  return mark;
}

Result<std::vector<EntityMerge>> add_resolved_merges(Connection& connection,
                                                     std::span<const EntityMerge> merges,
                                                     std::int64_t up_to) {
  std::vector<EntityMerge> accepted;
  if (!merges.empty()) {
    auto recorded = record_resolved(connection, merges);
    if (!recorded) return std::move(recorded).error();
    accepted = *std::move(recorded);
  }
  BB5_TRY(connection.run("UPDATE bank SET resolved_rev = max(resolved_rev, ?)", up_to));
  return accepted;
}

}  // namespace bb5::embedded
