#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/graph.hpp"
#include "model/made_vector.hpp"
#include "model/memory.hpp"
#include "model/memory_filter.hpp"
#include "model/retained_document.hpp"
#include "ports/embedder.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5 {

enum class OnConflict : std::uint8_t {
  keep,    ///< An id already held with another record_hash stays as it is and is reported as a
           ///< conflict.
  replace  ///< It is replaced; its seq stays (add is an upsert that keeps its place).
};

enum class WriteAction : std::uint8_t { inserted, identical, replaced, conflict };

/// What one transaction writes.
struct WriteBatch {
  std::span<const Memory> memories;          ///< No id twice.
  std::span<const EntityFact> entity_facts;  ///< Besides those of the memories themselves
  std::span<const RelationshipFact>
      relationship_facts;  ///< (facts_of), which the store writes too.
  OnConflict on_conflict = OnConflict::keep;
  /// Brings entities, relationships, mentions and the outbox up to date in the same transaction. A
  /// bulk load says false and calls EntityRecord::fold_graph() at its end; until then a power cut
  /// may take back the last batches, each with its ledger row.
  bool fold = true;
  /// A row of the migration ledger, written in the same transaction. Its counts are filled by the
  /// store (loaded = inserted + replaced, identical, rejected = conflicts) for memories when
  /// ledger->part is memories, for entity or relationship facts otherwise.
  const LedgerBatch* ledger = nullptr;
  /// The new states of the documents that the batch comes from, no source twice, written in the
  /// same transaction. None: its memories stand by themselves from here on.
  std::span<const DocumentChange> documents;
  /// For the StatementIndex: one for each of the memories, or none. Those of other kinds do not
  /// count.
  std::span<const std::int64_t> statement_keys;
  /// For copies of a bank: what each of the memories rests on. Empty: as `documents` have it.
  std::span<const Standing> standings;
  /// The model of the memories' vectors. Empty: not said, the bank's.
  std::string_view model;
};

/// In the order of the batch.
struct WriteOutcome {
  std::vector<WriteAction> memories;
  std::vector<WriteAction> entity_facts;
  std::vector<WriteAction> relationship_facts;
};

/// A page of memories in insertion order: seq > after_seq, at most `limit`.
struct PageRequest {
  std::int64_t after_seq = 0;
  std::size_t limit = 100;
  MemoryFilter filter;
  bool with_embeddings = true;  ///< false leaves Memory::embedding empty.
  bool without_vector = false;  ///< true: only those that need embedding.
};

struct StoreStats {
  std::int64_t memories = 0;  ///< Pseudo-memories included.
  std::map<std::string, std::int64_t> networks;
  std::map<MemoryKind, std::int64_t> kinds;
  std::map<VectorState, std::int64_t> vectors;
  std::map<std::string, std::int64_t> other_vectors;  ///< By model (OtherVectors).
  std::int64_t entities = 0;
  std::int64_t relationships = 0;
  std::int64_t mentions = 0;
  std::int64_t outbox_pending = 0;
  std::int64_t cached_embeddings = 0;
  std::optional<Timestamp> oldest;
  std::optional<Timestamp> newest;
  std::int64_t bytes_on_disk = 0;
};

/// Keeps one bank's memories. The store is the record: everything else is derived from it.
/// Every member is safe to call from several threads at once, and several processes may have the
/// same bank open. Acknowledged means durable: when write() has returned a value, a kill or a power
/// cut does not lose it (bulk loads: WriteBatch::fold). Errors of every member: unavailable
/// (backend away; nothing was written unless said), refused, corrupt, out_of_space, internal.
class MemoryStore {
 public:
  virtual ~MemoryStore() = default;

  /// Writes the whole batch, its ledger row and its documents' new states, or nothing.
  /// Errors: invalid_argument (validate() fails, a vector of another length than the bank's, a
  /// vector when no embedder is recorded, a document that names a memory or fact that is neither
  /// held nor in the batch), conflict (the ledger already has this batch, or it allows fewer
  /// conflicts than there are; a document was changed meanwhile; a vector in it is not of the
  /// bank's model). Nothing is written then.
  virtual Result<WriteOutcome> write(const WriteBatch& batch) = 0;

  /// Those of the ids that are held, in the order asked for; absence is no error.
  virtual Result<std::vector<Memory>> get(std::span<const MemoryId> ids,
                                          bool with_embeddings) const = 0;

  /// All memories with this legacy id (or this UUID as text), in insertion order.
  virtual Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const = 0;

  /// Memories in insertion order. Errors: invalid_argument (validate() of the filter fails).
  virtual Result<std::vector<Memory>> page(const PageRequest& request) const = 0;

  /// Removes the memory, its facts and mentions, takes them out of the documents, folds the graph
  /// and leaves a tombstone in the outbox. False: no such memory.
  virtual Result<bool> erase(const MemoryId& id) = 0;

  virtual Result<StoreStats> stats() const = 0;
  /// StoreStats::memories alone: looks at no rows but what it takes to count them.
  [[nodiscard]] virtual Result<std::int64_t> count() const = 0;

  [[nodiscard]] virtual Result<EmbedderInfo> embedder() const = 0;
  /// Records model and dimension; a no-op when they are recorded already.
  /// Errors: conflict when others are recorded; invalid_argument (dimension 0 or > 16,000).
  virtual Result<> set_embedder(const EmbedderInfo& embedder) = 0;

  /// Gives vectors (model/made_vector.hpp) to those of the memories that need embedding and
  /// still have the content that theirs was made of, in one transaction; the others are left as
  /// they are: erased, changed or embedded meanwhile. Returns how many it gave. No id twice.
  /// Errors: conflict when the bank records another embedder; invalid_argument (a vector of another
  /// length, or one that validate() refuses). Nothing is written then.
  virtual Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                            std::span<const MadeVector> vectors) = 0;

  /// Cheap self-check: opens, schema version and checksums, integrity of files and indexes as far
  /// as it can be told in a second (thorough: as long as it takes). One line a finding; empty:
  /// healthy.
  virtual Result<std::vector<std::string>> check(bool thorough) const = 0;
};

}  // namespace bb5
