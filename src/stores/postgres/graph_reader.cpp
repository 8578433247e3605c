#include "stores/postgres/graph_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/graph_rows.hpp"

namespace bb5::postgres {
namespace {

std::vector<Uuid> uuids_of(std::span<const FactId> ids) {
  std::vector<Uuid> uuids;
  for (const FactId& id : ids) uuids.push_back(id.uuid);
  return uuids;
}

/// Rows after a key in bytewise order. The index sorts by the first 600 characters; a row whose
/// beginning is equal is compared in full.
std::string page_sql(std::string_view table, std::string_view list) {
  return fmt::format(
      "SELECT {} FROM {{bank}}.{} t WHERE left(t.key, 600) >= left($1, 600) COLLATE \"C\""
      " AND t.key > $1 COLLATE \"C\" ORDER BY left(t.key, 600), t.key LIMIT $2",
      list, table);
}

}  // namespace

GraphReader::GraphReader(const Database& database)
    : database_(database),
      counts_(database.names().sql("SELECT (SELECT count(*) FROM {bank}.entities), (SELECT "
                                   "count(*) FROM {bank}.relationships),"
                                   " (SELECT count(*) FROM {bank}.mentions)")),
      entities_(database.names().sql(page_sql("entities", entity_select_list("t")))),
      visited_entities_(database.names().sql(
          "SELECT key, name, type, mention_count, first_seen, placeholder, rev FROM "
          "{bank}.entities WHERE rev > $1")),
      relationships_(
          database.names().sql(page_sql("relationships", relationship_select_list("t")))),
      mentions_(database.names().sql(
          "SELECT memory_id, entity_key, rev FROM {bank}.mentions WHERE memory_id >= $1"
          " AND (memory_id > $1 OR entity_key > $2) ORDER BY memory_id, entity_key LIMIT $3")),
      neighbours_(database.names().sql(fmt::format(
          "SELECT {}, n.predicate, n.outgoing, n.confidence FROM ("
          "SELECT object_id AS other_id, predicate, true AS outgoing, confidence FROM "
          "{{bank}}.relationships"
          " WHERE subject_id = $1 UNION ALL"
          " SELECT subject_id, predicate, false, confidence FROM {{bank}}.relationships WHERE "
          "object_id = $1) n"
          " JOIN {{bank}}.entities e ON e.entity_id = n.other_id"
          " ORDER BY coalesce(n.confidence, -1) DESC, e.key, n.predicate, n.outgoing DESC LIMIT $2",
          entity_select_list("e")))),
      named_(
          database.names().sql(fmt::format("SELECT {} FROM {{bank}}.names n JOIN {{bank}}.entities "
                                           "e USING (entity_id) WHERE n.name_id = $1",
                                           entity_select_list("e")))),
      entity_facts_(database.names().sql(
          "SELECT * FROM {bank}.entity_facts WHERE seq > $1 ORDER BY seq LIMIT $2")),
      relationship_facts_(database.names().sql(
          "SELECT * FROM {bank}.relationship_facts WHERE seq > $1 ORDER BY seq LIMIT $2")),
      get_entity_facts_(
          database.names().sql("SELECT f.* FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, "
                               "place) JOIN {bank}.entity_facts f USING (id)"
                               " ORDER BY asked.place")),
      get_relationship_facts_(database.names().sql(
          "SELECT f.* FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, place)"
          " JOIN {bank}.relationship_facts f USING (id) ORDER BY asked.place")),
      // The rows as they are now, however often they changed.
      pending_(database.names().sql(fmt::format(
          "SELECT o.kind, o.id, o.rev, o.key, o.subject_key, o.predicate, o.object_key, "
          "o.memory_id,"
          " m.rev, mem.network, {}, {} FROM"
          " (SELECT * FROM {{bank}}.outbox ORDER BY kind, left(key, 600), key LIMIT $1) o"
          " LEFT JOIN {{bank}}.entities e ON o.kind = 0 AND e.entity_id = o.row_id"
          " LEFT JOIN {{bank}}.relationships r ON o.kind = 1 AND left(r.key, 600) = left(o.key, "
          "600) AND r.key = o.key"
          " AND r.subject_key = o.subject_key AND r.predicate = o.predicate"
          " LEFT JOIN {{bank}}.mentions m ON o.kind = 2 AND m.memory_id = o.memory_id AND "
          "m.entity_key = o.object_key"
          " LEFT JOIN {{bank}}.memories mem ON o.kind = 2 AND mem.id = o.memory_id"
          " ORDER BY o.kind, left(o.key, 600), o.key",
          entity_select_list("e"), relationship_select_list("r")))),
      mark_(database.names().sql(
          "DELETE FROM {bank}.outbox o USING unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS "
          "done(kind, row_id, rev)"
          " WHERE o.kind = done.kind AND o.row_id = done.row_id AND o.rev <= done.rev")) {}

Result<GraphCounts> GraphReader::counts() const {
  auto rows = database_.read("count the graph", counts_);
  if (!rows) return std::move(rows).error();
  return GraphCounts{rows->int8(0, 0), rows->int8(0, 1), rows->int8(0, 2)};
}

Result<std::vector<Entity>> GraphReader::entities(std::string_view after_key,
                                                  std::size_t limit) const {
  auto rows = database_.read("read entities", entities_,
                             Params().text(to_storable_utf8(after_key)).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) { return read_entity(r, row); });
}

