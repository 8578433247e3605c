#include "stores/embedded/graph_fold_rows.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "model/graph_fold.hpp"
#include "stores/embedded/string_list.hpp"

// The work goes in four steps, each from temporary tables that hold what is to be looked at:
//  1. entities:      touched_names  → folded_entities → entities
//  2. meanings:      touched_names  → moved_names     → names
//  3. relationships: touched_edges  → folded_edges    → relationships
//  4. mentions:      touched_memories → folded_mentions → mentions
// A name that comes to mean another entity (moved_names) adds its relationships and its memories to
// steps 3 and 4. Only names that merges join (merged_names) can mean one entity: what touches one
// of them takes its whole group along in step 1, and in step 3 the relationships of the group's
// names.
namespace bb5::embedded {
namespace {

constexpr const char* temporary_tables = R"sql(
-- reason 0: used; 1: its facts changed; 2: facts were added, which folded_entities has taken in.
-- Names of a group have reason 1 in the end, all or none.
CREATE TEMP TABLE touched_names (name_key TEXT PRIMARY KEY, reason INTEGER NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE bare_names (
  name_key TEXT PRIMARY KEY, counted INTEGER, mention_count INTEGER, merged_key TEXT, name TEXT)
  WITHOUT ROWID;
CREATE TEMP TABLE described_names (name_key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE use_changes (name_key TEXT PRIMARY KEY, memories INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE touched_edges (
  subject_name_key TEXT, predicate TEXT, object_name_key TEXT,
  PRIMARY KEY (subject_name_key, predicate, object_name_key)) WITHOUT ROWID;
CREATE TEMP TABLE touched_memories (memory_seq INTEGER PRIMARY KEY, id BLOB);
CREATE TEMP TABLE folded_entities (
  key TEXT PRIMARY KEY, name_key TEXT, name TEXT, type TEXT, mention_count INTEGER, first_seen INTEGER,
  last_seen INTEGER, aliases TEXT, placeholder INTEGER, names TEXT) WITHOUT ROWID;
CREATE TEMP TABLE moved_names (name_key TEXT PRIMARY KEY, old_key TEXT, new_key TEXT) WITHOUT ROWID;
CREATE TEMP TABLE old_edges (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE folded_edges (
  key TEXT PRIMARY KEY, subject_key TEXT, predicate TEXT, object_key TEXT, confidence REAL,
  observation_count INTEGER, first_observed INTEGER, last_observed INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE folded_mentions (
  memory_seq INTEGER, entity_key TEXT, PRIMARY KEY (memory_seq, entity_key)) WITHOUT ROWID;
CREATE TEMP TABLE gone_mentions (
  memory_seq INTEGER, entity_key TEXT, PRIMARY KEY (memory_seq, entity_key)) WITHOUT ROWID;
)sql";

std::optional<std::int64_t> earlier(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return !a ? b : !b ? a : std::min(a, b);
}
std::optional<std::int64_t> later(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return !a ? b : !b ? a : std::max(a, b);
}

/// The entity of a fact `f`: what its key, or any of its name, is merged into.
constexpr std::string_view root_of_fact =
    "coalesce((SELECT g.root_key FROM merges g WHERE g.from_key = f.entity_key), "
    "(SELECT g.root_key FROM merges g WHERE g.from_key = ':' || f.name_key), f.entity_key)";

/// Takes away, sorted, what is the entity's own already.
std::optional<std::string> list_without(std::set<std::string> texts, const std::string& own) {
  texts.erase(own);
  return write_string_list({texts.begin(), texts.end()});
}

/// What merges give an entity besides its facts.
Result<> add_merged_names(Connection& connection, const std::string& key,
                          std::set<std::string>& aliases, std::set<std::string>& names) {
  return connection.each(
      "SELECT g.name, substr(g.from_key, instr(g.from_key, ':') + 1), "
      "(g.from_key LIKE ':%' OR g.from_key LIKE 'unknown:%') AND n.name_key IS NULL "
      "FROM merges g LEFT JOIN temp.described_names n ON n.name_key = "
      "substr(g.from_key, instr(g.from_key, ':') + 1) WHERE g.root_key = ?",
      [&](const Row& row) {
        if (!row.text(0).empty()) aliases.insert(row.string(0));
        if (row.integer(2) != 0) names.insert(row.string(1));
      },
      key);
}

/// Gathers the facts of one entity, which come one after the other.
class EntityFold {
 public:
  /// merged: its entities may have merges.
  EntityFold(Connection& connection, bool merged) : connection_(&connection), merged_(merged) {}

  /// Columns: the fact's name key, the entity's key, name, type, mentions, first_seen, last_seen,
  /// aliases, the key by the fact itself.
  Result<> add(const Row& fact) {
    const std::string_view key = fact.text(1);
    if (key != key_) {
      BB5_TRY(finish());
      key_ = key;
    }
    const std::string name = fact.string(2);
    const std::string type = fact.string(3);
    const std::int64_t mentions = fact.integer(4);
    mention_count_ = add_up(mention_count_, mentions);
    if (fact.text(8) == key_) own_.add(name, type, mentions);
    all_.add(name, type, mentions);
    names_.insert(fact.string(0));
    const auto first_seen = fact.maybe_integer(5);
    first_seen_ = earlier(first_seen_, first_seen);
    last_seen_ = later(last_seen_, later(fact.maybe_integer(6), first_seen));
    for (auto& alias : read_string_list(fact.text(7))) aliases_.insert(std::move(alias));
    return ok();
  }

  /// Writes the entity gathered so far, if any, and begins anew.
  Result<> finish() {
    if (key_.empty()) return ok();
    const EntityTitle& title = own_.spellings.empty() ? all_ : own_;
    const std::string name = title.name();
    for (const auto& [spelling, mentions] : all_.spellings) aliases_.insert(spelling);
    const std::string name_key(name_of_key(key_));
    if (merged_) BB5_TRY(add_merged_names(*connection_, key_, aliases_, names_));
    BB5_TRY(connection_->run(
        "INSERT INTO temp.folded_entities VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)", key_, name_key,
        name, title.type, mention_count_, first_seen_, last_seen_,
        list_without(std::move(aliases_), name), list_without(std::move(names_), name_key)));
    *this = EntityFold(*connection_, merged_);
    return ok();
  }

 private:
  Connection* connection_;
  bool merged_;
  std::string key_;
  std::int64_t mention_count_ = 0;
  EntityTitle own_;  // by facts of the entity's own key
  EntityTitle all_;
  std::set<std::string> aliases_;
  std::set<std::string> names_;
  std::optional<std::int64_t> first_seen_;
  std::optional<std::int64_t> last_seen_;
};

/// Takes facts that were added into entities that are there already, without looking at the older
/// facts: an entity may have many.
class AdditionFold {
 public:
  explicit AdditionFold(Connection& connection) : connection_(connection) {}

  /// False: one of the facts makes a new entity, so the name must be folded from all its facts.
  Result<bool> run(const std::string& name_key, const std::vector<std::int64_t>& fact_seqs) {
    std::map<std::string, Grown> grown;  // by entity key
    for (const std::int64_t seq : fact_seqs) {
      bool known = true;
      auto taken = connection_.each(
          "SELECT entity_key, name, type, mentions, first_seen, last_seen, aliases FROM "
          "entity_facts "
          "WHERE seq = ?",
          [&](const Row& fact) -> Result<> {
            auto entity = entity_of(grown, fact.string(0));
            if (!entity) return std::move(entity).error();
            known = *entity != nullptr;
            if (known) (*entity)->add(fact);
            return ok();
          },
          seq);
      if (!taken) return std::move(taken).error();
      if (!known) return false;
    }
    for (auto& [key, entity] : grown) {
      BB5_TRY(choose_name(name_key, key, entity));
      BB5_TRY(connection_.run(
          "INSERT INTO temp.folded_entities VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)", key,
          name_key, entity.name, entity.type, entity.mention_count, entity.first_seen,
          entity.last_seen, write_string_list({entity.aliases.begin(), entity.aliases.end()})));
    }
    return true;
  }

 private:
  struct Grown {
    std::string name;
    std::string type;
    std::int64_t mention_count = 0;
    std::optional<std::int64_t> first_seen;
    std::optional<std::int64_t> last_seen;
    std::set<std::string> aliases;
    std::set<std::string> spellings;  // of the facts that were added

    void add(const Row& fact) {
      spellings.insert(fact.string(1));
      const std::string fact_type = fact.text(2).empty() ? "concept" : fact.string(2);
      type = std::min(type, fact_type);
      mention_count = add_up(mention_count, fact.integer(3));
      const auto first = fact.maybe_integer(4);
      first_seen = earlier(first_seen, first);
      last_seen = later(last_seen, later(fact.maybe_integer(5), first));
      for (auto& alias : read_string_list(fact.text(6))) aliases.insert(std::move(alias));
    }
  };

  /// Null when there is no such entity.
  Result<Grown*> entity_of(std::map<std::string, Grown>& grown, const std::string& key) {
    if (const auto known = grown.find(key); known != grown.end()) return &known->second;
    auto read = connection_.first(
        "SELECT name, type, mention_count, first_seen, last_seen, aliases FROM entities "
        "WHERE key = ? AND placeholder = 0",
        [](const Row& row) {
          Grown entity;
          entity.name = row.string(0);
          entity.type = row.string(1);
          entity.mention_count = row.integer(2);
          entity.first_seen = row.maybe_integer(3);
          entity.last_seen = row.maybe_integer(4);
          for (auto& alias : read_string_list(row.text(5))) entity.aliases.insert(std::move(alias));
          return entity;
        },
        key);
    if (!read) return std::move(read).error();
    if (!*read) return static_cast<Grown*>(nullptr);
    return &grown.emplace(key, std::move(**read)).first->second;
  }

  /// Only a spelling that gained mentions can take the name's place.
  Result<> choose_name(const std::string& name_key, const std::string& key, Grown& entity) {
    if (entity.spellings.size() == 1 && entity.spellings.contains(entity.name)) {
      entity.aliases.erase(entity.name);
      return ok();
    }
    std::set<std::string> candidates = entity.spellings;
    candidates.insert(entity.name);
    const std::string* best = nullptr;
    std::int64_t most = -1;
    for (const std::string& spelling : candidates) {
      auto mentions = connection_.integer(
          "SELECT CAST(total(mentions) AS INTEGER) FROM entity_facts "
          "WHERE name_key = ? AND entity_key = ? AND name = ?",
          name_key, key, spelling);
      if (!mentions) return std::move(mentions).error();
      if (*mentions > most) {
        most = *mentions;
        best = &spelling;
      }
    }
    entity.aliases.insert(candidates.begin(), candidates.end());
    entity.aliases.erase(*best);
    entity.name = *best;
    return ok();
  }

  Connection& connection_;
};

/// One run of the fold, over what the temporary tables name.
class Fold {
 public:
  Fold(Connection& connection, std::int64_t rev) : connection_(connection), rev_(rev) {}

  Result<> run() {
    BB5_TRY(fold_entities());
    BB5_TRY(write_entities());
    BB5_TRY(move_names());
    BB5_TRY(fold_edges());
    BB5_TRY(write_edges());
    BB5_TRY(fold_mentions());
    return write_mentions();
  }

 private:
  Result<> fold_entities() {
    // A name that is only used anew stays what it is while facts describe it or where it leads.
    BB5_TRY(connection_.run(
        "DELETE FROM temp.touched_names WHERE reason = 0 AND (EXISTS "
        "(SELECT 1 FROM entity_facts f WHERE f.name_key = touched_names.name_key) OR EXISTS "
        "(SELECT 1 FROM merged_names g JOIN entities e ON e.key = g.bare_root "
        " WHERE g.name_key = touched_names.name_key AND e.placeholder = 0))"));
    BB5_TRY(touch_groups());
    EntityFold entity(connection_, false);
    BB5_TRY(connection_.each(
        "SELECT f.name_key, f.entity_key, f.name, f.type, f.mentions, f.first_seen, f.last_seen, "
        "f.aliases, f.entity_key "
        "FROM temp.touched_names t CROSS JOIN entity_facts f ON f.name_key = t.name_key "
        "WHERE t.reason = 1 AND NOT EXISTS "
        "(SELECT 1 FROM merged_names g WHERE g.name_key = t.name_key) "
        "ORDER BY t.name_key, f.entity_key",
        [&](const Row& fact) { return entity.add(fact); }));
    BB5_TRY(entity.finish());
    if (groups_) BB5_TRY(fold_merged_entities());
    return fold_placeholders();
  }

  /// Names that merges join are folded together.
  Result<> touch_groups() {
    BB5_TRY(connection_.run(
        "INSERT INTO temp.touched_names SELECT DISTINCT o.name_key, 1 FROM temp.touched_names t "
        "CROSS JOIN merged_names g ON g.name_key = t.name_key "
        "CROSS JOIN merged_names o ON o.name_group = g.name_group WHERE true "
        "ON CONFLICT (name_key) DO UPDATE SET reason = 1"));
    groups_ = connection_.changes() > 0;
    return ok();
  }

  Result<> fold_merged_entities() {
    // What facts describe: the names that they bear, and the own names of entities.
    BB5_TRY(connection_.run(
        std::string("INSERT OR IGNORE INTO temp.described_names SELECT f.name_key FROM "
                    "temp.touched_names t CROSS JOIN merged_names g ON g.name_key = t.name_key "
                    "CROSS JOIN entity_facts f ON f.name_key = t.name_key "
                    "UNION SELECT substr(root, instr(root, ':') + 1) FROM (SELECT ")
            .append(root_of_fact)
            .append(" AS root FROM temp.touched_names t CROSS JOIN merged_names g ON g.name_key = "
                    "t.name_key CROSS JOIN entity_facts f ON f.name_key = t.name_key)")));
    EntityFold entity(connection_, true);
    BB5_TRY(connection_.each(
        std::string("SELECT f.name_key, ")
            .append(root_of_fact)
            .append(" AS root, f.name, f.type, f.mentions, f.first_seen, f.last_seen, f.aliases, "
                    "f.entity_key FROM temp.touched_names t "
                    "CROSS JOIN merged_names g ON g.name_key = t.name_key "
                    "CROSS JOIN entity_facts f ON f.name_key = t.name_key ORDER BY root"),
        [&](const Row& fact) { return entity.add(fact); }));
    return entity.finish();
  }

  /// Placeholders: names in use that no entity fact bears. The memories that name one are counted
  /// anew only where there is no count to go on from: some names are in every other memory.
  Result<> fold_placeholders() {
    BB5_TRY(connection_.run(
        "INSERT INTO temp.bare_names SELECT t.name_key, t.reason = 0 AND e.key IS NOT NULL, "
        "e.mention_count, g.bare_root, "
        "  min(coalesce((SELECT f.name FROM mention_facts f WHERE f.name_key = t.name_key ORDER BY "
        "f.name LIMIT 1), "
        "               x'FF'), "
        "      coalesce((SELECT f.subject FROM relationship_facts f WHERE f.subject_name_key = "
        "t.name_key "
        "                ORDER BY f.subject LIMIT 1), x'FF'), "
        "      coalesce((SELECT f.object FROM relationship_facts f WHERE f.object_name_key = "
        "t.name_key "
        "                ORDER BY f.object LIMIT 1), x'FF')) "
        "FROM temp.touched_names t LEFT JOIN entities e ON e.key = 'unknown:' || t.name_key AND "
        "e.placeholder = 1 LEFT JOIN merged_names g ON g.name_key = t.name_key "
        "WHERE NOT EXISTS (SELECT 1 FROM entity_facts f WHERE f.name_key = t.name_key)"));
    if (connection_.changes() == 0) return ok();
    BB5_TRY(connection_.run("DELETE FROM temp.bare_names WHERE name = x'FF'"));  // in use no more
    if (groups_) BB5_TRY(fold_merged_placeholders());
    BB5_TRY(connection_.run(
        "INSERT INTO temp.use_changes SELECT name_key, sum(memories) FROM ("
        "  SELECT f.name_key AS name_key, count(DISTINCT f.memory_seq) AS memories FROM "
        "temp.touched_memories t "
        "    CROSS JOIN mention_facts f ON f.memory_seq = t.memory_seq GROUP BY f.name_key "
        "  UNION ALL SELECT substr(x.entity_key, 9), -count(*) FROM temp.touched_memories t "
        "    CROSS JOIN mentions x ON x.memory_seq = t.memory_seq "
        "    WHERE substr(x.entity_key, 1, 8) = 'unknown:' GROUP BY 1) GROUP BY name_key"));
    return connection_.run(
        "INSERT INTO temp.folded_entities SELECT 'unknown:' || b.name_key, b.name_key, b.name, "
        "'unknown', "
        "  CASE WHEN b.counted THEN b.mention_count + coalesce(c.memories, 0) "
        "  ELSE (SELECT count(DISTINCT f.memory_seq) FROM mention_facts f WHERE f.name_key = "
        "b.name_key) END, "
        "  NULL, NULL, NULL, 1, NULL "
        "FROM temp.bare_names b LEFT JOIN temp.use_changes c ON c.name_key = b.name_key "
        "WHERE b.merged_key IS NULL");
  }

  /// All names in use that lead to one entity that no fact describes.
  Result<> fold_merged_placeholders() {
    BB5_TRY(connection_.run(
        "DELETE FROM temp.bare_names WHERE name_key IN (SELECT name_key FROM temp.described_names) "
        "OR merged_key IN (SELECT key FROM temp.folded_entities)"));
    std::vector<std::string> keys;
    BB5_TRY(connection_.each(
        "SELECT DISTINCT merged_key FROM temp.bare_names WHERE merged_key IS NOT NULL",
        [&](const Row& row) { keys.push_back(row.string(0)); }));
    for (const std::string& key : keys) {
      const std::string name_key(name_of_key(key));
      std::string name;
      std::int64_t memories = 0;
      BB5_TRY(connection_.each(
          "SELECT coalesce((SELECT name FROM temp.bare_names WHERE merged_key = ?1 AND name_key = "
          "?2), (SELECT min(name) FROM temp.bare_names WHERE merged_key = ?1)), "
          "(SELECT count(DISTINCT f.memory_seq) FROM temp.bare_names b CROSS JOIN mention_facts f "
          "ON f.name_key = b.name_key WHERE b.merged_key = ?1)",
          [&](const Row& row) {
            name = row.string(0);
            memories = row.integer(1);
          },
          key, name_key));
      std::set<std::string> aliases;
      std::set<std::string> names;
      BB5_TRY(add_merged_names(connection_, key, aliases, names));
      BB5_TRY(connection_.run(
          "INSERT INTO temp.folded_entities VALUES (?, ?, ?, 'unknown', ?, NULL, NULL, ?, 1, ?)",
          key, name_key, name, memories, list_without(std::move(aliases), name),
          list_without(std::move(names), name_key)));
    }
    return ok();
  }

  Result<> write_entities() {
    BB5_TRY(connection_.run(
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 0, CAST(e.key AS BLOB), ?1, 1 "
        "FROM temp.touched_names t CROSS JOIN entities e ON e.name_key = t.name_key "
        "WHERE t.reason <> 2 AND NOT EXISTS (SELECT 1 FROM temp.folded_entities n WHERE n.key = "
        "e.key) "
        "ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 1",
        rev_));
    if (connection_.changes() > 0) {
      BB5_TRY(connection_.run(
          "DELETE FROM entities WHERE key IN (SELECT e.key FROM temp.touched_names t "
          "CROSS JOIN entities e ON e.name_key = t.name_key "
          "WHERE t.reason <> 2 AND NOT EXISTS (SELECT 1 FROM temp.folded_entities n WHERE n.key = "
          "e.key))"));
    }
    BB5_TRY(connection_.run(
        "DELETE FROM temp.folded_entities WHERE EXISTS (SELECT 1 FROM entities e "
        "WHERE e.key = folded_entities.key AND e.name = folded_entities.name "
        "AND e.type = folded_entities.type AND e.mention_count = folded_entities.mention_count "
        "AND e.first_seen IS folded_entities.first_seen AND e.last_seen IS "
        "folded_entities.last_seen "
        "AND e.aliases IS folded_entities.aliases AND e.placeholder = "
        "folded_entities.placeholder AND e.names IS folded_entities.names)"));
    BB5_TRY(connection_.run(
        "INSERT INTO entities (key, name_key, name, type, mention_count, first_seen, last_seen, "
        "aliases, "
        "placeholder, names, rev) SELECT key, name_key, name, type, mention_count, first_seen, "
        "last_seen, aliases, "
        "placeholder, names, ?1 FROM temp.folded_entities WHERE true "
        "ON CONFLICT (key) DO UPDATE SET name = excluded.name, type = excluded.type, "
        "mention_count = excluded.mention_count, first_seen = excluded.first_seen, "
        "last_seen = excluded.last_seen, aliases = excluded.aliases, placeholder = "
        "excluded.placeholder, names = excluded.names, "
        "rev = excluded.rev",
        rev_));
    return connection_.run(
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 0, CAST(key AS BLOB), ?1, 0 "
        "FROM temp.folded_entities WHERE true "
        "ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0",
        rev_);
  }

  Result<> move_names() {
    BB5_TRY(connection_.run(
        "INSERT INTO temp.moved_names SELECT name_key, old_key, new_key FROM ("
        "SELECT t.name_key AS name_key, n.entity_key AS old_key, (SELECT e.key FROM entities e "
        "  WHERE e.name_key = t.name_key "
        "  ORDER BY e.mention_count DESC, e.first_seen IS NULL, e.first_seen, e.key LIMIT 1) AS "
        "new_key "
        "FROM temp.touched_names t LEFT JOIN names n ON n.name_key = t.name_key "
        "WHERE NOT EXISTS (SELECT 1 FROM merged_names g WHERE g.name_key = t.name_key)) "
        "WHERE old_key IS NOT new_key"));
    bool moved = connection_.changes() > 0;
    if (groups_) {
      BB5_TRY(connection_.run(
          std::string("INSERT INTO temp.moved_names SELECT name_key, old_key, new_key FROM ("
                      "SELECT t.name_key AS name_key, n.entity_key AS old_key, coalesce("
                      "(SELECT e.key FROM entities e WHERE e.placeholder = 0 AND "
                      "  (e.name_key = t.name_key OR e.key IN (SELECT ")
              .append(root_of_fact)
              .append(
                  " FROM entity_facts f WHERE f.name_key = t.name_key)) ORDER BY e.mention_count "
                  "DESC, e.first_seen IS NULL, e.first_seen, e.key LIMIT 1), "
                  "(SELECT e.key FROM entities e WHERE e.key = g.bare_root)) AS new_key "
                  "FROM temp.touched_names t CROSS JOIN merged_names g ON g.name_key = t.name_key "
                  "LEFT JOIN names n ON n.name_key = t.name_key) WHERE old_key IS NOT new_key")));
      moved = moved || connection_.changes() > 0;
    }
    if (!moved) return ok();
    BB5_TRY(
        connection_.run("DELETE FROM names WHERE name_key IN "
                        "(SELECT name_key FROM temp.moved_names WHERE new_key IS NULL)"));
    BB5_TRY(
        connection_.run("INSERT INTO names (name_key, entity_key) SELECT name_key, new_key "
                        "FROM temp.moved_names WHERE new_key IS NOT NULL "
                        "ON CONFLICT (name_key) DO UPDATE SET entity_key = excluded.entity_key"));
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.touched_edges "
        "SELECT f.subject_name_key, f.predicate, f.object_name_key FROM temp.moved_names m "
        "CROSS JOIN relationship_facts f ON f.subject_name_key = m.name_key WHERE "
        "f.object_name_key <> ''"));
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.touched_edges "
        "SELECT f.subject_name_key, f.predicate, f.object_name_key FROM temp.moved_names m "
        "CROSS JOIN relationship_facts f ON f.object_name_key = m.name_key WHERE "
        "f.subject_name_key <> ''"));
    return connection_.run(
        "INSERT OR IGNORE INTO temp.touched_memories SELECT f.memory_seq, m.id FROM "
        "temp.moved_names v "
        "CROSS JOIN mention_facts f ON f.name_key = v.name_key CROSS JOIN memories m ON m.seq = "
        "f.memory_seq");
  }

  Result<> fold_edges() {
    // Of names that mean one entity, all relationships count.
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.touched_edges "
        "SELECT f.subject_name_key, f.predicate, f.object_name_key FROM temp.touched_edges t "
        "CROSS JOIN merged_names g ON g.name_key = t.subject_name_key "
        "CROSS JOIN merged_names s ON s.name_group = g.name_group "
        "CROSS JOIN relationship_facts f ON f.subject_name_key = s.name_key AND f.predicate = "
        "t.predicate WHERE f.object_name_key = t.object_name_key OR EXISTS (SELECT 1 FROM "
        "merged_names h JOIN merged_names o ON o.name_group = h.name_group WHERE h.name_key = "
        "t.object_name_key AND o.name_key = f.object_name_key)"));
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.touched_edges "
        "SELECT f.subject_name_key, f.predicate, f.object_name_key FROM temp.touched_edges t "
        "CROSS JOIN merged_names g ON g.name_key = t.object_name_key "
        "CROSS JOIN merged_names o ON o.name_group = g.name_group "
        "CROSS JOIN relationship_facts f ON f.subject_name_key = t.subject_name_key AND "
        "f.predicate = t.predicate AND f.object_name_key = o.name_key"));
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.old_edges SELECT old_key FROM ("
        "SELECT CASE WHEN ms.name_key IS NULL THEN ns.entity_key ELSE ms.old_key END || '\u241F' "
        "|| t.predicate || '\u241F' || "
        "CASE WHEN mo.name_key IS NULL THEN no.entity_key ELSE mo.old_key END AS old_key "
        "FROM temp.touched_edges t "
        "LEFT JOIN names ns ON ns.name_key = t.subject_name_key "
        "LEFT JOIN names no ON no.name_key = t.object_name_key "
        "LEFT JOIN temp.moved_names ms ON ms.name_key = t.subject_name_key "
        "LEFT JOIN temp.moved_names mo ON mo.name_key = t.object_name_key) "
        "WHERE old_key IS NOT NULL"));
    // total() and the cast never overflow, where sum() fails.
    return connection_.run(
        "INSERT INTO temp.folded_edges "
        "SELECT subject_key || '\u241F' || predicate || '\u241F' || object_key, "
        "  subject_key, predicate, object_key, "
        "  (SELECT c.confidence FROM relationship_facts c WHERE c.seq = stated), "
        "  observation_count, first_observed, last_observed FROM ("
        "SELECT ns.entity_key AS subject_key, t.predicate AS predicate, no.entity_key AS "
        "object_key, max(CASE WHEN f.confidence IS NOT NULL THEN f.seq END) AS stated, "
        "  CAST(total(f.observation_count) AS INTEGER) AS observation_count, "
        "  min(f.first_observed) AS first_observed, "
        "  max(max(coalesce(f.last_observed, f.first_observed), coalesce(f.first_observed, "
        "f.last_observed))) AS last_observed "
        "FROM temp.touched_edges t "
        "CROSS JOIN relationship_facts f ON f.subject_name_key = t.subject_name_key "
        "  AND f.predicate = t.predicate AND f.object_name_key = t.object_name_key "
        "CROSS JOIN names ns ON ns.name_key = t.subject_name_key "
        "CROSS JOIN names no ON no.name_key = t.object_name_key "
        "GROUP BY ns.entity_key, t.predicate, no.entity_key)");
  }

  Result<> write_edges() {
    BB5_TRY(connection_.run(
        "INSERT INTO outbox (kind, key, rev, removed, parts) SELECT 1, CAST(r.key AS BLOB), ?1, 1, "
        "json_array(r.subject_key, r.predicate, r.object_key) FROM temp.old_edges t CROSS JOIN "
        "relationships r ON r.key = t.key "
        "WHERE NOT EXISTS (SELECT 1 FROM temp.folded_edges n WHERE n.key = t.key) "
        "ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 1, parts = "
        "excluded.parts",
        rev_));
    if (connection_.changes() > 0) {
      BB5_TRY(
          connection_.run("DELETE FROM relationships WHERE key IN (SELECT key FROM temp.old_edges "
                          "EXCEPT SELECT key FROM temp.folded_edges)"));
    }
    BB5_TRY(connection_.run(
        "DELETE FROM temp.folded_edges WHERE EXISTS (SELECT 1 FROM relationships r "
        "WHERE r.key = folded_edges.key AND r.confidence IS folded_edges.confidence "
        "AND r.observation_count = folded_edges.observation_count "
        "AND r.first_observed IS folded_edges.first_observed "
        "AND r.last_observed IS folded_edges.last_observed)"));
    BB5_TRY(connection_.run(
        "INSERT INTO relationships (key, subject_key, predicate, object_key, confidence, "
        "observation_count, "
        "first_observed, last_observed, rev) SELECT key, subject_key, predicate, object_key, "
        "confidence, "
        "observation_count, first_observed, last_observed, ?1 FROM temp.folded_edges WHERE true "
        "ON CONFLICT (key) DO UPDATE SET confidence = excluded.confidence, "
        "observation_count = excluded.observation_count, first_observed = excluded.first_observed, "
        "last_observed = excluded.last_observed, rev = excluded.rev",
        rev_));
    return connection_.run(
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 1, CAST(key AS BLOB), ?1, 0 "
        "FROM temp.folded_edges WHERE true "
        "ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0",
        rev_);
  }

  Result<> fold_mentions() {
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO temp.folded_mentions SELECT t.memory_seq, n.entity_key "
        "FROM temp.touched_memories t CROSS JOIN mention_facts f ON f.memory_seq = t.memory_seq "
        "CROSS JOIN names n ON n.name_key = f.name_key"));
    return connection_.run(
        "INSERT INTO temp.gone_mentions SELECT x.memory_seq, x.entity_key "
        "FROM temp.touched_memories t CROSS JOIN mentions x ON x.memory_seq = t.memory_seq "
        "WHERE NOT EXISTS (SELECT 1 FROM temp.folded_mentions n "
        "  WHERE n.memory_seq = x.memory_seq AND n.entity_key = x.entity_key)");
  }

  Result<> write_mentions() {
    if (connection_.changes() > 0) {
      BB5_TRY(
          connection_.run("INSERT INTO outbox (kind, key, rev, removed) SELECT 2, CAST(t.id || "
                          "g.entity_key AS BLOB), ?1, 1 "
                          "FROM temp.gone_mentions g CROSS JOIN temp.touched_memories t ON "
                          "t.memory_seq = g.memory_seq "
                          "WHERE t.id IS NOT NULL "
                          "ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 1",
                          rev_));
      BB5_TRY(
          connection_.run("DELETE FROM mentions WHERE (memory_seq, entity_key) IN "
                          "(SELECT memory_seq, entity_key FROM temp.gone_mentions)"));
    }
    BB5_TRY(
        connection_.run("DELETE FROM temp.folded_mentions WHERE EXISTS (SELECT 1 FROM mentions x "
                        "WHERE x.memory_seq = folded_mentions.memory_seq AND x.entity_key = "
                        "folded_mentions.entity_key AND x.rev <> 0)"));
    BB5_TRY(
        connection_.run("INSERT INTO mentions (memory_seq, entity_key, rev) "
                        "SELECT memory_seq, entity_key, ?1 FROM temp.folded_mentions WHERE true "
                        "ON CONFLICT (memory_seq, entity_key) DO UPDATE SET rev = excluded.rev",
                        rev_));
    return connection_.run(
        "INSERT INTO outbox (kind, key, rev, removed) SELECT 2, CAST(t.id || n.entity_key AS "
        "BLOB), ?1, 0 "
        "FROM temp.folded_mentions n CROSS JOIN temp.touched_memories t ON t.memory_seq = "
        "n.memory_seq "
        "WHERE true ON CONFLICT (kind, key) DO UPDATE SET rev = excluded.rev, removed = 0",
        rev_);
  }

  Connection& connection_;
  std::int64_t rev_;
  bool groups_ = false;  // names that merges join are among the touched ones
};

