#include "stores/embedded/graph_rows.hpp"

#include <cstring>

#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/string_list.hpp"

namespace bb5::embedded {
namespace {

constexpr std::size_t id_length = 16;

std::string select_entities(std::string_view rest) {
  return std::string(
             "SELECT e.key, e.name, e.type, e.mention_count, e.first_seen, e.last_seen, e.aliases, "
             "e.placeholder, e.rev, e.names FROM entities e ")
      .append(rest);
}

Entity entity_from(const Row& row, int at = 0) {
  Entity entity;
  entity.key = row.string(at++);
  entity.name = row.string(at++);
  entity.type = row.string(at++);
  entity.mention_count = row.integer(at++);
  entity.first_seen = row.maybe_time(at++);
  entity.last_seen = row.maybe_time(at++);
  entity.aliases = read_string_list(row.text(at++));
  entity.placeholder = row.integer(at++) != 0;
  entity.rev = row.integer(at++);
  entity.names = read_string_list(row.text(at));
  return entity;
}

std::string select_relationships(std::string_view rest) {
  return std::string(
             "SELECT subject_key, predicate, object_key, confidence, observation_count, "
             "first_observed, last_observed, rev FROM relationships ")
      .append(rest);
}

Relationship relationship_from(const Row& row) {
  Relationship edge;
  edge.subject_key = row.string(0);
  edge.predicate = row.string(1);
  edge.object_key = row.string(2);
  edge.confidence = row.maybe_real(3);
  edge.observation_count = row.integer(4);
  edge.first_observed = row.maybe_time(5);
  edge.last_observed = row.maybe_time(6);
  edge.rev = row.integer(7);
  return edge;
}

std::string mention_key(const Mention& mention) {
  std::string key(reinterpret_cast<const char*>(mention.memory.uuid.bytes.data()), id_length);
  return key += mention.entity_key;
}

std::string key_of(const GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      return change.entity.key;
    case GraphChange::Kind::relationship:
      return relationship_key(change.relationship);
    case GraphChange::Kind::mention:
      return mention_key(change.mention);
  }
  return {};
}

/// Fills what the row holds now; a removed one only its key and revision.
Result<> read_state(Connection& connection, std::string_view key, std::string_view parts,
                    GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      change.entity.key = key;
      change.entity.rev = change.rev;
      if (change.removed) return ok();
      return connection.each(
          select_entities("WHERE e.key = ?"),
          [&](const Row& row) { change.entity = entity_from(row); }, key);
    case GraphChange::Kind::relationship:
      if (change.removed) {
        auto keys = read_string_list(parts);
        keys.resize(3);
        change.relationship.subject_key = std::move(keys[0]);
        change.relationship.predicate = std::move(keys[1]);
        change.relationship.object_key = std::move(keys[2]);
        change.relationship.rev = change.rev;
        return ok();
      }
      return connection.each(
          select_relationships("WHERE key = ?"),
          [&](const Row& row) { change.relationship = relationship_from(row); }, key);
    case GraphChange::Kind::mention:
      if (key.size() < id_length) return ok();
      std::memcpy(change.mention.memory.uuid.bytes.data(), key.data(), id_length);
      change.mention.entity_key = key.substr(id_length);
      change.mention.rev = change.rev;
      return connection.each(
          "SELECT n.name FROM memories m JOIN networks n ON n.code = m.network WHERE m.id = ?",
          [&](const Row& row) { change.mention_network = row.string(0); }, change.mention.memory);
  }
  return ok();
}

}  // namespace

Result<GraphCounts> count_graph(Connection& connection) {
  GraphCounts counts;
  BB5_TRY(connection.each(
      "SELECT (SELECT count(*) FROM entities), (SELECT count(*) FROM relationships), "
      "(SELECT count(*) FROM mentions)",
      [&](const Row& row) {
        counts = {row.integer(0), row.integer(1), row.integer(2)};
      }));
  return counts;
}

Result<std::vector<Entity>> page_of_entities(Connection& connection, std::string_view after_key,
                                             std::size_t limit) {
  std::vector<Entity> entities;
  BB5_TRY(connection.each(
      select_entities("WHERE e.key > ? ORDER BY e.key LIMIT ?"),
      [&](const Row& row) { entities.push_back(entity_from(row)); }, after_key, limit_of(limit)));
  return entities;
}

Result<> visit_entities(Connection& connection, std::int64_t after_rev,
                        const std::function<void(const Entity&)>& visit) {
  Entity entity;  // one for all rows: its texts keep their memory
  const auto on_row = [&](const Row& row) {
    entity.key = row.text(0);
    entity.name = row.text(1);
    entity.type = row.text(2);
    entity.mention_count = row.integer(3);
    entity.first_seen = row.maybe_time(4);
    entity.placeholder = row.integer(5) != 0;
    entity.rev = row.integer(6);
    visit(entity);
  };
  const std::string select =
      "SELECT key, name, type, mention_count, first_seen, placeholder, rev FROM entities";
  // All by the table, which is quicker than by the index.
  if (after_rev <= 0) return connection.each(select, on_row);
  return connection.each(select + " WHERE rev > ?", on_row, after_rev);
}

