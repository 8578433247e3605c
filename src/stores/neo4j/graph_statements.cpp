#include "stores/neo4j/graph_statements.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "base/utf8.hpp"
#include "model/graph.hpp"
#include "stores/neo4j/graph_keys.hpp"

namespace bb5::neo4j {
namespace {

using nlohmann::json;

// ---- Checking and picking the changes
// -------------------------------------------------------------

char kind_letter(GraphChange::Kind kind) {
  switch (kind) {
    case GraphChange::Kind::entity:
      return 'e';
    case GraphChange::Kind::relationship:
      return 'r';
    case GraphChange::Kind::mention:
      return 'm';
  }
  return '?';
}

std::string row_key(const GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      return change.entity.key;
    case GraphChange::Kind::relationship:
      return relationship_key(change.relationship);
    case GraphChange::Kind::mention:
      return change.mention.memory.to_string() + std::string(separator) + change.mention.entity_key;
  }
  return {};
}

Error bad_row(const GraphChange& change, std::string_view what) {
  const std::string key = to_storable_utf8(row_key(change));
  return Error{.code = Errc::invalid_argument,
               .message = "graph row " + std::string(first_code_points(key, 200)) + ": " +
                          std::string(what)};
}

bool is_finite(const std::optional<double>& number) {
  return !number || std::isfinite(*number);
}

Result<> check(const GraphChange& change) {
  std::vector<std::string_view> texts;
  std::vector<std::string_view> keys;
  switch (change.kind) {
    case GraphChange::Kind::entity:
      keys = {change.entity.key};
      texts = {change.entity.name, change.entity.type};
      texts.insert(texts.end(), change.entity.aliases.begin(), change.entity.aliases.end());
      texts.insert(texts.end(), change.entity.names.begin(), change.entity.names.end());
      break;
    case GraphChange::Kind::relationship:
      keys = {change.relationship.subject_key, change.relationship.object_key};
      texts = {change.relationship.predicate};
      if (!is_finite(change.relationship.confidence))
        return bad_row(change, "its confidence is not a finite number");
      break;
    case GraphChange::Kind::mention:
      keys = {change.mention.entity_key};
      texts = {change.mention_network};
      break;
  }
  for (const auto key : keys)
    if (key.empty()) return bad_row(change, "an entity's key is empty");
  texts.insert(texts.end(), keys.begin(), keys.end());
  for (const auto text : texts)
    if (find_invalid_utf8(text)) return bad_row(change, "a text is not well-formed UTF-8");
  return ok();
}

/// A change with the keys that it is sorted and written by.
struct Row {
  const GraphChange* change = nullptr;
  std::string key;
  std::string type;  ///< Of a relationship.
};

/// The newest change of each row, a removal before an equally new write.
std::vector<Row> newest(std::span<const GraphChange> changes) {
  std::vector<Row> rows;
  rows.reserve(changes.size());
  for (const auto& change : changes)
    rows.push_back({.change = &change,
                    .key = row_key(change),
                    .type = change.kind == GraphChange::Kind::relationship
                                ? relationship_type_of(change.relationship.predicate)
                                : std::string{}});
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tuple(a.change->kind, std::string_view(a.key), -a.change->rev, !a.change->removed) <
           std::tuple(b.change->kind, std::string_view(b.key), -b.change->rev, !b.change->removed);
  });
  const auto same_row = [](const Row& a, const Row& b) {
    return a.change->kind == b.change->kind && a.key == b.key;
  };
  rows.erase(std::unique(rows.begin(), rows.end(), same_row), rows.end());
  return rows;
}

// ---- Writing
// --------------------------------------------------------------------------------------

// Rows that a tombstone of the same or a later revision names are left out. Where nothing of the
// bank was ever removed so late, no tombstone is looked up.
constexpr std::string_view unwind_unless_removed =
    "MATCH (s:SyncState {bank: $bank}) "
    "UNWIND $rows AS row "
    "WITH s, row WHERE row.r > s.removed_rev "
    "OR NOT EXISTS { MATCH (t:Tombstone {key: row.d}) WHERE t.rev >= row.r } ";

constexpr std::string_view bury =
    "UNWIND $rows AS row "
    "MERGE (t:Tombstone {key: row.d}) "
    "ON CREATE SET t.bank = $bank, t.kind = $kind, t.rev = row.r "
    "SET t.rev = CASE WHEN t.rev < row.r THEN row.r ELSE t.rev END "
    "WITH row ";