Result<> clear_temporary_tables(Connection& connection) {
  for (const char* sql : {"DELETE FROM temp.touched_names", "DELETE FROM temp.bare_names",
                          "DELETE FROM temp.use_changes", "DELETE FROM temp.described_names",
                          "DELETE FROM temp.touched_edges", "DELETE FROM temp.old_edges",
                          "DELETE FROM temp.touched_memories", "DELETE FROM temp.folded_entities",
                          "DELETE FROM temp.moved_names", "DELETE FROM temp.folded_edges",
                          "DELETE FROM temp.folded_mentions", "DELETE FROM temp.gone_mentions"}) {
    BB5_TRY(connection.run(sql));
  }
  return ok();
}

Result<> put_touched_memories(Connection& connection, const Touched& touched) {
  for (const auto& [seq, id] : touched.memories) {
    BB5_TRY(connection.run("INSERT INTO temp.touched_memories VALUES (?, ?)", seq, id));
  }
  return ok();
}

Result<std::int64_t> next_rev(Connection& connection) {
  return connection.integer(
      "UPDATE bank SET graph_rev = graph_rev + 1, graph_stale = 0 RETURNING graph_rev");
}

}  // namespace

Result<> prepare_fold(Connection& connection) {
  return connection.script(temporary_tables);
}

