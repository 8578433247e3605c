#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/memory.hpp"

/// Facts are the record; entities, relationships and mentions are folded from them, and Neo4j is a
/// projection of the fold. One fact is one record that some source made: "Redis is a technology,
/// mentioned 3 times". A fact stays as long as the memory or document that it came from says it, so
/// every fold can be repeated and every merge undone.
///
/// The fold (the same in every store, tests/contract/graph_contract.cpp holds it):
///  1. An entity is all entity facts of equal key (entity_key). Its name is the spelling with the
///  most
///     mentions, ties by smallest spelling; aliases: the other spellings and the facts' aliases,
///     sorted, without the name itself, without doubles; mention_count: the sum; first_seen: the
///     earliest first_seen; last_seen: the latest of last_seen and first_seen.
///  2. A name means the entity of that name_key with the highest mention_count, ties by the earlier
///     first_seen (none counts as latest), then by key. A name that no entity fact bears, and that
///     an endpoint or a memory uses, becomes a placeholder of type `unknown`; its name is the
///     smallest spelling used, its mention_count the number of memories that mention it, first_seen
///     and last_seen unset, no aliases.
///  3. A relationship is all relationship facts of equal (subject entity, predicate, object
///  entity).
///     (Predicates are compared byte for byte.) confidence: that of the fact with the highest seq
///     (of those that state one), observation_count: the sum, first_observed: the earliest,
///     last_observed: the latest of last_ and first_observed. A fact with an endpoint whose
///     name_key is empty gives none.
///  4. A mention is (memory, entity meant by one of the memory's entity names), each pair once.
///  Memories
///     of kind entity or relationship mention nothing.
///  An entity fact whose name_key is empty gives no entity.
///
/// Merges (model/entity_merges.hpp) are a record beside the facts; with them the rules say more:
///  1m. An entity is all entity facts whose keys lead to one root. Name and type come from the
///  facts
///      of the root's own key, from all when it has none; the names that its merges give are
///      aliases too.
///  2m. A name may mean each entity into which a fact of that name folds, or whose own name it is.
///      One that no fact bears means what its merge leads to (EntityMerges::root_of_bare), be it in
///      use or not; where nothing describes that, all names that lead there make one placeholder,
///      named by the smallest spelling of its own name, else of the others.
///  Relationships and mentions follow, each pair once. Entity::names tells which names besides its
///  own lead to an entity.
namespace bb5 {

struct EntityFact {
  FactId id;
  std::optional<MemoryId>
      memory;  ///< The pseudo-memory it was read from; facts of records without one: none.
  std::int64_t seq = 0;  ///< Insertion order among all facts of the bank; the store assigns it.
  std::string name;
  std::string type = "concept";
  std::int64_t mentions = 1;  ///< ≥ 0.
  std::optional<Timestamp> first_seen;
  std::optional<Timestamp> last_seen;
  std::vector<std::string> aliases;
  std::string
      raw;  ///< The source record's JSON text when there is no memory that holds it, else empty.
  bool operator==(const EntityFact&) const = default;
};

struct RelationshipFact {
  FactId id;
  std::optional<MemoryId> memory;
  std::int64_t seq = 0;
  std::string subject;
  std::string predicate = "relates_to";
  std::string object;
  std::optional<double> confidence;
  std::int64_t observation_count = 1;
  std::optional<Timestamp> first_observed;
  std::optional<Timestamp> last_observed;
  std::string raw;
  bool operator==(const RelationshipFact&) const = default;
};

struct Entity {
  std::string key;
  std::string name;
  std::string type;
  std::int64_t mention_count = 0;
  std::optional<Timestamp> first_seen;
  std::optional<Timestamp> last_seen;
  std::vector<std::string> aliases;
  bool placeholder = false;
  std::int64_t rev = 0;  ///< The bank's graph revision at which this row last changed.
  std::vector<std::string> names =
      {};  ///< Name keys besides its own that merges lead here, sorted.
  bool operator==(const Entity&) const = default;
};

struct Relationship {
  std::string subject_key;
  std::string predicate;
  std::string object_key;
  std::optional<double> confidence;
  std::int64_t observation_count = 0;
  std::optional<Timestamp> first_observed;
  std::optional<Timestamp> last_observed;
  std::int64_t rev = 0;
  bool operator==(const Relationship&) const = default;
};

struct Mention {
  MemoryId memory;
  std::string entity_key;
  std::int64_t rev = 0;
  auto operator<=>(const Mention&) const = default;
};

/// What makes two spellings one name: fold_name(name). It never holds U+241F, which parts the keys
/// of relationships: `␟` is written `␛u`, and `␛` (U+241B) `␛e`.
[[nodiscard]] std::string name_key_of(std::string_view name);

/// `type:name`, both folded, `%` and `:` in the type written %25 and %3A; an empty type is
/// `concept`. `placeholder_type` is what entities get that no fact describes.
inline constexpr std::string_view placeholder_type = "unknown";
[[nodiscard]] std::string entity_key(std::string_view name, std::string_view type);

/// The name_key in an entity's key (or an alias's): what follows the first colon.
[[nodiscard]] std::string_view name_of_key(std::string_view entity_key) noexcept;

/// One text for (subject, predicate, object): `subject_key␟predicate␟object_key` with U+241F
/// between. No two have the same: the predicate may hold U+241F, the keys of entities do not.
[[nodiscard]] std::string relationship_key(const Relationship& relationship);

/// A Neo4j relationship type made from any predicate, reversibly: letters and digits upper-cased, a
/// run of one space or `_` is `_`; where that would lose something (case, other characters) the
/// original is in the `predicate` property anyway. Never empty (`RELATES_TO`), at most 200
/// characters, only [A-Z0-9_] and non-ASCII letters.
[[nodiscard]] std::string relationship_type_of(std::string_view predicate);

/// What one memory says about the graph, read from its metadata: an entity or relationship fact for
/// the old system's pseudo-memories, nothing for others (their mentions are Memory::entities).
struct FactsOfMemory {
  std::optional<EntityFact> entity;
  std::optional<RelationshipFact> relationship;
};
[[nodiscard]] FactsOfMemory facts_of(const Memory& memory);

}  // namespace bb5