Result<std::vector<Relationship>> page_of_relationships(Connection& connection,
                                                        std::string_view after_key,
                                                        std::size_t limit) {
  std::vector<Relationship> edges;
  BB5_TRY(connection.each(
      select_relationships("WHERE key > ? ORDER BY key LIMIT ?"),
      [&](const Row& row) { edges.push_back(relationship_from(row)); }, after_key,
      limit_of(limit)));
  return edges;
}

Result<std::vector<Mention>> page_of_mentions(Connection& connection, const Mention& after,
                                              std::size_t limit) {
  std::vector<Mention> mentions;
  const auto take = [&](const Row& row) {
    mentions.push_back(
        {.memory = {row.uuid(0)}, .entity_key = row.string(1), .rev = row.integer(2)});
  };
  // The rest of the memory in which the last page ended, then whole memories.
  BB5_TRY(
      connection.each("SELECT m.id, x.entity_key, x.rev FROM memories m "
                      "CROSS JOIN mentions x ON x.memory_seq = m.seq "
                      "WHERE m.id = ? AND x.entity_key > ? ORDER BY x.entity_key LIMIT ?",
                      take, after.memory, after.entity_key, limit_of(limit)));
  if (mentions.size() >= limit) return mentions;
  BB5_TRY(
      connection.each("SELECT m.id, x.entity_key, x.rev FROM memories m "
                      "CROSS JOIN mentions x ON x.memory_seq = m.seq "
                      "WHERE m.id > ? ORDER BY m.id, x.entity_key LIMIT ?",
                      take, after.memory, limit_of(limit - mentions.size())));
  return mentions;
}

Result<std::vector<Neighbour>> read_neighbours(Connection& connection, std::string_view entity_key,
                                               std::size_t limit) {
  std::vector<Neighbour> neighbours;
  BB5_TRY(connection.each(
      "SELECT e.key, e.name, e.type, e.mention_count, e.first_seen, e.last_seen, e.aliases, "
      "e.placeholder, e.rev, e.names, "
      "r.predicate, r.outgoing, r.confidence FROM ("
      "SELECT object_key AS other, predicate, 1 AS outgoing, confidence FROM relationships WHERE "
      "subject_key = ?1 "
      "UNION ALL "
      "SELECT subject_key, predicate, 0, confidence FROM relationships WHERE object_key = ?1) r "
      "JOIN entities e ON e.key = r.other "
      "ORDER BY r.confidence DESC NULLS LAST, e.key, r.predicate, r.outgoing DESC LIMIT ?2",
      [&](const Row& row) {
        neighbours.push_back({.entity = entity_from(row),
                              .predicate = row.string(10),
                              .outgoing = row.integer(11) != 0,
                              .confidence = row.maybe_real(12)});
      },
      entity_key, limit_of(limit)));
  return neighbours;
}

Result<std::optional<Entity>> read_entity_named(Connection& connection, std::string_view name) {
  return connection.first(
      select_entities("JOIN names n ON n.entity_key = e.key WHERE n.name_key = ?"),
      [](const Row& row) { return entity_from(row); }, name_key_of(name));
}

Result<std::vector<GraphChange>> read_pending_changes(Connection& connection, std::size_t limit) {
  struct Pending {
    GraphChange change;
    std::string key;
    std::string parts;
  };
  std::vector<Pending> pending;
  BB5_TRY(connection.each(
      "SELECT kind, key, rev, removed, parts FROM outbox ORDER BY kind, key LIMIT ?",
      [&](const Row& row) {
        GraphChange change;
        change.kind = static_cast<GraphChange::Kind>(row.integer(0));
        change.rev = row.integer(2);
        change.outbox_id = change.rev;
        change.removed = row.integer(3) != 0;
        pending.push_back({std::move(change), std::string(row.blob(1)), row.string(4)});
      },
      limit_of(limit)));
  std::vector<GraphChange> changes;
  changes.reserve(pending.size());
  for (Pending& each : pending) {
    BB5_TRY(read_state(connection, each.key, each.parts, each.change));
    changes.push_back(std::move(each.change));
  }
  return changes;
}

Result<> mark_changes_applied(Connection& connection, std::span<const GraphChange> changes) {
  for (const GraphChange& change : changes) {
    BB5_TRY(connection.run("DELETE FROM outbox WHERE kind = ? AND key = ? AND rev <= ?",
                           change.kind, Blob{key_of(change)}, change.rev));
  }
  return ok();
}

Result<> requeue_everything(Connection& connection) {
  for (const char* sql :
       {"INSERT INTO outbox (kind, key, rev, removed) SELECT 0, CAST(key AS BLOB), rev, 0 FROM "
        "entities "
        "WHERE true ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0",
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 1, CAST(key AS BLOB), rev, 0 FROM "
        "relationships "
        "WHERE true ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0",
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 2, CAST(m.id || x.entity_key AS "
        "BLOB), x.rev, 0 "
        "FROM mentions x CROSS JOIN memories m ON m.seq = x.memory_seq "
        "WHERE true ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0"}) {
    BB5_TRY(connection.run(sql));
  }
  return ok();
}

}  // namespace bb5::embedded
