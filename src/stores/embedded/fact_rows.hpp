#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "model/graph.hpp"
#include "ports/memory_store.hpp"
#include "stores/embedded/connection.hpp"

/// Facts as rows: what memories and other records say about the graph.
namespace bb5::embedded {

/// What a transaction touched, so that the fold looks at nothing else.
struct Touched {
  struct Facts {
    bool some_removed = false;
    std::vector<std::int64_t> added;  ///< seq of each
  };
  std::map<std::string, Facts> described_names;  ///< by name_key: entity facts that came or went
  std::set<std::string> used_names;              ///< name_keys that came into or out of use
  /// Name keys and predicate of relationships whose facts changed.
  std::set<std::tuple<std::string, std::string, std::string>> edges;
  std::map<std::int64_t, MemoryId> memories;  ///< by seq; those whose mentions changed

  [[nodiscard]] bool empty() const {
    return described_names.empty() && used_names.empty() && edges.empty() && memories.empty();
  }
};

/// Writes facts within one transaction; notes what it touches.
class FactWriter {
 public:
  /// last_seq: the last fact number given out; both outlive this.
  FactWriter(Connection& connection, std::int64_t& last_seq, Touched& touched)
      : connection_(connection), last_seq_(last_seq), touched_(touched) {}

  Result<WriteAction> put(const EntityFact& fact, OnConflict on_conflict);
  Result<WriteAction> put(const RelationshipFact& fact, OnConflict on_conflict);
  /// The names by which a memory mentions entities; it has none yet.
  Result<> put_mentions(std::int64_t memory_seq, const MemoryId& memory,
                        const std::vector<std::string>& names);

  /// Removes all that a memory says: the facts that name it, and its mentions.
  Result<> erase_of(std::int64_t memory_seq, const MemoryId& memory);
  /// Removes a fact that belongs to no memory, if there is one of that id. Fact: EntityFact or
  /// RelationshipFact.
  template <class Fact>
  Result<> erase(const FactId& id);
  /// Takes the facts that went with their memories out of the documents; after all else.
  Result<> forget_erased();

 private:
  Result<> erase_mentions(std::int64_t memory_seq, const MemoryId& memory);
  Result<> insert(const EntityFact& fact);
  Result<> insert(const RelationshipFact& fact);
  void touch_removed(const EntityFact& fact);
  void touch(const RelationshipFact& fact);

  Connection& connection_;
  std::int64_t& last_seq_;
  Touched& touched_;
  std::vector<FactId> erased_;  // with their memories
};

Result<std::vector<EntityFact>> read_entity_facts(Connection& connection, std::int64_t after_seq,
                                                  std::size_t limit);
Result<std::vector<RelationshipFact>> read_relationship_facts(Connection& connection,
                                                              std::int64_t after_seq,
                                                              std::size_t limit);
Result<std::vector<EntityFact>> get_entity_facts(Connection& connection,
                                                 std::span<const FactId> ids);
Result<std::vector<RelationshipFact>> get_relationship_facts(Connection& connection,
                                                             std::span<const FactId> ids);

}  // namespace bb5::embedded
