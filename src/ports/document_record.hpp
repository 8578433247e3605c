#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace bb5 {

/// A document that RETAIN took in, and what came of it.
struct RetainedDocument {
  std::string source;     ///< Its name in the bank: a path, a URL, a conversation's id.
  std::string digest;     ///< 32 bytes: of the text and of the extractor that read it.
  std::string extractor;  ///< Extractor::name().
  Timestamp retained_at;
  /// What it says, in its order; a memory that it says twice stands twice. Memories of other
  /// documents stand here too, when it says the same or nearly the same.
  std::vector<MemoryId> memories;
  std::vector<FactId> entity_facts;
  std::vector<FactId> relationship_facts;
  bool operator==(const RetainedDocument&) const = default;
};

/// A document's new state, written in one transaction with its memories and facts
/// (WriteBatch::document). The store then
///  - removes the facts that the former state had and this one has not;
///  - closes the memories that no document says any more (valid_until = retained_at): they stay,
///  and
///    are no longer found unless asked for as of a time before;
///  - opens those again that a document says again (valid_until unset).
/// A memory that was there before any document said it, or was added by hand since, is never
/// closed.
struct DocumentChange {
  RetainedDocument document;  ///< Without memories and facts: the document says nothing any more.
  /// Digest of the state that this one follows; nothing: the bank does not know the document.
  /// Another one is held: conflict (somebody else retained it meanwhile), and nothing is written.
  std::optional<std::string> previous_digest;
};

/// Which documents a bank has read. Threads and common errors as MemoryStore.
class DocumentRecord {
 public:
  virtual ~DocumentRecord() = default;

  virtual Result<std::optional<RetainedDocument>> document(std::string_view source) const = 0;
  /// In bytewise order of the source, after that one.
  virtual Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                          std::size_t limit) const = 0;
  /// How often documents say this memory: the evidence for it. 0: it was added in another way.
  virtual Result<std::int64_t> times_said(const MemoryId& memory) const = 0;
};

}  // namespace bb5
