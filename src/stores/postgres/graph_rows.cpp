#include "stores/postgres/graph_rows.hpp"

#include <cstring>
#include <set>

#include <fmt/format.h>

#include "base/digest.hpp"

namespace bb5::postgres {
namespace {

/// Lengths keep (`a`, `bc`) and (`ab`, `c`) apart.
Uuid relation_id(std::string_view subject_key, std::string_view predicate,
                 std::string_view object_key) {
  return text_id(fmt::format("{}:{}:{}{}{}", subject_key.size(), predicate.size(), subject_key,
                             predicate, object_key));
}

struct RelationIds {
  Uuid relation_id;
  NameIds subject;
  NameIds object;
};

/// Nothing when an end has no name: such a fact gives no relationship.
std::optional<RelationIds> relation_ids(const RelationshipFact& fact) {
  const auto subject = name_ids(fact.subject);
  const auto object = name_ids(fact.object);
  if (!subject || !object) return std::nullopt;
  return RelationIds{
      relation_id(name_key_of(fact.subject), fact.predicate, name_key_of(fact.object)), *subject,
      *object};
}

}  // namespace

Uuid text_id(std::string_view text) {
  const Sha256 digest = sha256(text);
  Uuid id;
  std::memcpy(id.bytes.data(), digest.data(), id.bytes.size());
  return id;
}

std::optional<NameIds> name_ids(std::string_view name) {
  const std::string key = name_key_of(name);
  if (key.empty()) return std::nullopt;
  return NameIds{text_id(key), entity_key(name, placeholder_type)};
}

void Touched::add(const EntityFact& fact) {
  if (const auto ids = name_ids(fact.name)) names.push_back(ids->name_id);
}

void Touched::add(const RelationshipFact& fact) {
  const auto ids = relation_ids(fact);
  if (!ids) return;
  relations.push_back(ids->relation_id);
  relation_subjects.push_back(ids->subject.name_id);
  relation_objects.push_back(ids->object.name_id);
  names.push_back(ids->subject.name_id);
  names.push_back(ids->object.name_id);
}

void Touched::add_mention(const MemoryId& memory, const Uuid& name_id) {
  mention_memories.push_back(memory.uuid);
  mention_names.push_back(name_id);
  names.push_back(name_id);
}

void write_fact(FieldWriter& fields, const EntityFact& fact, std::int64_t seq) {
  fields.uuid(fact.id.uuid);
  fields.int8(seq);
  fields.optional(fact.memory);
  fields.text(fact.name);
  fields.text(fact.type);
  fields.int8(fact.mentions);
  fields.optional(fact.first_seen);
  fields.optional(fact.last_seen);
  fields.texts(fact.aliases);
  fields.bytes(fact.raw);
  if (const auto ids = name_ids(fact.name)) {
    const std::string key = entity_key(fact.name, fact.type);
    fields.uuid(ids->name_id);
    fields.uuid(text_id(key));
    fields.text(key);
  } else {
    for (int i = 0; i < 3; ++i) fields.null();
  }
}

EntityFact read_entity_fact(const Rows& rows, int row) {
  EntityFact fact;
  fact.id.uuid = rows.uuid(row, 0);
  fact.seq = rows.int8(row, 1);
  if (const auto id = rows.optional_uuid(row, 2)) fact.memory = MemoryId{*id};
  fact.name = rows.text(row, 3);
  fact.type = rows.text(row, 4);
  fact.mentions = rows.int8(row, 5);
  fact.first_seen = rows.optional_timestamptz(row, 6);
  fact.last_seen = rows.optional_timestamptz(row, 7);
  fact.aliases = read_texts(rows.field(row, 8));
  fact.raw = rows.text(row, 9);
  return fact;
}

void write_fact(FieldWriter& fields, const RelationshipFact& fact, std::int64_t seq) {
  fields.uuid(fact.id.uuid);
  fields.int8(seq);
  fields.optional(fact.memory);
  fields.text(fact.subject);
  fields.text(fact.predicate);
  fields.text(fact.object);
  fields.optional(fact.confidence);
  fields.int8(fact.observation_count);
  fields.optional(fact.first_observed);
  fields.optional(fact.last_observed);
  fields.bytes(fact.raw);
  if (const auto ids = relation_ids(fact)) {
    fields.uuid(ids->relation_id);
    fields.uuid(ids->subject.name_id);
    fields.uuid(ids->object.name_id);
    fields.text(ids->subject.placeholder);
    fields.text(ids->object.placeholder);
  } else {
    for (int i = 0; i < 5; ++i) fields.null();
  }
}

RelationshipFact read_relationship_fact(const Rows& rows, int row) {
  RelationshipFact fact;
  fact.id.uuid = rows.uuid(row, 0);
  fact.seq = rows.int8(row, 1);
  if (const auto id = rows.optional_uuid(row, 2)) fact.memory = MemoryId{*id};
  fact.subject = rows.text(row, 3);
  fact.predicate = rows.text(row, 4);
  fact.object = rows.text(row, 5);
  fact.confidence = rows.optional_float8(row, 6);
  fact.observation_count = rows.int8(row, 7);
  fact.first_observed = rows.optional_timestamptz(row, 8);
  fact.last_observed = rows.optional_timestamptz(row, 9);
  fact.raw = rows.text(row, 10);
  return fact;
}

std::vector<MentionFact> mention_facts_of(const MemoryId& memory, MemoryKind kind,
                                          const std::vector<std::string>& names,
                                          KnownNames& known) {
  std::vector<MentionFact> facts;
  if (kind != MemoryKind::memory) return facts;
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) continue;
    const auto [place, fresh] = known.try_emplace(name);
    if (fresh) place->second = name_ids(name);
    if (place->second) facts.push_back({memory, *place->second, name});
  }
  return facts;
}