Result<> GraphReader::visit_entities(std::int64_t after_rev,
                                     const std::function<void(const Entity&)>& visit) const {
  auto rows = database_.read("read entities", visited_entities_, Params().int8(after_rev));
  if (!rows) return std::move(rows).error();
  Entity entity;
  for (int row = 0; row < rows->size(); ++row) {
    entity.key = rows->field(row, 0);
    entity.name = rows->field(row, 1);
    entity.type = rows->field(row, 2);
    entity.mention_count = rows->int8(row, 3);
    entity.first_seen = rows->optional_timestamptz(row, 4);
    entity.placeholder = rows->boolean(row, 5);
    entity.rev = rows->int8(row, 6);
    visit(entity);
  }
  return ok();
}

Result<std::vector<Relationship>> GraphReader::relationships(std::string_view after_key,
                                                             std::size_t limit) const {
  auto rows = database_.read("read relationships", relationships_,
                             Params().text(to_storable_utf8(after_key)).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) { return read_relationship(r, row); });
}

Result<std::vector<Mention>> GraphReader::mentions(const Mention& after, std::size_t limit) const {
  auto rows = database_.read("read mentions", mentions_,
                             Params()
                                 .uuid(after.memory.uuid)
                                 .text(to_storable_utf8(after.entity_key))
                                 .int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) {
    return Mention{.memory = {r.uuid(row, 0)}, .entity_key = r.text(row, 1), .rev = r.int8(row, 2)};
  });
}

Result<std::vector<Neighbour>> GraphReader::neighbours(std::string_view entity_key,
                                                       std::size_t limit) const {
  auto rows = database_.read("read an entity's neighbours", neighbours_,
                             Params().uuid(text_id(entity_key)).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) {
    return Neighbour{.entity = read_entity(r, row),
                     .predicate = r.text(row, entity_select_count),
                     .outgoing = r.boolean(row, entity_select_count + 1),
                     .confidence = r.optional_float8(row, entity_select_count + 2)};
  });
}

Result<std::optional<Entity>> GraphReader::entity_named(std::string_view name) const {
  const auto ids = name_ids(name);
  if (!ids) return std::optional<Entity>{};
  auto rows = database_.read("look an entity up by name", named_, Params().uuid(ids->name_id));
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return std::optional<Entity>{};
  return std::optional(read_entity(*rows, 0));
}

Result<std::vector<EntityFact>> GraphReader::entity_facts(std::int64_t after_seq,
                                                          std::size_t limit) const {
  auto rows = database_.read("read entity facts", entity_facts_,
                             Params().int8(after_seq).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) { return read_entity_fact(*rows, row); });
}

Result<std::vector<RelationshipFact>> GraphReader::relationship_facts(std::int64_t after_seq,
                                                                      std::size_t limit) const {
  auto rows = database_.read("read relationship facts", relationship_facts_,
                             Params().int8(after_seq).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) { return read_relationship_fact(*rows, row); });
}

Result<std::vector<EntityFact>> GraphReader::get_entity_facts(std::span<const FactId> ids) const {
  auto rows = database_.read("read entity facts", get_entity_facts_, Params().uuids(uuids_of(ids)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) { return read_entity_fact(*rows, row); });
}

Result<std::vector<RelationshipFact>> GraphReader::get_relationship_facts(
    std::span<const FactId> ids) const {
  auto rows = database_.read("read relationship facts", get_relationship_facts_,
                             Params().uuids(uuids_of(ids)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) { return read_relationship_fact(*rows, row); });
}

Result<std::vector<GraphChange>> GraphReader::pending_changes(std::size_t limit) const {
  auto rows = database_.read("read the outbox", pending_, Params().int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  constexpr int mention_rev = 8;
  constexpr int network = 9;
  constexpr int entity = 10;
  constexpr int relationship = entity + entity_select_count;
  return rows->collect([&r = *rows](int row) {
    GraphChange change;
    change.kind = static_cast<GraphChange::Kind>(r.int2(row, 0));
    change.outbox_id = r.int8(row, 1);
    std::int64_t row_rev = 0;
    switch (change.kind) {
      case GraphChange::Kind::entity:
        change.removed = r.is_null(row, entity);
        if (change.removed) {
          change.entity.key = r.text(row, 3);
        } else {
          change.entity = read_entity(r, row, entity);
        }
        row_rev = change.entity.rev;
        break;
      case GraphChange::Kind::relationship:
        change.removed = r.is_null(row, relationship);
        if (change.removed) {
          change.relationship.subject_key = r.text(row, 4);
          change.relationship.predicate = r.text(row, 5);
          change.relationship.object_key = r.text(row, 6);
        } else {
          change.relationship = read_relationship(r, row, relationship);
        }
        row_rev = change.relationship.rev;
        break;
      case GraphChange::Kind::mention:
        change.removed = r.is_null(row, mention_rev);
        change.mention = {.memory = {r.uuid(row, 7)}, .entity_key = r.text(row, 6)};
        if (!change.removed) row_rev = change.mention.rev = r.int8(row, mention_rev);
        if (!r.is_null(row, network)) change.mention_network = r.text(row, network);
        break;
    }
    change.rev = std::max(r.int8(row, 2), row_rev);
    if (change.removed)
      change.entity.rev = change.relationship.rev = change.mention.rev = change.rev;
    return change;
  });
}

Result<> GraphReader::mark_applied(std::span<const GraphChange> changes) const {
  std::vector<std::int16_t> kinds;
  std::vector<Uuid> rows;
  std::vector<std::int64_t> revs;
  for (const GraphChange& change : changes) {
    kinds.push_back(static_cast<std::int16_t>(change.kind));
    rows.push_back(outbox_row_id(change));
    revs.push_back(change.rev);
  }
  BB5_TRY(database_.read("mark changes as applied", mark_,
                         Params().int2s(kinds).uuids(rows).int8s(revs)));
  return ok();
}

}  // namespace bb5::postgres