/// MERGE of one end of a relationship, whose entity may come in a later transaction.
std::string merge_end(std::string_view end) {
  return fmt::format(
      "MERGE ({0}:Entity {{key: row.{0}}}) ON CREATE SET {0}.bank = $bank, {0}.bare = true, "
      "{0}.order_key = row.{0}o, {0}.full_key = row.{0}f, {0}.sort_key = row.{0}s ",
      end);
}

void put(json& row, const char* name, const std::optional<Timestamp>& time) {
  if (time) row[name] = to_rfc3339(*time);
}

/// The keys of one end, under `prefix`, `prefix`o, …
void put_end(json& row, const std::string& prefix, const StoredKey& key) {
  row[prefix + "o"] = order_key_of(key);
  if (key.full) row[prefix + "f"] = *key.full;
  if (key.sort) row[prefix + "s"] = *key.sort;
  row[prefix] = key.key;
}

/// Bytes that a row takes in JSON, roughly.
std::size_t bytes_of(const json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() + 6;
  std::size_t bytes = 8;
  if (value.is_structured())
    for (const auto& part : value) bytes += bytes_of(part) + 6;
  return bytes;
}

/// Collects the rows of one text and cuts them into statements.
class Pieces {
 public:
  Pieces(std::string text, json parameters, const PieceLimits& limits, std::vector<Statement>& to)
      : text_(std::move(text)), parameters_(std::move(parameters)), limits_(limits), to_(to) {}

  void add(json row) {
    const std::size_t bytes = bytes_of(row);
    if (!rows_.empty() && (rows_.size() >= limits_.rows || bytes_ + bytes > limits_.bytes))
      finish();
    bytes_ += bytes;
    rows_.push_back(std::move(row));
  }

  void finish() {
    if (rows_.empty()) return;
    json parameters = parameters_;
    parameters["rows"] = std::move(rows_);
    to_.push_back({.text = text_, .parameters = std::move(parameters)});
    rows_ = json::array();
    bytes_ = 0;
  }

 private:
  std::string text_;
  json parameters_;
  const PieceLimits& limits_;
  std::vector<Statement>& to_;
  json rows_ = json::array();
  std::size_t bytes_ = 0;
};

class ApplyBuilder {
 public:
  ApplyBuilder(std::string_view bank, const PieceLimits& limits) : bank_(bank), limits_(limits) {}

  std::vector<Statement> build(std::span<const GraphChange> changes) {
    std::vector<Row> rows = newest(changes);
    const auto begin_of = [&rows](GraphChange::Kind kind) {
      return std::partition_point(rows.begin(), rows.end(),
                                  [kind](const Row& row) { return row.change->kind < kind; });
    };
    const auto relationships = begin_of(GraphChange::Kind::relationship);
    const auto mentions = begin_of(GraphChange::Kind::mention);
    statements_.emplace_back();  // The bank's SyncState: filled when everything has been seen.
    write_entities({rows.begin(), relationships});
    write_relationships({relationships, mentions});
    write_mentions({mentions, rows.end()});
    remove_relationships({relationships, mentions});
    remove_mentions({mentions, rows.end()});
    remove_entities({rows.begin(), relationships});
    remove_lonely_nodes();
    statements_.front() = sync_state(changes);
    return std::move(statements_);
  }

 private:
  json parameters() const { return json{{"bank", bank_}}; }
  json parameters(const char* kind) const { return json{{"bank", bank_}, {"kind", kind}}; }

  json start_row(const Row& row) {
    return json{{"r", row.change->rev},
                {"d", tombstone_key(bank_, kind_letter(row.change->kind), row.key)}};
  }

  StoredKey stored(std::string_view entity_key) {
    StoredKey key = stored_entity_key(bank_, entity_key);
    odd_keys_ = odd_keys_ || key.odd();
    return key;
  }

