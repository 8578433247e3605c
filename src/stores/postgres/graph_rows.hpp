#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/graph.hpp"
#include "ports/entity_graph.hpp"
#include "stores/postgres/connection.hpp"

/// How facts and folded rows lie in their tables, and the 16-byte ids that stand for their keys.
namespace bb5::postgres {

/// The first 16 bytes of the text's SHA-256: what the schema's text_id() gives.
[[nodiscard]] Uuid text_id(std::string_view text);

/// A name as the fold sees it.
struct NameIds {
  Uuid name_id;
  std::string placeholder;  ///< Key of the entity that stands in where nothing bears the name.
};
/// Nothing when no name is left after folding.
[[nodiscard]] std::optional<NameIds> name_ids(std::string_view name);

/// Keys whose part of the fold a change of facts may alter.
struct Touched {
  std::vector<Uuid> names;
  std::vector<Uuid> relations;
  std::vector<Uuid> relation_subjects;  ///< Their name ids.
  std::vector<Uuid> relation_objects;
  std::vector<Uuid> mention_memories;  ///< Pairs, with…
  std::vector<Uuid> mention_names;     ///< …these.

  /// Names whose relationships and mentions are looked at anew whatever the names mean.
  std::vector<Uuid> moved_names;

  [[nodiscard]] bool empty() const {
    return names.empty() && relations.empty() && mention_memories.empty();
  }
  void add(const EntityFact& fact);
  void add(const RelationshipFact& fact);
  void add_mention(const MemoryId& memory, const Uuid& name_id);
};

// --- facts ---

inline constexpr std::string_view entity_fact_columns =
    "id, seq, memory_id, name, type, mentions, first_seen, last_seen, aliases, raw, name_id, "
    "entity_id, key";
inline constexpr int entity_fact_column_count = 13;
void write_fact(FieldWriter& fields, const EntityFact& fact, std::int64_t seq);
/// Of the first ten columns.
[[nodiscard]] EntityFact read_entity_fact(const Rows& rows, int row);

inline constexpr std::string_view relationship_fact_columns =
    "id, seq, memory_id, subject, predicate, object, confidence, observation_count, "
    "first_observed, last_observed, raw, "
    "relation_id, subject_name_id, object_name_id, subject_placeholder, object_placeholder";
inline constexpr int relationship_fact_column_count = 16;
void write_fact(FieldWriter& fields, const RelationshipFact& fact, std::int64_t seq);
/// Of the first eleven columns.
[[nodiscard]] RelationshipFact read_relationship_fact(const Rows& rows, int row);

inline constexpr std::string_view mention_fact_columns = "memory_id, name_id, name, placeholder";
inline constexpr int mention_fact_column_count = 4;
struct MentionFact {
  MemoryId memory;
  NameIds name;
  std::string spelling;
};
/// Names folded before: batches name the same things again and again.
using KnownNames = std::unordered_map<std::string, std::optional<NameIds>>;
/// Each spelling once; none for pseudo-memories and for names that fold to nothing.
[[nodiscard]] std::vector<MentionFact> mention_facts_of(const MemoryId& memory, MemoryKind kind,
                                                        const std::vector<std::string>& names,
                                                        KnownNames& known);
void write_fact(FieldWriter& fields, const MentionFact& fact);

// --- folded rows ---

[[nodiscard]] std::string entity_select_list(std::string_view table);
inline constexpr int entity_select_count = 10;
[[nodiscard]] Entity read_entity(const Rows& rows, int row, int column = 0);

[[nodiscard]] std::string relationship_select_list(std::string_view table);
inline constexpr int relationship_select_count = 8;
[[nodiscard]] Relationship read_relationship(const Rows& rows, int row, int column = 0);

/// outbox.row_id of what a change is about.
[[nodiscard]] Uuid outbox_row_id(const GraphChange& change);

}  // namespace bb5::postgres
