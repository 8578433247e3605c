#pragma once

#include <span>
#include <vector>

#include "ports/memory_store.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/documents.hpp"
#include "stores/postgres/graph_fold.hpp"
#include "stores/postgres/ledger.hpp"
#include "stores/postgres/statements.hpp"

namespace bb5::postgres {

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
  Statement embedder_[2];  // as it is; and kept so until the end
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
  Statement keep_given_;
  Statement set_standing_;
  Statement set_end_;
  Statement hashes_;
  Statement delete_memory_;
};

}  // namespace bb5::postgres
