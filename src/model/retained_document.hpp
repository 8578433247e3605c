#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

/// What a memory's validity rests on. The values are stored: never renumber.
enum class Standing : std::uint8_t {
  by_itself = 0,  ///< Added by hand, imported, migrated: what documents say never closes it.
  said = 1,       ///< Documents brought it: it is closed when none says it any more.
  unsaid = 2      ///< That has happened: it is opened again when one says it again.
};

/// A document's new state, written in one transaction with its memories and facts
/// (WriteBatch::documents), maybe with those of other documents. The store then
///  - removes the facts that the former state had and that neither this one, nor another document,
///    nor the batch has, and folds the graph as if they had never been (a fact that belongs to a
///    memory goes with that);
///  - closes each memory that no document says any more: valid_until becomes retained_at (an
///    earlier one stays). It is kept, and found only when asked for as of a time before;
///  - opens each memory again that it closed so and that the document says again: valid_until
///    becomes unset, before the memories of the batch are compared with what is held.
/// None of this touches a memory that stands by itself: one that was there before any document said
/// it, or that a batch without a document wrote since (an identical record counts, a conflict does
/// not), or that stands in the batch and not in the document.
struct DocumentChange {
  RetainedDocument document;  ///< Without memories and facts: the document says nothing any more.
  /// Digest of the state that this one follows; nothing: the bank does not know the document.
  std::optional<std::string> previous_digest;
};

/// Checks what the types do not. Errors: invalid_argument (source empty or no storable text,
/// extractor no storable text, digest not 32 bytes; a source twice).
Result<> validate(std::span<const DocumentChange> changes);

/// Errors: conflict, when the bank holds another state than the one that the change follows.
/// held_digest: the digest that the bank holds of the document, if it knows it.
Result<> check_follows(const DocumentChange& change, const std::optional<std::string>& held_digest);

/// A memory or fact that the document names and that is neither in the bank nor in the batch.
[[nodiscard]] Error names_nothing(const RetainedDocument& document, const MemoryId& memory);
[[nodiscard]] Error names_nothing(const RetainedDocument& document, const FactId& fact);

/// Where a memory stands that a write meets. held: nothing, when the bank does not have it yet.
/// wanted: by_itself or said, as the batch says; a copy of a bank may say unsaid.
[[nodiscard]] constexpr Standing standing_after(std::optional<Standing> held, Standing wanted) {
  return held == Standing::by_itself ? Standing::by_itself : wanted;
}

}  // namespace bb5
