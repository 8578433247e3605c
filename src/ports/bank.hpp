#pragma once

#include "ports/document_record.hpp"
#include "ports/entity_graph.hpp"
#include "ports/memory_search.hpp"
#include "ports/memory_store.hpp"
#include "ports/migration_ledger.hpp"
#include "ports/other_vectors.hpp"
#include "ports/ranking_source.hpp"
#include "ports/statement_index.hpp"
#include "ports/vector_index.hpp"

namespace bb5 {

/// All that a store does for one bank. Operations take the one port they need; only the engine,
/// which opens it, and the contract suite see the whole.
class Bank : public MemoryStore,
             public OtherVectors,
             public MemorySearch,
             public VectorIndex,
             public RankingSource,
             public StatementIndex,
             public EmbeddingCache,
             public EntityRecord,
             public DocumentRecord,
             public MigrationLedger {};

}  // namespace bb5
