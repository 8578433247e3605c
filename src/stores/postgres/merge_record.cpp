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
          database.names().sql("INSERT INTO {bank}.merged_names VALUES ($1, $2, $3, $4, $5)")) {}

Result<std::vector<EntityMerge>> MergeRecord::all() const {
  auto rows = database_.read("read merges", read_);
  if (!rows) return std::move(rows).error();
  return merges_from(*rows);
}

Result<> MergeRecord::add(std::span<const EntityMerge> merges) const {
  return database_.transact<std::monostate>(
      "merge entities", [&](Transaction& transaction) -> Result<> {
        transaction.number_with_next_run();
        BB5_TRY(fold_.lock(transaction));
        auto rows = transaction.run(read_);
        if (!rows) return std::move(rows).error();
        const std::vector<EntityMerge> held = merges_from(*rows);
        const EntityMerges before(held);
        auto all = with_merges(before, merges);
        if (!all) return std::move(all).error();
        if (all->size() == held.size()) return ok();
        return replace(transaction, before, EntityMerges(*all));
      });
}

Result<bool> MergeRecord::remove(std::string_view from_key) const {
  return database_.transact<bool>("split an entity", [&](Transaction& transaction) -> Result<bool> {
    transaction.number_with_next_run();
    BB5_TRY(fold_.lock(transaction));
    auto rows = transaction.run(read_);
    if (!rows) return std::move(rows).error();
    const EntityMerges before(merges_from(*rows));
    auto rest = without_merge(before, from_key);
    if (!rest) return std::move(rest).error();
    if (!*rest) return false;
    BB5_TRY(replace(transaction, before, EntityMerges(**rest)));
    return true;
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