Result<> project_anew(Connection& connection, std::int64_t memory_seq) {
  return connection.run("UPDATE mentions SET rev = 0 WHERE memory_seq = ?", memory_seq);
}

Result<> fold_touched(Connection& connection, const Touched& touched) {
  if (touched.empty()) return ok();
  BB5_TRY(clear_temporary_tables(connection));
  AdditionFold additions(connection);
  for (const auto& [name, facts] : touched.described_names) {
    bool taken_in = false;
    auto merged = connection.integer("SELECT count(*) FROM merged_names WHERE name_key = ?", name);
    if (!merged) return std::move(merged).error();
    if (!facts.some_removed && *merged == 0) {
      auto done = additions.run(name, facts.added);
      if (!done) return std::move(done).error();
      taken_in = *done;
    }
    BB5_TRY(connection.run("INSERT INTO temp.touched_names VALUES (?, ?)", name, taken_in ? 2 : 1));
  }
  for (const std::string& name : touched.used_names) {
    BB5_TRY(connection.run("INSERT OR IGNORE INTO temp.touched_names VALUES (?, 0)", name));
  }
  for (const auto& [subject, predicate, object] : touched.edges) {
    BB5_TRY(connection.run("INSERT INTO temp.touched_edges VALUES (?, ?, ?)", subject, predicate,
                           object));
  }
  BB5_TRY(put_touched_memories(connection, touched));
  auto rev = next_rev(connection);
  if (!rev) return std::move(rev).error();
  return Fold(connection, *rev).run();
}

