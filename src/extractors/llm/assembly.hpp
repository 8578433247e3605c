#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "extractors/llm/passages.hpp"
#include "extractors/llm/reply.hpp"
#include "model/extraction.hpp"

namespace bb5::llm {

/// Puts together what the passages of one document gave, in their order: names spelled alike,
/// repetitions from the overlap counted once, every name that is used among the entities.
class Assembly {
 public:
  void add(const Passage& passage, Reply reply);
  [[nodiscard]] Extraction finish() &&;

 private:
  struct Placed {
    ExtractedMemory memory;
    std::int64_t turn = 0;
  };

  /// The entity of this name, made when there is none, as its index.
  std::size_t entity(const ExtractedEntity& given);
  std::string spelling(const std::string& name);
  void add_relationship(ExtractedRelationship relationship);
  void add_memory(Placed placed);
  void link_entities(ExtractedMemory& memory) const;

  Extraction extraction_;
  std::vector<Placed> memories_;
  std::map<std::string, std::vector<std::size_t>> entities_;  ///< By folded name.
  std::map<std::string, std::size_t> relationships_;          ///< By folded ends and predicate.
  std::map<std::string, std::size_t> contents_;               ///< By folded content.
};

}  // namespace bb5::llm
