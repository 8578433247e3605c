#include "stores/embedded/fact_rows.hpp"

#include "stores/embedded/memory_rows.hpp"
#include "stores/embedded/string_list.hpp"

namespace bb5::embedded {
namespace {

std::string select_entity_facts(std::string_view rest) {
  return std::string(
             "SELECT seq, id, memory, name, type, mentions, first_seen, last_seen, aliases, raw "
             "FROM entity_facts ")
      .append(rest);
}

std::string select_relationship_facts(std::string_view rest) {
  return std::string(
             "SELECT seq, id, memory, subject, predicate, object, confidence, observation_count, "
             "first_observed, last_observed, raw FROM relationship_facts ")
      .append(rest);
}

std::optional<MemoryId> maybe_memory(const Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(MemoryId{row.uuid(column)});
}

EntityFact entity_fact_from(const Row& row) {
  EntityFact fact;
  fact.seq = row.integer(0);
  fact.id = {row.uuid(1)};
  fact.memory = maybe_memory(row, 2);
  fact.name = row.string(3);
  fact.type = row.string(4);
  fact.mentions = row.integer(5);
  fact.first_seen = row.maybe_time(6);
  fact.last_seen = row.maybe_time(7);
  fact.aliases = read_string_list(row.text(8));
  fact.raw = row.string(9);
  return fact;
}

RelationshipFact relationship_fact_from(const Row& row) {
  RelationshipFact fact;
  fact.seq = row.integer(0);
  fact.id = {row.uuid(1)};
  fact.memory = maybe_memory(row, 2);
  fact.subject = row.string(3);
  fact.predicate = row.string(4);
  fact.object = row.string(5);
  fact.confidence = row.maybe_real(6);
  fact.observation_count = row.integer(7);
  fact.first_observed = row.maybe_time(8);
  fact.last_observed = row.maybe_time(9);
  fact.raw = row.string(10);
  return fact;
}

/// Both empty when one is: such a fact gives no relationship and uses no name.
std::pair<std::string, std::string> endpoint_keys(const RelationshipFact& fact) {
  auto subject = name_key_of(fact.subject);
  auto object = name_key_of(fact.object);
  if (subject.empty() || object.empty()) return {};
  return {std::move(subject), std::move(object)};
}

template <class Fact>
bool same_but_seq(Fact held, const Fact& fact) {
  held.seq = fact.seq;
  return held == fact;
}

}  // namespace

void FactWriter::touch_removed(const EntityFact& fact) {
  if (auto key = name_key_of(fact.name); !key.empty())
    touched_.described_names[std::move(key)].some_removed = true;
}

void FactWriter::touch(const RelationshipFact& fact) {
  auto [subject, object] = endpoint_keys(fact);
  if (subject.empty()) return;
  touched_.used_names.insert(subject);
  touched_.used_names.insert(object);
  touched_.edges.emplace(std::move(subject), fact.predicate, std::move(object));
}

Result<> FactWriter::insert(const EntityFact& fact) {
  const std::string key = name_key_of(fact.name);
  ++last_seq_;
  if (!key.empty()) touched_.described_names[key].added.push_back(last_seq_);
  return connection_.run(
      "INSERT INTO entity_facts (seq, id, memory, name_key, entity_key, name, type, mentions, "
      "first_seen, "
      "last_seen, aliases, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      last_seq_, fact.id, fact.memory, key, entity_key(fact.name, fact.type), fact.name, fact.type,
      fact.mentions, fact.first_seen, fact.last_seen, write_string_list(fact.aliases), fact.raw);
}

Result<> FactWriter::insert(const RelationshipFact& fact) {
  touch(fact);
  const auto [subject, object] = endpoint_keys(fact);
  return connection_.run(
      "INSERT INTO relationship_facts (seq, id, memory, subject_name_key, predicate, "
      "object_name_key, subject, "
      "object, confidence, observation_count, first_observed, last_observed, raw) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ++last_seq_, fact.id, fact.memory, subject, fact.predicate, object, fact.subject, fact.object,
      fact.confidence, fact.observation_count, fact.first_observed, fact.last_observed, fact.raw);
}

Result<WriteAction> FactWriter::put(const EntityFact& fact, OnConflict on_conflict) {
  auto held = connection_.first(select_entity_facts("WHERE id = ?"), entity_fact_from, fact.id);
  if (!held) return std::move(held).error();
  if (*held) {
    if (same_but_seq(**held, fact)) return WriteAction::identical;
    if (on_conflict == OnConflict::keep) return WriteAction::conflict;
    touch_removed(**held);
    BB5_TRY(connection_.run("DELETE FROM entity_facts WHERE id = ?", fact.id));
  }
  BB5_TRY(insert(fact));
  return *held ? WriteAction::replaced : WriteAction::inserted;
}

Result<WriteAction> FactWriter::put(const RelationshipFact& fact, OnConflict on_conflict) {
  auto held =
      connection_.first(select_relationship_facts("WHERE id = ?"), relationship_fact_from, fact.id);
  if (!held) return std::move(held).error();
  if (*held) {
    if (same_but_seq(**held, fact)) return WriteAction::identical;
    if (on_conflict == OnConflict::keep) return WriteAction::conflict;
    touch(**held);
    BB5_TRY(connection_.run("DELETE FROM relationship_facts WHERE id = ?", fact.id));
  }
  BB5_TRY(insert(fact));
  return *held ? WriteAction::replaced : WriteAction::inserted;
}

Result<> FactWriter::put_mentions(std::int64_t memory_seq, const MemoryId& memory,
                                  const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string key = name_key_of(name);
    if (key.empty()) continue;
    BB5_TRY(connection_.run(
        "INSERT OR IGNORE INTO mention_facts (memory_seq, name_key, name) VALUES (?, ?, ?)",
        memory_seq, key, name));
    touched_.memories.emplace(memory_seq, memory);
    touched_.used_names.insert(std::move(key));
  }
  return ok();
}

