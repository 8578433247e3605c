#include "stores/postgres/merge_record.hpp"

#include "stores/postgres/graph_rows.hpp"

namespace bb5::postgres {
namespace {

std::vector<EntityMerge> merges_from(const Rows& rows) {
  return rows.collect([&](int row) {
    return EntityMerge{.from_key = rows.text(row, 0),
                       .into_key = rows.text(row, 1),
                       .name = rows.text(row, 2),
                       .reason = rows.text(row, 3),
                       .at = rows.optional_timestamptz(row, 4).value_or(Timestamp{})};
  });
}

std::vector<KeptApart> apart_from(const Rows& rows) {
  return rows.collect([&](int row) {
    return KeptApart{.a = rows.text(row, 0),
                     .b = rows.text(row, 1),
                     .reason = rows.text(row, 2),
                     .at = rows.optional_timestamptz(row, 3).value_or(Timestamp{})};
  });
}

Params row_of(const EntityMerge& merge, const EntityMerges& merges) {
  const std::string root = merges.root(merge.into_key);
  Params params;
  params.uuid(text_id(merge.from_key))
      .text(merge.from_key)
      .text(merge.into_key)
      .text(merge.name)
      .text(merge.reason)
      .timestamptz(merge.at)
      .uuid(text_id(root))
      .text(root)
      .uuid(text_id(name_of_key(root)))
      .uuid(text_id(name_of_key(merge.from_key)))
      .boolean(is_alias_key(merge.from_key))
      .boolean(EntityMerges::leads_bare_names(merge));
  return params;
}

Params row_of(const std::string& name, std::size_t group, const EntityMerges& merges) {
  const std::string root = merges.root_of_bare(name);
  Params params;
  params.uuid(text_id(name))
      .int8(static_cast<std::int64_t>(group))
      .uuid(text_id(root))
      .text(root)
      .uuid(text_id(name_of_key(root)));
  return params;
}

}  // namespace

MergeRecord::MergeRecord(const Database& database, const GraphFold& fold)
    : database_(database),
      fold_(fold),
      read_(database.names().sql(
          "SELECT from_key, into_key, name, reason, at FROM {bank}.merges ORDER BY from_key")),
      clear_(database.names().sql("DELETE FROM {bank}.merges")),
      clear_names_(database.names().sql("DELETE FROM {bank}.merged_names")),
      insert_(database.names().sql("INSERT INTO {bank}.merges VALUES ($1, $2, $3, $4, $5, $6, $7, "
                                   "$8, $9, $10, $11, $12)")),
      insert_names_(
          database.names().sql("INSERT INTO {bank}.merged_names VALUES ($1, $2, $3, $4, $5)")),
      read_apart_(
          database.names().sql("SELECT a, b, reason, at FROM {bank}.kept_apart ORDER BY a, b")),
      clear_apart_(database.names().sql("DELETE FROM {bank}.kept_apart")),
      insert_apart_(
          database.names().sql("INSERT INTO {bank}.kept_apart VALUES ($1, $2, $3, $4, $5, $6)")),
      read_mark_(database.names().sql("SELECT resolved_rev, (SELECT coalesce(max(rev), 0) FROM "
                                      "{bank}.entities) FROM {bank}.bank_info")),
      move_mark_(database.names().sql(
          "UPDATE {bank}.bank_info SET resolved_rev = greatest(resolved_rev, $1)")) {}

Result<std::vector<EntityMerge>> MergeRecord::all() const {
  auto rows = database_.read("read merges", read_);
  if (!rows) return std::move(rows).error();
  return merges_from(*rows);
}

Result<MergeRecord::Held> MergeRecord::lock_and_read(Transaction& transaction) const {
  transaction.number_with_next_run();
  BB5_TRY(fold_.lock(transaction));
  const Command commands[] = {{read_}, {read_apart_}};
  auto rows = transaction.run(commands);
  if (!rows) return std::move(rows).error();
  return Held{merges_from((*rows)[0]), apart_from((*rows)[1])};
}

Result<> MergeRecord::add(std::span<const EntityMerge> merges) const {
  return database_.transact<std::monostate>("merge entities",
                                            [&](Transaction& transaction) -> Result<> {
                                              auto held = lock_and_read(transaction);
                                              if (!held) return std::move(held).error();
                                              return add(transaction, *held, merges);
                                            });
}

Result<> MergeRecord::add(Transaction& transaction, const Held& held,
                          std::span<const EntityMerge> merges) const {
  const EntityMerges before(held.merges);
  auto all = with_merges(before, merges);
  if (!all) return std::move(all).error();
  const EntityMerges after(*all);
  const std::vector<KeptApart> apart = still_apart(held.apart, after);
  if (apart.size() != held.apart.size()) BB5_TRY(write_apart(transaction, apart));
  if (all->size() == held.merges.size()) return ok();
  return replace(transaction, before, after);
}

Result<bool> MergeRecord::remove(std::string_view from_key) const {
  return database_.transact<bool>("split an entity", [&](Transaction& transaction) -> Result<bool> {
    auto held = lock_and_read(transaction);
    if (!held) return std::move(held).error();
    const EntityMerges before(held->merges);
    auto rest = without_merge(before, from_key);
    if (!rest) return std::move(rest).error();
    if (!*rest) return false;
    BB5_TRY(replace(transaction, before, EntityMerges(**rest)));
    return true;
  });
}

Result<std::vector<KeptApart>> MergeRecord::apart() const {
  auto rows = database_.read("read what is kept apart", read_apart_);
  if (!rows) return std::move(rows).error();
  return apart_from(*rows);
}

Result<> MergeRecord::add_apart(std::span<const KeptApart> pairs) const {
  return database_.transact<std::monostate>("keep entities apart",
                                            [&](Transaction& transaction) -> Result<> {
                                              auto held = lock_and_read(transaction);
                                              if (!held) return std::move(held).error();
                                              auto all = with_apart(held->apart, pairs);
                                              if (!all) return std::move(all).error();
                                              return write_apart(transaction, *all);
                                            });
}

Result<bool> MergeRecord::remove_apart(std::string_view key, std::string_view other) const {
  return database_.transact<bool>("keep entities apart no more",
                                  [&](Transaction& transaction) -> Result<bool> {
                                    auto held = lock_and_read(transaction);
                                    if (!held) return std::move(held).error();
                                    if (!remove_pair(held->apart, key, other)) return false;
                                    BB5_TRY(write_apart(transaction, held->apart));
                                    return true;
                                  });
}

Result<> MergeRecord::write_apart(Transaction& transaction,
                                  std::span<const KeptApart> pairs) const {
  std::vector<Command> commands;
  commands.push_back({clear_apart_});
  for (const KeptApart& pair : pairs) {
    Params params;
    params.uuid(text_id(pair.a))
        .uuid(text_id(pair.b))
        .text(pair.a)
        .text(pair.b)
        .text(pair.reason)
        .timestamptz(pair.at);
    commands.push_back({insert_apart_, std::move(params)});
  }
  auto written = transaction.run(commands);
  if (!written) return std::move(written).error();
  return ok();
}

Result<ResolvedMark> MergeRecord::resolved_mark() const {
  auto rows = database_.read("read how far entities are resolved", read_mark_);
  if (!rows) return std::move(rows).error();
  return ResolvedMark{.up_to = rows->int8(0, 0), .latest = rows->int8(0, 1)};
}

Result<std::vector<EntityMerge>> MergeRecord::add_resolved(std::span<const EntityMerge> merges,
                                                           std::int64_t up_to) const {
  if (merges.empty()) {
    auto moved =
        database_.read("note how far entities are resolved", move_mark_, Params().int8(up_to));
    if (!moved) return std::move(moved).error();
    return std::vector<EntityMerge>{};
  }
  return database_.transact<std::vector<EntityMerge>>(
      "merge entities", [&](Transaction& transaction) -> Result<std::vector<EntityMerge>> {
        auto held = lock_and_read(transaction);
        if (!held) return std::move(held).error();
        std::vector<EntityMerge> accepted =
            mergeable(EntityMerges(held->merges), merges, held->apart);
        if (!accepted.empty()) BB5_TRY(add(transaction, *held, accepted));
        auto moved = transaction.run(move_mark_, Params().int8(up_to));
        if (!moved) return std::move(moved).error();
        return accepted;
      });
}

Result<> MergeRecord::replace(Transaction& transaction, const EntityMerges& before,
                              const EntityMerges& after) const {
  std::vector<Command> commands;
  commands.push_back({clear_});
  commands.push_back({clear_names_});
  for (const auto& [from, merge] : after.all()) commands.push_back({insert_, row_of(merge, after)});
  for (const auto& [name, group] : after.groups())
    commands.push_back({insert_names_, row_of(name, group, after)});
  BB5_TRY(transaction.run(commands));
  Touched touched;
  for (const std::string& name : names_touched(before, after)) {
    touched.names.push_back(text_id(name));
    touched.moved_names.push_back(text_id(name));
  }
  return fold_.fold(transaction, touched);
}

}  // namespace bb5::postgres