Result<> fold_everything(Connection& connection, const Touched& touched) {
  BB5_TRY(clear_temporary_tables(connection));
  BB5_TRY(connection.run(
      "INSERT INTO temp.touched_names SELECT name_key, 1 FROM (SELECT name_key FROM entity_facts "
      "UNION SELECT name_key FROM mention_facts UNION SELECT subject_name_key FROM "
      "relationship_facts "
      "UNION SELECT object_name_key FROM relationship_facts UNION SELECT name_key FROM entities "
      "UNION SELECT name_key FROM names) WHERE name_key <> ''"));
  BB5_TRY(connection.run(
      "INSERT INTO temp.touched_edges SELECT DISTINCT subject_name_key, predicate, object_name_key "
      "FROM relationship_facts WHERE subject_name_key <> '' AND object_name_key <> ''"));
  // Rows that no fact accounts for, left by a fault, are taken for old ones.
  BB5_TRY(connection.run("INSERT INTO temp.old_edges SELECT key FROM relationships"));
  BB5_TRY(put_touched_memories(connection, touched));
  BB5_TRY(connection.run(
      "INSERT OR IGNORE INTO temp.touched_memories SELECT s.memory_seq, m.id FROM "
      "(SELECT memory_seq FROM mention_facts UNION SELECT memory_seq FROM mentions) s "
      "LEFT JOIN memories m ON m.seq = s.memory_seq"));
  auto rev = next_rev(connection);
  if (!rev) return std::move(rev).error();
  return Fold(connection, *rev).run();
}

}  // namespace bb5::embedded
