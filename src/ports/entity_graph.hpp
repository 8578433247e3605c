#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/entity_merges.hpp"
#include "model/graph.hpp"
#include "model/kept_apart.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5 {

struct GraphCounts {
  std::int64_t entities = 0;
  std::int64_t relationships = 0;
  std::int64_t mentions = 0;
  bool operator==(const GraphCounts&) const = default;
};

/// One step away from an entity.
struct Neighbour {
  Entity entity;
  std::string predicate;
  bool outgoing = true;  ///< The relationship starts at the entity that was asked about.
  std::optional<double> confidence;
};

/// Reads a bank's entity graph: from the store's own tables or from Neo4j, with equal answers.
/// Threads and common errors as MemoryStore.
class EntityGraph {
 public:
  virtual ~EntityGraph() = default;

  virtual Result<GraphCounts> graph_counts() const = 0;
  /// In bytewise order of the key, after `after_key`. Pages are stable while nobody writes.
  virtual Result<std::vector<Entity>> entities(std::string_view after_key,
                                               std::size_t limit) const = 0;
  /// In bytewise order of relationship_key(), after that key.
  virtual Result<std::vector<Relationship>> relationships(std::string_view after_key,
                                                          std::size_t limit) const = 0;
  /// In order of (memory, entity_key), after that pair.
  virtual Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const = 0;
  /// Highest confidence first (none last), then by key, predicate, direction (outgoing first).
  virtual Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                                    std::size_t limit) const = 0;
  /// The entity that a name means (model/graph.hpp, rules 2 and 2m), or nothing.
  virtual Result<std::optional<Entity>> entity_named(std::string_view name) const = 0;
};

/// The state of one graph row at the moment of reading, or its removal.
struct GraphChange {
  enum class Kind : std::uint8_t { entity = 0, relationship = 1, mention = 2 };
  std::int64_t outbox_id = 0;
  Kind kind = Kind::entity;
  std::int64_t rev = 0;
  bool removed = false;
  Entity entity;  ///< kind entity; when removed only key and rev count.
  Relationship
      relationship;  ///< kind relationship; when removed only the three key parts and rev count.
  Mention mention;   ///< kind mention
  std::string mention_network;  ///< The mentioning memory's network.
};

/// Entities whose Entity::rev is beyond `up_to` have not been looked at.
struct ResolvedMark {
  std::int64_t up_to = 0;
  std::int64_t latest = 0;  ///< No entity that this moment's readers see has a greater one.
};

/// The store's side of the graph: facts in, folded rows and changes out.
class EntityRecord : public EntityGraph {
 public:
  /// Repeats the whole fold from the facts (model/graph.hpp), writes what changed, with an outbox
  /// row each. All that was written before is durable then.
  virtual Result<> fold_graph() = 0;

  virtual Result<std::vector<EntityFact>> entity_facts(std::int64_t after_seq,
                                                       std::size_t limit) const = 0;
  virtual Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t after_seq,
                                                                   std::size_t limit) const = 0;
  /// Those of the ids that are held, in the order asked for.
  virtual Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const = 0;
  virtual Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const = 0;

  /// In bytewise order of from_key.
  virtual Result<std::vector<EntityMerge>> merges() const = 0;
  /// Records them all and folds what they touch, or nothing. What is merged the same way already
  /// stays as it was recorded; what becomes one is no longer kept apart. Errors: invalid_argument,
  /// conflict (with_merges() tells which).
  virtual Result<> merge_entities(std::span<const EntityMerge> merges) = 0;
  /// Takes the record away: the graph is as if it had never been. False: there is none of this
  /// from_key. Errors: conflict, when the others would close a circle without it.
  virtual Result<bool> split_entity(std::string_view from_key) = 0;

  /// In bytewise order of (a, b).
  virtual Result<std::vector<KeptApart>> kept_apart() const = 0;
  /// Records them all, or nothing; one that is held stays as it was recorded. It changes no merge
  /// and no graph. Errors: invalid_argument.
  virtual Result<> keep_apart(std::span<const KeptApart> pairs) = 0;
  /// Takes the record of these two away, in either order. False: there is none.
  virtual Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) = 0;

  /// Calls `visit` for each entity whose rev is beyond `after_rev`, in any order, all in one
  /// reading: quicker than pages of whole entities. Set are key, name, type, mention_count,
  /// first_seen, placeholder and rev. The entity lives until `visit` returns, which calls nothing
  /// of this bank.
  virtual Result<> visit_entities(std::int64_t after_rev,
                                  const std::function<void(const Entity&)>& visit) const = 0;
  /// How far a resolver has looked at the entities, in graph revisions.
  virtual Result<ResolvedMark> resolved_mark() const = 0;
  /// As merge_entities(), for merges that nobody has looked at: those that can be recorded
  /// (mergeable()); moves the mark up to that revision in the same transaction. Returns those
  /// recorded.
  virtual Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                          std::int64_t up_to) = 0;

  /// Changes not yet marked as applied, entities before relationships before mentions, each by key;
  /// several changes of one row are one. Rows of transactions that are still open are never skipped
  /// for good.
  virtual Result<std::vector<GraphChange>> pending_changes(std::size_t limit) = 0;
  /// Marks as applied all changes of these rows up to the revision given in each.
  virtual Result<> mark_applied(std::span<const GraphChange> changes) = 0;
  /// Puts every row into the outbox again: a rebuild of the projection.
  virtual Result<> requeue_all() = 0;
  /// Held by the one relay that drains this bank's outbox. Errors: locked.
  virtual Result<std::unique_ptr<MigrationLock>> lock_relay() = 0;
};

/// A projection of the graph outside the store: Neo4j.
class GraphProjection : public EntityGraph {
 public:
  /// Applies changes in one transaction; a row that has a newer revision already stays as it is, so
  /// repeating a call is harmless. Errors: unavailable, when nothing or an unknown part was
  /// applied.
  virtual Result<> apply(std::span<const GraphChange> changes) = 0;
  /// Creates constraints and indexes where they are missing; checks version and rights.
  virtual Result<> prepare() = 0;
  /// Removes this bank's rows, in bounded pieces.
  virtual Result<> clear() = 0;
};

}  // namespace bb5
