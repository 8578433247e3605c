#include "stores/postgres/graph_fold.hpp"

#include <string>

namespace bb5::postgres {
namespace {

constexpr std::string_view rev = "(SELECT currval('{bank}.graph_rev'))";
constexpr std::string_view largest = "9223372036854775807";
constexpr std::string_view requeued =
    " ON CONFLICT (kind, row_id) DO UPDATE SET id = excluded.id, rev = greatest(outbox.rev, "
    "excluded.rev)";
// As outbox_row_id() has it.
constexpr std::string_view relationship_row_id =
    "{bank}.text_id(octet_length(subject_key) || ':' || octet_length(predicate) || ':' || key)";

std::string joined(std::initializer_list<std::string_view> pieces) {
  std::string text;
  for (const std::string_view piece : pieces) text += piece;
  return text;
}

/// Rows of a table that a row before it leads to, looked up one by one. A plan is made once for a
/// connection, maybe while the table is still small, and would read all of it ever after; OFFSET 0
/// leaves the planner no such choice.
std::string looked_up(std::string_view table, std::string_view where, std::string_view alias) {
  return joined({" CROSS JOIN LATERAL (SELECT x.* FROM {bank}.", table, " x WHERE ", where,
                 " OFFSET 0) ", alias});
}

// Literals that lie side by side are one text on purpose.
// NOLINTBEGIN(bugprone-suspicious-missing-comma)

/// Entities and the meaning of names (rules 1 and 2). Scope: the names $1 and those that merges
/// join with them, or all. Answers with the names that now mean another entity, or none.
std::string entities_sql(bool all) {
  const std::string touched =
      joined({"touched AS MATERIALIZED (SELECT unnest($1::uuid[]) AS name_id UNION SELECT o.name_id"
              " FROM unnest($1::uuid[]) AS t(name_id)",
              looked_up("merged_names", "x.name_id = t.name_id", "g"),
              looked_up("merged_names", "x.name_group = g.name_group", "o"), "), "});
  const std::string facts =
      all ? "(SELECT * FROM {bank}.entity_facts WHERE name_id IS NOT NULL) f"
          : "touched" + looked_up("entity_facts", "x.name_id = touched.name_id", "f");
  // Names that nothing bears.
  const std::string uses =
      all ? "SELECT name_id, name, placeholder, memory_id FROM {bank}.mention_facts"
            " UNION ALL SELECT subject_name_id, subject, subject_placeholder, NULL FROM "
            "{bank}.relationship_facts"
            " WHERE relation_id IS NOT NULL"
            " UNION ALL SELECT object_name_id, object, object_placeholder, NULL FROM "
            "{bank}.relationship_facts"
            " WHERE relation_id IS NOT NULL"
          : joined({"SELECT m.name_id, m.name, m.placeholder, m.memory_id FROM bare",
                    looked_up("mention_facts", "x.name_id = bare.name_id", "m"),
                    " UNION ALL SELECT r.subject_name_id, r.subject, r.subject_placeholder, NULL"
                    " FROM bare",
                    looked_up("relationship_facts", "x.subject_name_id = bare.name_id", "r"),
                    " UNION ALL SELECT r.object_name_id, r.object, r.object_placeholder, NULL"
                    " FROM bare",
                    looked_up("relationship_facts", "x.object_name_id = bare.name_id", "r")});
  const std::string have =
      all ? "SELECT * FROM {bank}.entities"
          : "SELECT e.* FROM touched" + looked_up("entities", "x.name_id = touched.name_id", "e");
  const std::string had_meaning =
      all ? "SELECT * FROM {bank}.names"
          : "SELECT n.* FROM touched" + looked_up("names", "x.name_id = touched.name_id", "n");
  return joined({
      "WITH ",
      all ? "" : touched,
      // root_…: the entity into which the fact goes.
      "f AS MATERIALIZED (SELECT f.*, coalesce(k.root_id, a.root_id, f.entity_id) AS root_id,"
      " coalesce(k.root_key, a.root_key, f.key) AS root_key,"
      " coalesce(k.root_name_id, a.root_name_id, f.name_id) AS root_name_id FROM ",
      facts,
      " LEFT JOIN {bank}.merges k ON k.from_id = f.entity_id"
      " LEFT JOIN {bank}.merges a ON a.from_name_id = f.name_id AND a.leads_any_type), ",
      "described AS MATERIALIZED (SELECT name_id FROM f UNION SELECT root_name_id FROM f), ",
      "spelled AS (SELECT root_id, name, entity_id = root_id AS own, sum(mentions) AS mentions "
      "FROM "
      "f GROUP BY 1, 2, 3), ",
      "titled AS MATERIALIZED (SELECT DISTINCT ON (root_id) root_id, name FROM spelled"
      " ORDER BY root_id, own DESC, mentions DESC, name COLLATE \"C\"), ",
      "others AS (SELECT a.root_id, array_agg(a.alias ORDER BY a.alias COLLATE \"C\") AS aliases"
      " FROM (SELECT root_id, name COLLATE \"C\" AS alias FROM f"
      " UNION SELECT root_id, unnest(aliases) COLLATE \"C\" FROM f"
      " UNION SELECT root_id, name FROM {bank}.merges WHERE name <> '') a"
      " JOIN titled t ON t.root_id = a.root_id AND t.name <> a.alias GROUP BY a.root_id), ",
      "led AS MATERIALIZED (SELECT root_id, array_agg(name ORDER BY name COLLATE \"C\") AS names "
      "FROM (SELECT root_id, substr(key, strpos(key, ':') + 1) AS name FROM f"
      " WHERE name_id <> root_name_id"
      " UNION SELECT m.root_id, substr(m.from_key, strpos(m.from_key, ':') + 1) FROM {bank}.merges "
      "m"
      " WHERE m.leads_bare_names AND m.from_name_id <> m.root_name_id"
      " AND NOT EXISTS (SELECT FROM described d WHERE d.name_id = m.from_name_id)) n"
      " GROUP BY root_id), ",
      "gathered AS MATERIALIZED (SELECT root_id, root_key, root_name_id,"
      " coalesce(min(CASE WHEN type = '' THEN 'concept' COLLATE \"C\" ELSE type END)"
      " FILTER (WHERE entity_id = root_id),"
      " min(CASE WHEN type = '' THEN 'concept' COLLATE \"C\" ELSE type END)) AS type,"
      " least(sum(mentions), ",
      largest,
      ")::bigint AS mention_count, min(first_seen) AS first_seen,"
      " greatest(max(last_seen), max(first_seen)) AS last_seen FROM f GROUP BY root_id, root_key, "
      "root_name_id), ",
      all ? ""
          : "bare AS MATERIALIZED (SELECT name_id FROM touched EXCEPT SELECT name_id FROM "
            "described), ",
      "uses AS (",
      uses,
      "), ",
      // Names that lead to one entity which no fact describes.
      "places AS (SELECT g.bare_root_id AS root_id, g.bare_root_key AS root_key, "
      "g.bare_root_name_id AS root_name_id,"
      " coalesce(min(u.name) FILTER (WHERE u.name_id = g.bare_root_name_id), min(u.name)) AS name,"
      " count(DISTINCT u.memory_id) AS mention_count FROM uses u JOIN {bank}.merged_names g USING "
      "(name_id)"
      " WHERE NOT EXISTS (SELECT FROM gathered w WHERE w.root_id = g.bare_root_id)",
      all ? " AND NOT EXISTS (SELECT FROM described d WHERE d.name_id = u.name_id)" : "",
      " GROUP BY 1, 2, 3), ",
      "wanted AS MATERIALIZED ("
      "SELECT g.root_id AS entity_id, g.root_key AS key, g.root_name_id AS name_id, t.name, "
      "g.type, "
      "g.mention_count, g.first_seen, g.last_seen,"
      " coalesce(o.aliases, '{}') AS aliases, false AS placeholder, coalesce(l.names, '{}') AS "
      "names"
      " FROM gathered g JOIN titled t USING (root_id) LEFT JOIN others o USING (root_id)"
      " LEFT JOIN led l USING (root_id)"
      " UNION ALL SELECT {bank}.text_id(u.placeholder), u.placeholder, u.name_id, min(u.name), '",
      placeholder_type,
      "', count(DISTINCT u.memory_id), NULL, NULL, '{}', true, '{}' FROM uses u"
      " WHERE NOT EXISTS (SELECT FROM {bank}.merged_names g WHERE g.name_id = u.name_id)",
      all ? " AND NOT EXISTS (SELECT FROM described d WHERE d.name_id = u.name_id)" : "",
      " GROUP BY u.name_id, u.placeholder"
      " UNION ALL SELECT p.root_id, p.root_key, p.root_name_id, p.name, '",
      placeholder_type,
      "', p.mention_count, NULL, NULL,"
      " ARRAY(SELECT DISTINCT m.name FROM {bank}.merges m WHERE m.root_id = p.root_id AND m.name "
      "<> "
      "'' AND m.name <> p.name ORDER BY 1), true, coalesce(l.names, '{}')"
      " FROM places p LEFT JOIN led l USING (root_id)), ",
      "have AS MATERIALIZED (",
      have,
      "), ",
      "changed AS MATERIALIZED (SELECT w.* FROM wanted w LEFT JOIN have h USING (entity_id)"
      " WHERE h.entity_id IS NULL"
      " OR (w.name, w.type, w.mention_count, w.first_seen, w.last_seen, w.aliases, w.placeholder, "
      "w.names) IS DISTINCT FROM"
      " (h.name, h.type, h.mention_count, h.first_seen, h.last_seen, h.aliases, h.placeholder, "
      "h.names)), ",
      "gone AS MATERIALIZED (SELECT h.entity_id, h.key FROM have h LEFT JOIN wanted w USING "
      "(entity_id)"
      " WHERE w.entity_id IS NULL), ",
      "put AS (INSERT INTO {bank}.entities (entity_id, key, name_id, name, type, mention_count, "
      "first_seen, last_seen,"
      " aliases, placeholder, names, rev) SELECT c.*, ",
      rev,
      " FROM changed c"
      " ON CONFLICT (entity_id) DO UPDATE SET name = excluded.name, type = excluded.type,"
      " mention_count = excluded.mention_count, first_seen = excluded.first_seen, last_seen = "
      "excluded.last_seen,"
      " aliases = excluded.aliases, placeholder = excluded.placeholder, names = excluded.names,"
      " rev = excluded.rev), ",
      "dropped AS (DELETE FROM {bank}.entities e WHERE e.entity_id = ANY(ARRAY(SELECT entity_id "
      "FROM "
      "gone))), ",
      "queued AS (INSERT INTO {bank}.outbox (kind, row_id, key, rev)"
      " SELECT 0, entity_id, key, ",
      rev,
      " FROM (SELECT entity_id, key FROM changed UNION ALL SELECT * FROM gone) q",
      requeued,
      "), ",
      // What a name may mean: its own entity; where its facts went; where merges lead it.
      "borne AS (SELECT name_id, entity_id FROM wanted w WHERE NOT placeholder OR NOT EXISTS"
      " (SELECT FROM {bank}.merged_names g WHERE g.name_id = w.name_id)"
      " UNION SELECT name_id, root_id FROM f WHERE root_id <> entity_id"
      " UNION SELECT g.name_id, g.bare_root_id FROM {bank}.merged_names g ",
      all ? "" : "JOIN touched USING (name_id) ",
      "WHERE NOT EXISTS (SELECT FROM described d WHERE d.name_id = g.name_id)), ",
      "meant AS (SELECT DISTINCT ON (b.name_id) b.name_id, entity_id FROM borne b JOIN wanted w "
      "USING (entity_id)"
      " ORDER BY b.name_id, mention_count DESC, first_seen ASC NULLS LAST, key COLLATE \"C\"), ",
      "moved AS MATERIALIZED (SELECT name_id, m.entity_id FROM meant m FULL JOIN (",
      had_meaning,
      ") n USING (name_id)"
      " WHERE m.entity_id IS DISTINCT FROM n.entity_id), ",
      "named AS (INSERT INTO {bank}.names SELECT name_id, entity_id FROM moved WHERE entity_id IS "
      "NOT NULL"
      " ON CONFLICT (name_id) DO UPDATE SET entity_id = excluded.entity_id), ",
      "unnamed AS (DELETE FROM {bank}.names n WHERE n.name_id = ANY(ARRAY(SELECT name_id FROM "
      "moved "
      "WHERE entity_id IS NULL))) ",
      all ? "SELECT NULL::uuid WHERE false"
          : "SELECT name_id FROM moved UNION SELECT o.name_id FROM moved JOIN {bank}.merged_names "
            "g "
            "USING (name_id) JOIN {bank}.merged_names o ON o.name_group = g.name_group",
  });
}

/// Rule 3. Scope: the relationships $1 between the names $3 and $4, with all that merges join with
/// them, and those of the names $2; or all.
std::string relationships_sql(bool all) {
  const std::string scope = joined(
      {"given AS (SELECT * FROM unnest($1::uuid[], $3::uuid[], $4::uuid[]) AS g(relation_id, "
       "subject, object)), "
       "scope AS MATERIALIZED (SELECT relation_id FROM given"
       " UNION SELECT r.relation_id FROM unnest($2::uuid[]) AS t(name_id)",
       looked_up("relationship_facts", "x.subject_name_id = t.name_id", "r"),
       " UNION SELECT r.relation_id FROM unnest($2::uuid[]) AS t(name_id)",
       looked_up("relationship_facts", "x.object_name_id = t.name_id", "r"),
       " UNION SELECT r.relation_id FROM given g",
       looked_up("merged_names", "x.name_id = g.subject", "a"),
       looked_up("merged_names", "x.name_group = a.name_group", "b"),
       looked_up("relationship_facts", "x.subject_name_id = b.name_id", "r"),
       " WHERE r.object_name_id = g.object OR EXISTS (SELECT FROM {bank}.merged_names c"
       " JOIN {bank}.merged_names d ON d.name_group = c.name_group"
       " WHERE c.name_id = g.object AND d.name_id = r.object_name_id)"
       " UNION SELECT r.relation_id FROM given g",
       looked_up("merged_names", "x.name_id = g.object", "c"),
       looked_up("merged_names", "x.name_group = c.name_group", "d"),
       looked_up("relationship_facts", "x.object_name_id = d.name_id", "r"),
       " WHERE r.subject_name_id = g.subject), "});
  const std::string facts =
      all ? "SELECT * FROM {bank}.relationship_facts WHERE relation_id IS NOT NULL"
          : "SELECT r.* FROM scope" +
                looked_up("relationship_facts", "x.relation_id = scope.relation_id", "r");
  const std::string have =
      all ? "SELECT * FROM {bank}.relationships"
          : "SELECT r.* FROM scope" +
                looked_up("relationships", "x.relation_id = scope.relation_id", "r");
  // Few at a time are joined with what is large by looking it up.
  const std::string named_ends =
      all ? " JOIN {bank}.names sn ON sn.name_id = f.subject_name_id"
            " JOIN {bank}.names obn ON obn.name_id = f.object_name_id"
          : looked_up("names", "x.name_id = f.subject_name_id", "sn") +
                looked_up("names", "x.name_id = f.object_name_id", "obn");
  const std::string ends = all ? " JOIN {bank}.entities s ON s.entity_id = g.subject_id"
                                 " JOIN {bank}.entities o ON o.entity_id = g.object_id"
                               : looked_up("entities", "x.entity_id = g.subject_id", "s") +
                                     looked_up("entities", "x.entity_id = g.object_id", "o");
  return joined({
      "WITH ",
      all ? "" : scope,
      "f AS (",
      facts,
      "), ",
      "grouped AS (SELECT (array_agg(relation_id ORDER BY relation_id))[1] AS relation_id,"
      " sn.entity_id AS subject_id, predicate, obn.entity_id AS object_id,"
      " (array_agg(confidence ORDER BY seq DESC) FILTER (WHERE confidence IS NOT NULL))[1] AS "
      "confidence,"
      " greatest(least(sum(observation_count), ",
      largest,
      "), -",
      largest,
      ")::bigint AS observation_count,"
      " min(first_observed) AS first_observed, greatest(max(last_observed), max(first_observed)) "
      "AS last_observed"
      " FROM f",
      named_ends,
      " GROUP BY sn.entity_id, predicate, obn.entity_id), ",
      "wanted AS MATERIALIZED (SELECT g.relation_id,"
      " s.key || chr(9247) || g.predicate || chr(9247) || o.key AS key, s.entity_id AS subject_id,"
      " o.entity_id AS object_id, s.key AS subject_key, g.predicate, o.key AS object_key, "
      "g.confidence,"
      " g.observation_count, g.first_observed, g.last_observed FROM grouped g",
      ends,
      "), ",
      "have AS MATERIALIZED (",
      have,
      "), ",
      "changed AS MATERIALIZED (SELECT w.* FROM wanted w LEFT JOIN have h USING (relation_id)"
      " WHERE h.relation_id IS NULL"
      " OR (w.subject_id, w.object_id, w.confidence, w.observation_count, w.first_observed, "
      "w.last_observed)"
      " IS DISTINCT FROM"
      " (h.subject_id, h.object_id, h.confidence, h.observation_count, h.first_observed, "
      "h.last_observed)), ",
      // Under its old key: the ends may mean other entities now.
      "gone AS MATERIALIZED (SELECT h.*, w.relation_id IS NULL AS drop FROM have h LEFT JOIN "
      "wanted w USING (relation_id)"
      " WHERE (w.subject_id, w.object_id) IS DISTINCT FROM (h.subject_id, h.object_id)), ",
      "put AS (INSERT INTO {bank}.relationships (relation_id, key, subject_id, object_id, "
      "subject_key, predicate,"
      " object_key, confidence, observation_count, first_observed, last_observed, rev) SELECT "
      "c.*, ",
      rev,
      " FROM changed c ON CONFLICT (relation_id) DO UPDATE SET key = excluded.key, subject_id = "
      "excluded.subject_id,"
      " object_id = excluded.object_id, subject_key = excluded.subject_key, object_key = "
      "excluded.object_key,"
      " confidence = excluded.confidence, observation_count = excluded.observation_count,"
      " first_observed = excluded.first_observed, last_observed = excluded.last_observed, rev = "
      "excluded.rev), ",
      "dropped AS (DELETE FROM {bank}.relationships r WHERE r.relation_id = ANY(ARRAY(SELECT "
      "relation_id FROM gone WHERE drop))) ",
      "INSERT INTO {bank}.outbox (kind, row_id, key, subject_key, predicate, object_key, rev)"
      " SELECT 1, ",
      relationship_row_id,
      ", key, subject_key, predicate, object_key, ",
      rev,
      " FROM (SELECT key, subject_key, predicate, object_key FROM changed"
      " UNION SELECT key, subject_key, predicate, object_key FROM gone) q",
      requeued,
  });
}

/// Rule 4. Scope: the pairs of memories $1 and names $2, with the names that merges join with them,
/// and all of the names $3; or all.
std::string mentions_sql(bool all) {
  const std::string scope = joined(
      {"scope AS MATERIALIZED (SELECT memory_id, name_id FROM unnest($1::uuid[], $2::uuid[]) AS "
       "p(memory_id, name_id)"
       " UNION SELECT p.memory_id, o.name_id FROM unnest($1::uuid[], $2::uuid[]) AS p(memory_id, "
       "name_id)",
       looked_up("merged_names", "x.name_id = p.name_id", "g"),
       looked_up("merged_names", "x.name_group = g.name_group", "o"),
       " UNION SELECT m.memory_id, m.name_id FROM unnest($3::uuid[]) AS t(name_id)",
       looked_up("mention_facts", "x.name_id = t.name_id", "m"), "), "});
  const std::string facts =
      all ? "SELECT DISTINCT memory_id, name_id FROM {bank}.mention_facts"
          : "SELECT DISTINCT m.memory_id, m.name_id FROM scope" +
                looked_up("mention_facts",
                          "x.name_id = scope.name_id AND x.memory_id = scope.memory_id", "m");
  const std::string have =
      all ? "SELECT * FROM {bank}.mentions"
          : "SELECT m.* FROM scope" +
                looked_up("mentions", "x.memory_id = scope.memory_id AND x.name_id = scope.name_id",
                          "m");
  const std::string meant = all ? " JOIN {bank}.names n ON n.name_id = f.name_id"
                                  " JOIN {bank}.entities e ON e.entity_id = n.entity_id"
                                : looked_up("names", "x.name_id = f.name_id", "n") +
                                      looked_up("entities", "x.entity_id = n.entity_id", "e");
  return joined({
      "WITH ",
      all ? "" : scope,
      "f AS (",
      facts,
      "), ",
      "wanted AS MATERIALIZED (SELECT DISTINCT ON (f.memory_id, e.entity_id) f.memory_id, "
      "f.name_id, e.entity_id, e.key AS entity_key FROM f",
      meant,
      " ORDER BY f.memory_id, e.entity_id, f.name_id), ",
      "have AS MATERIALIZED (",
      have,
      "), ",
      "changed AS MATERIALIZED (SELECT w.* FROM wanted w LEFT JOIN have h USING (memory_id, "
      "name_id)"
      " WHERE h.entity_id IS DISTINCT FROM w.entity_id OR h.rev = 0), ",
      "gone AS MATERIALIZED (SELECT h.*, w.entity_id IS NULL AS drop"
      " FROM have h LEFT JOIN wanted w USING (memory_id, name_id) WHERE w.entity_id IS DISTINCT "
      "FROM h.entity_id), ",
      "put AS (INSERT INTO {bank}.mentions (memory_id, name_id, entity_id, entity_key, rev) SELECT "
      "c.*, ",
      rev,
      " FROM changed c ON CONFLICT (memory_id, name_id) DO UPDATE SET entity_id = "
      "excluded.entity_id,"
      " entity_key = excluded.entity_key, rev = excluded.rev), ",
      "dropped AS (DELETE FROM {bank}.mentions m USING gone g"
      " WHERE g.drop AND m.memory_id = g.memory_id AND m.name_id = g.name_id) ",
      "INSERT INTO {bank}.outbox (kind, row_id, key, memory_id, object_key, rev)"
      " SELECT 2, {bank}.text_id(memory_id || entity_key), memory_id || entity_key, memory_id, "
      "entity_key, ",
      rev,
      " FROM (SELECT memory_id, entity_key FROM changed UNION SELECT memory_id, entity_key "
      "FROM gone) q",
      requeued,
  });
}

// NOLINTEND(bugprone-suspicious-missing-comma)

}  // namespace

GraphFold::GraphFold(const Names& names)
    : lock_key_(names.lock_key("fold")),
      lock_("SELECT pg_advisory_xact_lock($1)"),
      next_rev_(names.sql("SELECT nextval('{bank}.graph_rev')")),
      // A commit that wrote waits for the disk, and with it for all bulk loads before it.
      read_whole_tables_("SET LOCAL enable_seqscan = on"),
      write_something_(names.sql("UPDATE {bank}.marks SET at = at WHERE name = 'resolved'")),
      entities_(names.sql(entities_sql(false))),
      relationships_(names.sql(relationships_sql(false))),
      mentions_(names.sql(mentions_sql(false))),
      mark_mentions_(names.sql("UPDATE {bank}.mentions SET rev = 0 WHERE memory_id = ANY($1)")),
      all_entities_(names.sql(entities_sql(true))),
      all_relationships_(names.sql(relationships_sql(true))),
      all_mentions_(names.sql(mentions_sql(true))),
      requeue_entities_(names.sql(joined({"INSERT INTO {bank}.outbox (kind, row_id, key, rev)"
                                          " SELECT 0, entity_id, key, rev FROM {bank}.entities",
                                          requeued}))),
      requeue_relationships_(names.sql(joined(
          {"INSERT INTO {bank}.outbox (kind, row_id, key, subject_key, predicate, object_key, rev) "
           "SELECT 1, ",
           relationship_row_id,
           ", key, subject_key, predicate, object_key, rev FROM {bank}.relationships", requeued}))),
      requeue_mentions_(names.sql(
          joined({"INSERT INTO {bank}.outbox (kind, row_id, key, memory_id, object_key, rev)"
                  " SELECT 2, {bank}.text_id(memory_id || entity_key), memory_id || entity_key, "
                  "memory_id, entity_key, rev"
                  " FROM {bank}.mentions",
                  requeued}))) {}

Result<> GraphFold::fold(Transaction& transaction, const Touched& touched) const {
  if (touched.empty()) return ok();
  const Command first[] = {
      {lock_, Params().int8(lock_key_)}, {next_rev_}, {entities_, Params().uuids(touched.names)}};
  auto answers = transaction.run(first);
  if (!answers) return std::move(answers).error();
  const Rows& rows = answers->back();
  auto moved = rows.collect([&](int row) { return rows.uuid(row, 0); });
  moved.insert(moved.end(), touched.moved_names.begin(), touched.moved_names.end());
  if (!touched.relations.empty() || !moved.empty()) {
    transaction.run_at_end({relationships_, Params()
                                                .uuids(touched.relations)
                                                .uuids(moved)
                                                .uuids(touched.relation_subjects)
                                                .uuids(touched.relation_objects)});
  }
  if (!touched.mention_memories.empty() || !moved.empty()) {
    transaction.run_at_end(
        {mentions_,
         Params().uuids(touched.mention_memories).uuids(touched.mention_names).uuids(moved)});
  }
  return ok();
}

void GraphFold::project_anew(Transaction& transaction, const std::vector<Uuid>& memories) const {
  if (memories.empty()) return;
  // The fold's lock, for whoever holds it writes mentions too.
  transaction.run_at_end({lock_, Params().int8(lock_key_)});
  transaction.run_at_end({mark_mentions_, Params().uuids(memories)});
}

Result<> GraphFold::fold_all(Transaction& transaction) const {
  const Command commands[] = {{lock_, Params().int8(lock_key_)},
                              {next_rev_},
                              {read_whole_tables_},
                              {write_something_},
                              {all_entities_},
                              {all_relationships_},
                              {all_mentions_}};
  BB5_TRY(transaction.run(commands));
  return ok();
}

Result<> GraphFold::lock(Transaction& transaction) const {
  BB5_TRY(transaction.run(lock_, Params().int8(lock_key_)));
  return ok();
}

Result<> GraphFold::requeue_all(Transaction& transaction) const {
  const Command commands[] = {{lock_, Params().int8(lock_key_)},
                              {requeue_entities_},
                              {requeue_relationships_},
                              {requeue_mentions_}};
  BB5_TRY(transaction.run(commands));
  return ok();
}

}  // namespace bb5::postgres