  /// Comes first, so that it locks the bank for this transaction.
  Statement sync_state(std::span<const GraphChange> changes) const {
    std::int64_t rev = -1;
    std::int64_t outbox_id = -1;
    std::int64_t removed_rev = -1;
    for (const auto& change : changes) {
      rev = std::max(rev, change.rev);
      outbox_id = std::max(outbox_id, change.outbox_id);
      if (change.removed) removed_rev = std::max(removed_rev, change.rev);
    }
    json values = parameters();
    values["rev"] = rev;
    values["outbox_id"] = outbox_id;
    values["removed_rev"] = removed_rev;
    values["odd_keys"] = odd_keys_;
    return {
        .text =
            "MERGE (s:SyncState {bank: $bank}) "
            "ON CREATE SET s.rev = -1, s.outbox_id = -1, s.removed_rev = -1, s.odd_keys = false "
            "SET s.applied_at = datetime(), s.odd_keys = s.odd_keys OR $odd_keys, "
            "s.rev = CASE WHEN s.rev < $rev THEN $rev ELSE s.rev END, "
            "s.outbox_id = CASE WHEN s.outbox_id < $outbox_id THEN $outbox_id "
            "ELSE s.outbox_id END, "
            "s.removed_rev = CASE WHEN s.removed_rev < $removed_rev THEN $removed_rev "
            "ELSE s.removed_rev END",
        .parameters = std::move(values)};
  }

