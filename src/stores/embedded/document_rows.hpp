#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "ports/document_record.hpp"
#include "ports/memory_store.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/fact_rows.hpp"

/// Retained documents as rows, and what a document's new state does to memories and facts.
namespace bb5::embedded {

Result<std::optional<RetainedDocument>> read_document(Connection& connection,
                                                      std::string_view source);
Result<std::vector<RetainedDocument>> page_of_documents(Connection& connection,
                                                        std::string_view after_source,
                                                        std::size_t limit);
Result<std::int64_t> count_sayings(Connection& connection, const MemoryId& memory);
Result<std::vector<Standing>> read_standings(Connection& connection,
                                             std::span<const MemoryId> memories);

/// Takes a memory that is erased out of every document.
Result<> forget_memory(Connection& connection, std::int64_t memory_seq);

/// Writes a document's new state within the transaction of its memories and facts: open() before
/// them, put() after them, and close() when all documents of the transaction are put.
class DocumentWriter {
 public:
  /// All outlive this.
  DocumentWriter(Connection& connection, FactWriter& facts, const DocumentChange& change)
      : connection_(connection), facts_(facts), change_(change) {}

  /// Opens the memories that the document says again. Errors: invalid_argument, conflict.
  Result<> open();
  [[nodiscard]] bool says(const MemoryId& memory) const { return said_.contains(memory); }
  /// Puts the new state in the place of the former one. Errors: invalid_argument.
  Result<> put();
  /// Removes and closes what has lost its ground. The facts: all that the transaction writes.
  Result<> close(std::span<const EntityFact> entity_facts,
                 std::span<const RelationshipFact> relationship_facts);
  /// A memory was opened or closed.
  [[nodiscard]] bool changed_memories() const { return changed_memories_; }

 private:
  using FactIds = std::map<std::int64_t, FactId>;  // by place

  Result<> read_former();
  Result<std::vector<std::int64_t>> seqs_of_memories();
  Result<> write_row();
  Result<> write_memories(const std::vector<std::int64_t>& seqs);
  template <class Fact>
  Result<> write_facts(const std::vector<FactId>& named, const FactIds& former);
  template <class Fact>
  Result<> erase_unsaid(std::span<const Fact> written, const std::vector<FactId>& named,
                        const FactIds& former);
  Result<> close_unsaid();
  Result<> set_end(const MemoryId& id, std::optional<Timestamp> end, Standing standing);

  Connection& connection_;
  FactWriter& facts_;
  const DocumentChange& change_;
  std::unordered_set<MemoryId> said_;
  std::int64_t document_ = 0;                             // its number; 0: none yet
  std::map<std::int64_t, std::int64_t> former_memories_;  // seq, by place
  FactIds former_entity_facts_;
  FactIds former_relationship_facts_;
  bool changed_memories_ = false;
};

}  // namespace bb5::embedded
