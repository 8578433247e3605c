#pragma once

#include <span>
#include <vector>

#include "ports/memory_search.hpp"
#include "ports/memory_store.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/documents.hpp"
#include "stores/postgres/graph_fold.hpp"
#include "stores/postgres/ledger.hpp"
#include "stores/postgres/statements.hpp"

namespace bb5::postgres {

/// The key of a text in the embedding cache; nothing when it is no MD5 in 32 lower-case hex digits.
[[nodiscard]] std::optional<Uuid> cache_key(std::string_view text_md5);

/// What to say when vectors are not of the bank's embedder.
[[nodiscard]] Error other_embedder(const EmbedderInfo& held);

/// Writes batches: one transaction each.
///
/// Round trips of a batch: BEGIN with all look-ups; the numbers for new rows, with what is removed;
/// one COPY a table; what is replaced; the ledger; the fold's first part; the rest with COMMIT.
/// Nothing is looked up or sent row by row. A document's change adds three: its former state, under
/// a lock; its row with what it no longer says; the rows of what it says.
class Writer {
 public:
  Writer(const Database& database, const GraphFold& fold, const Ledger& ledger,
         const Documents& documents, const Statements& statements);

  Result<WriteOutcome> write(const WriteBatch& batch) const;
  Result<bool> erase(const MemoryId& id) const;
  Result<std::int64_t> give_vectors(const EmbedderInfo& embedder,
                                    std::span<const MadeVector> vectors) const;
  Result<std::vector<WriteAction>> cache_embeddings(std::span<const EmbeddingCache::Entry> entries,
                                                    const LedgerBatch* ledger) const;
  Result<> keep_computed(std::span<const EmbeddingCache::Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) const;
  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) const;

 private:
  class Batch;

  const Database& database_;
  const GraphFold& fold_;
  const Ledger& ledger_;
  const Documents& documents_;
  const Statements& statements_;
  std::string memories_table_;
  std::string mention_facts_table_;
  std::string entity_facts_table_;
  std::string relationship_facts_table_;
  std::string embedding_cache_table_;
  Statement embedder_;
  Statement held_memories_;
  Statement locked_memories_;
  Statement held_entity_facts_;
  Statement held_relationship_facts_;
  Statement facts_of_memories_[2];
  Statement raise_seq_;
  Statement memory_seqs_;
  Statement commit_without_waiting_;
  Statement fact_seqs_;
  Statement delete_entity_facts_;
  Statement delete_relationship_facts_;
  Statement delete_mention_facts_;
  Statement update_memory_;
  Statement whole_memories_;
  Statement memories_without_vectors_;
  Statement recorded_embedder_;
  Statement locked_without_vectors_;
  Statement give_vector_;
  Statement set_standing_;
  Statement set_end_;
  Statement hashes_;
  Statement delete_memory_;
  Statement held_cached_;
  Statement update_cached_;
  Statement make_imported_;
  Statement keep_computed_;
  Statement forget_unused_;
  Statement note_use_;
};

}  // namespace bb5::postgres