  void write_entities(std::span<const Row> rows) {
    Pieces pieces(
        std::string(unwind_unless_removed) +
            "MERGE (e:Entity {key: row.k}) "
            "WITH e, row WHERE coalesce(e.rev, -1) <= row.r "
            "SET e.bank = $bank, e.name = row.n, e.type = row.t, e.mention_count = row.c, "
            "e.first_seen = datetime(row.fs), e.last_seen = datetime(row.ls), "
            "e.aliases = row.a, e.placeholder = row.p, e.rev = row.r, e.bare = null, "
            "e.order_key = row.ko, e.full_key = row.kf, e.sort_key = row.ks, "
            "e.name_key = row.nk, e.names = row.ns, e.named_in = row.ni",
        parameters(), limits_, statements_);
    for (const Row& row : rows) {
      if (row.change->removed) continue;
      const Entity& entity = row.change->entity;
      json values = start_row(row);
      put_end(values, "k", stored(entity.key));
      values["nk"] = lookup_key(bank_, name_of_key(entity.key));
      values["n"] = entity.name;
      values["t"] = entity.type;
      values["c"] = entity.mention_count;
      put(values, "fs", entity.first_seen);
      put(values, "ls", entity.last_seen);
      values["a"] = entity.aliases;
      values["p"] = entity.placeholder;
      if (!entity.names.empty()) {
        values["ns"] = entity.names;
        values["ni"] = bank_;
      }
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void write_relationships(std::span<const Row> rows) {
    std::vector<const Row*> sorted;
    for (const Row& row : rows)
      if (!row.change->removed) sorted.push_back(&row);
    // Locks are taken in one order by everybody who writes relationships.
    const auto rank = [](const Row* row) {
      const std::string_view subject = row->change->relationship.subject_key;
      const std::string_view object = row->change->relationship.object_key;
      return std::tuple(std::string_view(row->type), std::min(subject, object),
                        std::max(subject, object), std::string_view(row->key));
    };
    std::sort(sorted.begin(), sorted.end(),
              [&rank](const Row* a, const Row* b) { return rank(a) < rank(b); });
    // The type is a value: one plan serves all of them, and no predicate becomes a part of a
    // statement. A statement for each type costs 50 to 100 ms of planning for each.
    Pieces pieces(std::string(unwind_unless_removed) + merge_end("a") + merge_end("b") +
                      "MERGE (a)-[x:$(row.y) {rel_key: row.k}]->(b) "
                      "WITH x, row WHERE coalesce(x.rev, -1) <= row.r "
                      "SET x.predicate = row.p, x.predicate_key = row.ps, x.sort_key = row.s, "
                      "x.confidence = row.c, x.observation_count = row.n, "
                      "x.first_observed = datetime(row.fo), x.last_observed = datetime(row.lo), "
                      "x.rev = row.r",
                  parameters(), limits_, statements_);
    for (const Row* row : sorted) {
      const Relationship& relationship = row->change->relationship;
      json values = start_row(*row);
      put_end(values, "a", stored(relationship.subject_key));
      put_end(values, "b", stored(relationship.object_key));
      values["y"] = row->type;
      values["k"] = row->key;
      if (!is_sortable(row->key)) values["s"] = sortable(row->key);
      values["p"] = relationship.predicate;
      if (!is_sortable(relationship.predicate)) values["ps"] = sortable(relationship.predicate);
      if (relationship.confidence) values["c"] = *relationship.confidence;
      values["n"] = relationship.observation_count;
      put(values, "fo", relationship.first_observed);
      put(values, "lo", relationship.last_observed);
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void write_mentions(std::span<const Row> rows) {
    Pieces pieces(std::string(unwind_unless_removed) +
                      "MERGE (m:Memory {key: row.m}) "
                      "ON CREATE SET m.bank = $bank, m.id = row.i " +
                      merge_end("e") +
                      "MERGE (m)-[x:MENTIONS]->(e) "
                      "SET x.rev = CASE WHEN x.rev > row.r THEN x.rev ELSE row.r END "
                      "WITH m, row WHERE coalesce(m.rev, -1) <= row.r "
                      "SET m.bank = $bank, m.id = row.i, m.network = row.n, m.rev = row.r",
                  parameters(), limits_, statements_);
    for (const Row& row : rows) {
      if (row.change->removed) continue;
      json values = start_row(row);
      put_end(values, "e", stored(row.change->mention.entity_key));
      values["m"] = memory_key(bank_, row.change->mention.memory);
      values["i"] = row.change->mention.memory.to_string();
      values["n"] = row.change->mention_network;
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void remove_relationships(std::span<const Row> rows) {
    // A relationship without rel_key was made by hand; it is known by its ends and its type.
    Pieces pieces(std::string(bury) +
                      "MATCH (:Entity {key: row.a})-[x]->(:Entity {key: row.b}) "
                      "WHERE (x.rel_key = row.k OR "
                      "(x.rel_key IS NULL AND coalesce(x.predicate, type(x)) = row.p)) "
                      "AND coalesce(x.rev, -1) <= row.r "
                      "DELETE x",
                  parameters("relationship"), limits_, statements_);
    for (const Row& row : rows) {
      if (!row.change->removed) continue;
      const Relationship& relationship = row.change->relationship;
      json values = start_row(row);
      const std::string subject = stored(relationship.subject_key).key;
      const std::string object = stored(relationship.object_key).key;
      values["a"] = subject;
      values["b"] = object;
      values["k"] = row.key;
      values["p"] = relationship.predicate;
      lonely_entities_.insert({subject, object});
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void remove_mentions(std::span<const Row> rows) {
    Pieces pieces(std::string(bury) +
                      "MATCH (:Memory {key: row.m})-[x:MENTIONS]->(:Entity {key: row.e}) "
                      "WHERE coalesce(x.rev, -1) <= row.r "
                      "DELETE x",
                  parameters("mention"), limits_, statements_);
    for (const Row& row : rows) {
      if (!row.change->removed) continue;
      json values = start_row(row);
      const std::string memory = memory_key(bank_, row.change->mention.memory);
      const std::string entity = stored(row.change->mention.entity_key).key;
      values["m"] = memory;
      values["e"] = entity;
      lonely_memories_.insert(memory);
      lonely_entities_.insert(entity);
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void remove_entities(std::span<const Row> rows) {
    // Not deleted at once: a relationship of a later revision may be there already.
    Pieces pieces(std::string(bury) +
                      "MATCH (e:Entity {key: row.k}) WHERE coalesce(e.rev, -1) <= row.r "
                      "SET e = {key: e.key, bank: e.bank, order_key: e.order_key, "
                      "full_key: e.full_key, sort_key: e.sort_key, bare: true}",
                  parameters("entity"), limits_, statements_);
    for (const Row& row : rows) {
      if (!row.change->removed) continue;
      json values = start_row(row);
      const std::string key = stored(row.change->entity.key).key;
      values["k"] = key;
      lonely_entities_.insert(key);
      pieces.add(std::move(values));
    }
    pieces.finish();
  }

  void remove_lonely_nodes() {
    Pieces entities(
        "UNWIND $rows AS key MATCH (e:Entity {key: key}) WHERE e.bare AND NOT EXISTS { (e)--() } "
        "DELETE e",
        parameters(), limits_, statements_);
    for (const auto& key : lonely_entities_) entities.add(key);
    entities.finish();
    Pieces memories(
        "UNWIND $rows AS key MATCH (m:Memory {key: key}) WHERE NOT EXISTS { (m)--() } DELETE m",
        parameters(), limits_, statements_);
    for (const auto& key : lonely_memories_) memories.add(key);
    memories.finish();
  }

  std::string bank_;
  PieceLimits limits_;
  bool odd_keys_ = false;
  std::set<std::string> lonely_entities_;
  std::set<std::string> lonely_memories_;
  std::vector<Statement> statements_;
};

// ---- Reading
// --------------------------------------------------------------------------------------

json page_parameters(std::string_view bank, std::size_t limit) {
  // Cypher's numbers end at 2^63 - 1.
  constexpr std::size_t most = std::size_t{1} << 53;
  return json{
      {"start", bank_start(bank)}, {"end", bank_end(bank)}, {"limit", std::min(limit, most)}};
}

constexpr std::string_view entity_columns =
    "coalesce(e.full_key, e.key), e.name, e.type, e.mention_count, e.first_seen, e.last_seen, "
    "e.aliases, e.placeholder, e.rev, e.names";

/// The subject's key, the predicate and the object's key in one text, for relationships made by
/// hand.
constexpr std::string_view relationship_order =
    "coalesce(r.sort_key, r.rel_key, substring(s.key, size($start)) + '\u241F' + "
    "coalesce(r.predicate, type(r)) + '\u241F' + substring(o.key, size($start)))";

constexpr std::string_view relationship_columns =
    "coalesce(s.full_key, s.key), coalesce(r.predicate, type(r)), coalesce(o.full_key, o.key), "
    "r.confidence, r.observation_count, r.first_observed, r.last_observed, r.rev";

std::string text_at(const json& row, std::size_t at) {
  return row.is_array() && at < row.size() && row[at].is_string() ? row[at].get<std::string>()
                                                                  : std::string{};
}

std::int64_t integer_at(const json& row, std::size_t at) {
  return row.is_array() && at < row.size() && row[at].is_number_integer()
             ? row[at].get<std::int64_t>()
             : -1;
}

std::optional<double> number_at(const json& row, std::size_t at) {
  if (!row.is_array() || at >= row.size() || !row[at].is_number()) return std::nullopt;
  return row[at].get<double>();
}

std::optional<Timestamp> time_at(const json& row, std::size_t at) {
  return parse_time(text_at(row, at));
}

std::string entity_key_at(const json& row, std::size_t at, std::string_view bank) {
  std::string key = text_at(row, at);
  if (const std::string start = bank_start(bank); key.starts_with(start))
    key.erase(0, start.size());
  return key;
}

}  // namespace

Result<std::vector<Statement>> apply_statements(std::string_view bank,
                                                std::span<const GraphChange> changes,
                                                const PieceLimits& limits) {
  if (changes.empty()) return std::vector<Statement>{};
  for (const auto& change : changes) BB5_TRY(check(change));
  return ApplyBuilder(bank, limits).build(changes);
}

std::vector<Statement> count_statements(std::string_view bank) {
  const json parameters = page_parameters(bank, 0);
  return {{.text = "MATCH (e:Entity) WHERE e.key >= $start AND e.key < $end AND e.bare IS NULL "
                   "RETURN count(e)",
           .parameters = parameters},
          {.text = "MATCH (s:Entity) WHERE s.key >= $start AND s.key < $end "
                   "MATCH (s)-[r]->(:Entity) RETURN count(r)",
           .parameters = parameters},
          {.text = "MATCH (m:Memory) WHERE m.key >= $start AND m.key < $end "
                   "MATCH (m)-[r:MENTIONS]->(:Entity) RETURN count(r)",
           .parameters = parameters}};
}

Statement odd_keys_statement(std::string_view bank) {
  return {.text = "MATCH (s:SyncState {bank: $bank}) RETURN s.odd_keys",
          .parameters = json{{"bank", bank}}};
}

Statement entities_statement(std::string_view bank, std::string_view after_key, std::size_t limit,
                             bool odd_keys) {
  json parameters = page_parameters(bank, limit);
  const std::string after = bank_start(bank) + std::string(after_key);
  if (odd_keys) {
    parameters["after"] = sortable(after);
    return {.text =
                "MATCH (e:Entity) WHERE e.key >= $start AND e.key < $end AND e.bare IS NULL "
                "WITH e, coalesce(e.sort_key, e.key) AS k WHERE k > $after "
                "RETURN " +
                std::string(entity_columns) + " ORDER BY k LIMIT $limit",
            .parameters = std::move(parameters)};
  }
  // The index compares bytes and gives them in order; without the hint a planner could sort.
  parameters["after"] = after;
  return {.text =
              "MATCH (e:Entity) USING INDEX e:Entity(key) "
              "WHERE e.key > $after AND e.key < $end AND e.bare IS NULL "
              "RETURN " +
              std::string(entity_columns) + " ORDER BY e.key LIMIT $limit",
          .parameters = std::move(parameters)};
}

Statement relationships_statement(std::string_view bank, std::string_view after_key,
                                  std::size_t limit, bool odd_keys) {
  json parameters = page_parameters(bank, limit);
  parameters["after"] = sortable(after_key);
  const std::string end = " AS k WHERE k > $after RETURN " + std::string(relationship_columns);
  if (odd_keys)
    return {.text =
                "MATCH (s:Entity) WHERE s.key >= $start AND s.key < $end "
                "MATCH (s)-[r]->(o:Entity) WITH s, r, o, " +
                std::string(relationship_order) + end + " ORDER BY k LIMIT $limit",
            .parameters = std::move(parameters)};
  // All relationships of a subject lie together, subjects in the order of `key ␟`: those before the
  // last page's end are skipped by the index.
  std::size_t first = after_key.find(separator);
  first = first == std::string_view::npos ? after_key.size() : first + separator.size();
  parameters["from"] = sortable(bank_start(bank) + std::string(after_key.substr(0, first)));
  return {.text =
              "MATCH (s:Entity) USING INDEX s:Entity(order_key) "
              "WHERE s.order_key >= $from AND s.order_key < $end "
              "MATCH (s)-[r]->(o:Entity) WITH s, r, o, " +
              std::string(relationship_order) + end + " ORDER BY s.order_key, k LIMIT $limit",
          .parameters = std::move(parameters)};
}

Statement mentions_statement(std::string_view bank, const Mention& after, std::size_t limit) {
  json parameters = page_parameters(bank, limit);
  parameters["from"] = memory_key(bank, after.memory);
  parameters["after"] = sortable(bank_start(bank) + after.entity_key);
  return {.text =
              "MATCH (m:Memory) USING INDEX m:Memory(key) WHERE m.key >= $from AND m.key < $end "
              "MATCH (m)-[r:MENTIONS]->(e:Entity) "
              "WITH m, r, e, coalesce(e.sort_key, e.key) AS k "
              "WHERE m.key > $from OR k > $after "
              "RETURN m.key, coalesce(e.full_key, e.key), r.rev ORDER BY m.key, k LIMIT $limit",
          .parameters = std::move(parameters)};
}

Statement neighbours_statement(std::string_view bank, std::string_view entity_key,
                               std::size_t limit) {
  json parameters = page_parameters(bank, limit);
  parameters["key"] = stored_entity_key(bank, entity_key).key;
  // The other end is told by its bank and not by a range of keys: a plan could start from that.
  // A relationship of an entity to itself is seen from both its ends.
  parameters["bank"] = bank;
  return {.text =
              "MATCH (s:Entity {key: $key}) USING INDEX s:Entity(key) "
              "CALL (s) { MATCH (s)-[r]->(e:Entity) RETURN r, e, true AS outgoing "
              "UNION ALL MATCH (s)<-[r]-(e:Entity) RETURN r, e, false AS outgoing } "
              "WITH r, e, outgoing, coalesce(r.predicate, type(r)) AS p "
              "WHERE e.bank = $bank AND e.bare IS NULL "
              "RETURN " +
              std::string(entity_columns) +
              ", p, outgoing, r.confidence "
              "ORDER BY r.confidence IS NULL, r.confidence DESC, "
              "coalesce(e.sort_key, e.key), coalesce(r.predicate_key, p), outgoing DESC "
              "LIMIT $limit",
          .parameters = std::move(parameters)};
}

Statement entity_named_statement(std::string_view bank, std::string_view name) {
  json parameters = page_parameters(bank, 1);
  parameters["bank"] = bank;
  parameters["plain"] = name_key_of(name);
  parameters["name"] = lookup_key(bank, name_key_of(name));
  return {.text =
              // Its own name, or one that merges lead to it.
          "CALL { MATCH (e:Entity {name_key: $name}) RETURN e UNION "
          "MATCH (e:Entity {named_in: $bank}) WHERE $plain IN e.names RETURN e } "
          "WITH e WHERE e.bare IS NULL "
          "RETURN " +
          std::string(entity_columns) +
          " ORDER BY coalesce(e.placeholder, false), e.mention_count DESC, e.first_seen, "
          "coalesce(e.sort_key, e.key) LIMIT $limit",
          .parameters = std::move(parameters)};
}

std::vector<Statement> clear_statements(std::string_view bank, std::size_t relationships,
                                        std::size_t nodes) {
  json parameters = page_parameters(bank, 0);
  parameters["relationships"] = relationships;
  parameters["nodes"] = nodes;
  std::vector<Statement> statements;
  // First the relationships of the next nodes, then those of the nodes that have none left: neither
  // a dense node nor a large bank makes a large transaction.
  for (const std::string label : {"Memory", "Entity"}) {
    const std::string next =
        "MATCH (n:" + label + ") WHERE n.key >= $start AND n.key < $end WITH n LIMIT $nodes ";
    statements.push_back({.text = next + "MATCH (n)-[r]-() WITH DISTINCT r LIMIT $relationships "
                                         "DELETE r RETURN count(r)",
                          .parameters = parameters});
    statements.push_back(
        {.text = next + "WITH n WHERE NOT EXISTS { (n)--() } DELETE n RETURN count(n)",
         .parameters = parameters});
  }
  statements.push_back({.text = "MATCH (t:Tombstone) WHERE t.key >= $start AND t.key < $end "
                                "WITH t LIMIT $nodes DELETE t RETURN count(t)",
                        .parameters = parameters});
  // Last, since it says how the rest is to be read.
  parameters["bank"] = bank;
  statements.push_back(
      {.text = "MATCH (s:SyncState {bank: $bank}) WHERE NOT EXISTS "
               "{ MATCH (t:Tombstone) WHERE t.key >= $start AND t.key < $end } AND NOT EXISTS "
               "{ MATCH (e:Entity) WHERE e.key >= $start AND e.key < $end } "
               "DELETE s RETURN count(s)",
       .parameters = std::move(parameters)});
  return statements;
}

Entity entity_from(const json& row, std::string_view bank) {
  Entity entity{.key = entity_key_at(row, 0, bank),
                .name = text_at(row, 1),
                .type = text_at(row, 2),
                .mention_count = integer_at(row, 3),
                .first_seen = time_at(row, 4),
                .last_seen = time_at(row, 5),
                .aliases = {},
                .placeholder = row.size() > 7 && row[7].is_boolean() && row[7].get<bool>(),
                .rev = integer_at(row, 8)};
  if (row.size() > 6 && row[6].is_array())
    for (const auto& alias : row[6])
      entity.aliases.push_back(alias.is_string() ? alias.get<std::string>() : alias.dump());
  if (row.size() > 9 && row[9].is_array())
    for (const auto& name : row[9])
      entity.names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  return entity;
}

Relationship relationship_from(const json& row, std::string_view bank) {
  return {.subject_key = entity_key_at(row, 0, bank),
          .predicate = text_at(row, 1),
          .object_key = entity_key_at(row, 2, bank),
          .confidence = number_at(row, 3),
          .observation_count = integer_at(row, 4),
          .first_observed = time_at(row, 5),
          .last_observed = time_at(row, 6),
          .rev = integer_at(row, 7)};
}

std::optional<Mention> mention_from(const json& row, std::string_view bank) {
  const auto memory = Uuid::parse(entity_key_at(row, 0, bank));
  if (!memory) return std::nullopt;
  return Mention{
      .memory = {*memory}, .entity_key = entity_key_at(row, 1, bank), .rev = integer_at(row, 2)};
}

Neighbour neighbour_from(const json& row, std::string_view bank) {
  return {.entity = entity_from(row, bank),
          .predicate = text_at(row, 10),
          .outgoing = row.size() > 11 && row[11].is_boolean() && row[11].get<bool>(),
          .confidence = number_at(row, 12)};
}

}  // namespace bb5::neo4j
