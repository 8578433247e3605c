#pragma once

#include <string>
#include <vector>

#include "model/extraction.hpp"
#include "model/graph.hpp"
#include "model/memory.hpp"

namespace bb5 {

/// What an extraction becomes in a bank, by itself: ids by content for memories (the bank may hold
/// another content under one: content_ids.hpp), none given twice; no vectors.
struct DocumentRecords {
  std::vector<Memory> memories;  ///< One for each of the extraction, in its order.
  std::vector<EntityFact> entity_facts;
  std::vector<RelationshipFact> relationship_facts;
};

/// The time of a memory: when it happened, else when the document was written, else `moment`. Ids
/// of facts follow from the document's source and from all that they say but times: the same
/// document read again gives the same facts, one that says something else gives others.
[[nodiscard]] DocumentRecords records_of(const Extraction& extraction, const Document& document,
                                         Timestamp moment);

}  // namespace bb5
