#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/entity_merges.hpp"
#include "model/graph_fold.hpp"
#include "model/kept_apart.hpp"
#include "model/memory.hpp"
#include "model/retained_document.hpp"
#include "ports/embedder.hpp"
#include "ports/entity_graph.hpp"
#include "ports/migration_ledger.hpp"

/// The parts of the bank in memory: functions over its state, which know of no lock.
namespace bb5::in_memory {

/// Memories, or facts of one kind, by their places, and which place each id has.
template <class Row>
struct Table {
  using Id = decltype(Row::id);
  std::map<std::int64_t, Row> by_seq;
  std::unordered_map<Id, std::int64_t> seq_of;

  [[nodiscard]] bool contains(const Id& id) const { return seq_of.contains(id); }
  [[nodiscard]] const Row* find(const Id& id) const {
    const auto seq = seq_of.find(id);
    return seq == seq_of.end() ? nullptr : &by_seq.at(seq->second);
  }
  [[nodiscard]] Row* find(const Id& id) {
    const auto seq = seq_of.find(id);
    return seq == seq_of.end() ? nullptr : &by_seq.at(seq->second);
  }
  /// Those that are held, in the order asked for.
  [[nodiscard]] std::vector<Row> get(std::span<const Id> ids) const {
    std::vector<Row> found;
    for (const Id& id : ids) {
      if (const Row* row = find(id)) found.push_back(*row);
    }
    return found;
  }
  /// Neither its id nor its place is taken.
  void put(Row row) {
    seq_of.emplace(row.id, row.seq);
    by_seq.emplace(row.seq, std::move(row));
  }
  void erase(const Id& id) {
    by_seq.erase(seq_of.at(id));
    seq_of.erase(id);
  }
};

/// All that a bank holds: what a failed write must leave as it was.
struct State {
  Table<Memory> memories;
  Table<EntityFact> entity_facts;
  Table<RelationshipFact> relationship_facts;
  std::int64_t next_seq = 1;
  std::int64_t next_fact_seq = 1;  // of both kinds

  EntityMerges merges;
  std::vector<KeptApart> apart;
  std::int64_t resolved_rev = 0;
  FoldedGraph graph;
  std::int64_t graph_rev = 0;
  std::set<MemoryId> moved;                   // to another network since the last fold
  std::map<std::string, GraphChange> outbox;  // by kind and key
  std::int64_t next_outbox_id = 1;

  EmbedderInfo embedder;
  /// By model and seq. Those that memories came with stand in the memories too.
  std::map<std::string, std::map<std::int64_t, std::vector<float>>, std::less<>> other_vectors;
  struct Cached {
    std::vector<float> embedding;
    std::optional<Timestamp> used;  // nothing: imported
  };
  std::map<std::pair<std::string, std::string>, Cached> cache;  // by model and MD5

  std::map<std::string, RetainedDocument, std::less<>> documents;  // by source
  std::unordered_map<MemoryId, Standing> standings;                // those not by_itself
  std::unordered_map<MemoryId, std::int64_t> statements;           // the index: memory to key
  std::int64_t statements_to = 0;

  std::vector<LedgerRun> runs;  // oldest first
  std::map<std::tuple<Uuid, std::string, std::int64_t>, LedgerBatch> batches;
};

/// The values whose keys come after that one, in the order of the keys, at most `limit`.
template <class Map, class Key>
[[nodiscard]] std::vector<typename Map::mapped_type> page_of(const Map& map, const Key& after,
                                                             std::size_t limit) {
  std::vector<typename Map::mapped_type> found;
  for (auto at = map.upper_bound(after); at != map.end() && found.size() < limit; ++at)
    found.push_back(at->second);
  return found;
}

}  // namespace bb5::in_memory