Result<> FactWriter::erase_of(std::int64_t memory_seq, const MemoryId& memory) {
  BB5_TRY(connection_.each(
      select_entity_facts("WHERE memory = ?"),
      [&](const Row& row) {
        const EntityFact fact = entity_fact_from(row);
        touch_removed(fact);
        erased_.push_back(fact.id);
      },
      memory));
  BB5_TRY(connection_.run("DELETE FROM entity_facts WHERE memory = ?", memory));
  BB5_TRY(connection_.each(
      select_relationship_facts("WHERE memory = ?"),
      [&](const Row& row) {
        const RelationshipFact fact = relationship_fact_from(row);
        touch(fact);
        erased_.push_back(fact.id);
      },
      memory));
  BB5_TRY(connection_.run("DELETE FROM relationship_facts WHERE memory = ?", memory));
  return erase_mentions(memory_seq, memory);
}

template <>
Result<> FactWriter::erase<EntityFact>(const FactId& id) {
  BB5_TRY(connection_.each(
      select_entity_facts("WHERE id = ? AND memory IS NULL"),
      [&](const Row& row) { touch_removed(entity_fact_from(row)); }, id));
  return connection_.run("DELETE FROM entity_facts WHERE id = ? AND memory IS NULL", id);
}

template <>
Result<> FactWriter::erase<RelationshipFact>(const FactId& id) {
  BB5_TRY(connection_.each(
      select_relationship_facts("WHERE id = ? AND memory IS NULL"),
      [&](const Row& row) { touch(relationship_fact_from(row)); }, id));
  return connection_.run("DELETE FROM relationship_facts WHERE id = ? AND memory IS NULL", id);
}

Result<> FactWriter::forget_erased() {
  for (const FactId& id : erased_) {
    BB5_TRY(connection_.run(
        "DELETE FROM document_facts WHERE fact = ?1 AND NOT EXISTS (SELECT 1 FROM entity_facts "
        "WHERE id = ?1 AND kind = 0) AND NOT EXISTS (SELECT 1 FROM relationship_facts WHERE id = "
        "?1 AND kind = 1)",
        id));
  }
  erased_.clear();
  return ok();
}

Result<> FactWriter::erase_mentions(std::int64_t memory_seq, const MemoryId& memory) {
  BB5_TRY(connection_.each(
      "SELECT name_key FROM mention_facts WHERE memory_seq = ?",
      [&](const Row& row) {
        touched_.used_names.insert(row.string(0));
        touched_.memories.emplace(memory_seq, memory);
      },
      memory_seq));
  return connection_.run("DELETE FROM mention_facts WHERE memory_seq = ?", memory_seq);
}

Result<std::vector<EntityFact>> read_entity_facts(Connection& connection, std::int64_t after_seq,
                                                  std::size_t limit) {
  std::vector<EntityFact> facts;
  BB5_TRY(connection.each(
      select_entity_facts("WHERE seq > ? ORDER BY seq LIMIT ?"),
      [&](const Row& row) { facts.push_back(entity_fact_from(row)); }, after_seq, limit_of(limit)));
  return facts;
}

Result<std::vector<RelationshipFact>> read_relationship_facts(Connection& connection,
                                                              std::int64_t after_seq,
                                                              std::size_t limit) {
  std::vector<RelationshipFact> facts;
  BB5_TRY(connection.each(
      select_relationship_facts("WHERE seq > ? ORDER BY seq LIMIT ?"),
      [&](const Row& row) { facts.push_back(relationship_fact_from(row)); }, after_seq,
      limit_of(limit)));
  return facts;
}

Result<std::vector<EntityFact>> get_entity_facts(Connection& connection,
                                                 std::span<const FactId> ids) {
  std::vector<EntityFact> facts;
  const std::string sql = select_entity_facts("WHERE id = ?");
  for (const FactId& id : ids) {
    BB5_TRY(connection.each(
        sql, [&](const Row& row) { facts.push_back(entity_fact_from(row)); }, id));
  }
  return facts;
}

Result<std::vector<RelationshipFact>> get_relationship_facts(Connection& connection,
                                                             std::span<const FactId> ids) {
  std::vector<RelationshipFact> facts;
  const std::string sql = select_relationship_facts("WHERE id = ?");
  for (const FactId& id : ids) {
    BB5_TRY(connection.each(
        sql, [&](const Row& row) { facts.push_back(relationship_fact_from(row)); }, id));
  }
  return facts;
}

}  // namespace bb5::embedded
