#pragma once

#include <string>

#include "ports/memory_source.hpp"
#include "sources/blackbox5/array_reader.hpp"
#include "sources/blackbox5/vector_text.hpp"

namespace bb5::blackbox5 {

/// The top-level members of a record, its vector kept apart.
struct Parts {
  json::Value value;  ///< The record without its `embedding`, when it is an object; whatever it is
                      ///< otherwise.
  bool has_vector = false;
  bool vector_twice = false;
  VectorText vector;
  std::size_t vector_from = 0;  ///< Bytes of the embedding's value within the record.
  std::size_t vector_to = 0;
};

/// Reads a record at the cursor. False: the cursor tells why.
bool read_parts(json::Cursor& cursor, Parts& parts);

/// What becomes of an element of memories.json, all_memories.json, {network}_memories.json or a
/// prototype output (docs/damage.md holds the rules; source-format pages of the old system are
/// cited there).
[[nodiscard]] SourceRecord memory_record(const ArrayReader::Element& element, const Parts& parts,
                                         const MemorySource::ReadOptions& options);
/// An element of entities.json or relationships.json.
[[nodiscard]] SourceRecord entity_record(const ArrayReader::Element& element, const Parts& parts);
[[nodiscard]] SourceRecord relationship_record(const ArrayReader::Element& element,
                                               const Parts& parts);

/// A record of which nothing can be made: its bytes go into the ledger.
[[nodiscard]] SourceRecord quarantined(const ArrayReader::Element& element, std::string code,
                                       std::string message);

}  // namespace bb5::blackbox5
