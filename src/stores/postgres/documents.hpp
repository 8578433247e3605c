#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ports/document_record.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// A document's state before a change, by the places in it.
struct FormerDocument {
  using Places = std::map<std::int32_t, Uuid>;
  std::int64_t number = 0;  ///< 0: the bank does not know the document yet.
  Places memories;
  Places entity_facts;
  Places relationship_facts;
};

/// Retained documents: reads them, and writes their rows within the transaction of a batch.
class Documents {
 public:
  explicit Documents(const Database& database);

  Result<std::optional<RetainedDocument>> document(std::string_view source) const;
  Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                  std::size_t limit) const;
  Result<std::int64_t> times_said(const MemoryId& memory) const;
  Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const;
  /// True when the bank holds this very state; for a COMMIT whose answer was lost.
  Result<bool> holds(const RetainedDocument& document) const;

  /// What the bank holds of the documents, in their order. From here to the end of the transaction
  /// no other document of the bank changes, so what others say is known for sure. Errors: conflict.
  Result<std::vector<FormerDocument>> begin(Transaction& transaction,
                                            std::span<const DocumentChange> changes) const;
  /// Puts the rows of the new states in the places of the former ones, which are in the same order.
  Result<> write(Transaction& transaction, std::span<const DocumentChange> changes,
                 const std::vector<FormerDocument>& former) const;

  // For look-ups and removals that travel with others. kind: 0 entity, 1 relationship facts.
  [[nodiscard]] Command memories_said_elsewhere(const std::vector<Uuid>& memories,
                                                const std::vector<FormerDocument>& former) const;
  [[nodiscard]] Command facts_elsewhere(const std::vector<Uuid>& facts, std::int16_t kind,
                                        const std::vector<FormerDocument>& former) const;
  /// As begin() does: what takes rows out of documents holds it too, or a document that is written
  /// at the same time would count on them.
  [[nodiscard]] Command lock() const;
  [[nodiscard]] Command forget_memory(const MemoryId& memory) const;
  [[nodiscard]] Command forget_facts(const std::vector<Uuid>& facts, std::int16_t kind) const;

 private:
  Result<std::vector<std::int64_t>> put(Transaction& transaction,
                                        std::span<const DocumentChange> changes,
                                        const std::vector<FormerDocument>& former) const;

  const Database& database_;
  std::int64_t lock_key_;
  std::string memories_table_;
  std::string facts_table_;
  Statement document_;
  Statement documents_;
  Statement times_said_;
  Statement standings_;
  Statement digest_;
  Statement lock_;
  Statement former_;
  Statement former_memories_;
  Statement former_facts_;
  Statement put_;
  Statement delete_memories_;
  Statement delete_facts_;
  Statement memories_elsewhere_;
  Statement facts_elsewhere_;
  Statement forget_memory_;
  Statement forget_facts_;
};

}  // namespace bb5::postgres
