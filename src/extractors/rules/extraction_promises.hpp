#pragma once

#include <algorithm>
#include <set>
#include <string>

#include "base/utf8.hpp"
#include "extractors/rules/words.hpp"
#include "model/extraction.hpp"
#include "model/memory.hpp"

namespace bb5::rules {

/// What holds for the extraction of any document; the promise that is broken, or nothing. For tests
/// and fuzzers.
inline std::string broken_promise(const Document& document, const Extraction& extraction) {
  std::set<std::string> names;
  std::set<std::pair<std::string, std::string>> entities;
  for (const ExtractedEntity& entity : extraction.entities) {
    if (entity.name.empty() || !is_storable_utf8(entity.name))
      return "a name is text: " + entity.name;
    if (entity.mentions < 1) return "an entity is mentioned: " + entity.name;
    if (!entities.emplace(entity.name, entity.type).second)
      return "an entity is one: " + entity.name;
    names.insert(entity.name);
  }
  std::string all;
  for (const Turn& turn : document.turns) all += turn.text;
  if (extraction.memories.empty() && says_something(all)) return "no text is lost";

  std::int64_t position = -1;
  for (const ExtractedMemory& memory : extraction.memories) {
    const std::string& content = memory.content;
    if (content.empty() || !is_storable_utf8(content)) return "a content is text: " + content;
    if (trimmed(content) != content) return "a content is trimmed: " + content;
    if (count_characters(content) > 2400) return "a content is bounded: " + content;
    if (parse_network(memory.network) != memory.network)
      return "a network is known: " + memory.network;
    if (memory.confidence < 0.5 || memory.confidence > 0.95) return "a confidence is in its range";
    if (memory.position <= position) return "positions ascend";
    position = memory.position;
    if (memory.section && !is_storable_utf8(*memory.section)) return "a section is text";
    for (const std::string& name : memory.entities)
      if (!names.contains(name)) return "a memory's entity is listed: " + name;
    if (std::set<std::string>(memory.entities.begin(), memory.entities.end()).size() !=
        memory.entities.size())
      return "a memory names an entity once: " + content;
  }
  for (const ExtractedRelationship& stated : extraction.relationships) {
    if (!names.contains(stated.subject)) return "a subject is an entity: " + stated.subject;
    if (!names.contains(stated.object)) return "an object is an entity: " + stated.object;
    if (stated.subject == stated.object) return "nothing is related to itself: " + stated.subject;
    if (stated.confidence <= 0 || stated.confidence > 1) return "a confidence is in its range";
    if (stated.predicate.empty()) return "a predicate has a name";
  }
  return {};
}

}  // namespace bb5::rules