void write_fact(FieldWriter& fields, const MentionFact& fact) {
  fields.uuid(fact.memory.uuid);
  fields.uuid(fact.name.name_id);
  fields.text(fact.spelling);
  fields.text(fact.name.placeholder);
}

std::string entity_select_list(std::string_view table) {
  return fmt::format(
      "{0}.key, {0}.name, {0}.type, {0}.mention_count, {0}.first_seen, {0}.last_seen, {0}.aliases, "
      "{0}.placeholder, {0}.rev, {0}.names",
      table);
}

Entity read_entity(const Rows& rows, int row, int column) {
  Entity entity;
  entity.key = rows.text(row, column);
  entity.name = rows.text(row, column + 1);
  entity.type = rows.text(row, column + 2);
  entity.mention_count = rows.int8(row, column + 3);
  entity.first_seen = rows.optional_timestamptz(row, column + 4);
  entity.last_seen = rows.optional_timestamptz(row, column + 5);
  entity.aliases = read_texts(rows.field(row, column + 6));
  entity.placeholder = rows.boolean(row, column + 7);
  entity.rev = rows.int8(row, column + 8);
  entity.names = read_texts(rows.field(row, column + 9));
  return entity;
}

std::string relationship_select_list(std::string_view table) {
  return fmt::format(
      "{0}.subject_key, {0}.predicate, {0}.object_key, {0}.confidence, {0}.observation_count, "
      "{0}.first_observed, {0}.last_observed, {0}.rev",
      table);
}

Relationship read_relationship(const Rows& rows, int row, int column) {
  Relationship edge;
  edge.subject_key = rows.text(row, column);
  edge.predicate = rows.text(row, column + 1);
  edge.object_key = rows.text(row, column + 2);
  edge.confidence = rows.optional_float8(row, column + 3);
  edge.observation_count = rows.int8(row, column + 4);
  edge.first_observed = rows.optional_timestamptz(row, column + 5);
  edge.last_observed = rows.optional_timestamptz(row, column + 6);
  edge.rev = rows.int8(row, column + 7);
  return edge;
}

Uuid outbox_row_id(const GraphChange& change) {
  switch (change.kind) {
    case GraphChange::Kind::entity:
      return text_id(change.entity.key);
    case GraphChange::Kind::relationship: {
      const Relationship& edge = change.relationship;
      return text_id(fmt::format("{}:{}:{}", edge.subject_key.size(), edge.predicate.size(),
                                 relationship_key(edge)));
    }
    case GraphChange::Kind::mention:
      return text_id(change.mention.memory.to_string() + change.mention.entity_key);
  }
  return {};
}

}  // namespace bb5::postgres
