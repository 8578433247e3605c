#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace bb5 {

/// One contribution to a document: a turn of a conversation, or all of a text that one hand wrote.
struct Turn {
  std::string text;  ///< UTF-8 without U+0000.
  std::optional<std::string> author;
  std::optional<Timestamp> said_at;
  std::int64_t position = 0;  ///< Its place in the document, from 0; ascending.
  bool operator==(const Turn&) const = default;
};

/// A text to learn from. A plain text has one turn, a transcript one for each utterance.
struct Document {
  std::string source;  ///< What its memories name as their source: a path, `stdin`.
  std::string source_type =
      "generic";  ///< `thoughts`, `decisions`, `results`, `task`, `transcript`…
  std::optional<Timestamp> written_at;  ///< When a turn says nothing of its own.
  std::vector<Turn> turns;
  bool operator==(const Document&) const = default;
};

/// What an extractor makes one memory of.
struct ExtractedMemory {
  std::string content;                  ///< Never empty; understood without the text around it.
  std::string network = "world";        ///< One of known_networks.
  double confidence = 0.8;              ///< In [0, 1].
  std::optional<std::string> category;  ///< `decision`, `objective`, `learning`, `next_step`…
  std::vector<std::string> entities;    ///< Names, as they stand in `Extraction::entities`.
  std::optional<std::string> section;   ///< The headings above it, joined by ` > `.
  std::optional<std::string> author;
  /// When, as the text dates it; else when the turn was said; nothing: neither is known.
  std::optional<Timestamp> happened_at;
  std::int64_t position = 0;  ///< Order in the document: ascending, unique in it.
  bool operator==(const ExtractedMemory&) const = default;
};

struct ExtractedEntity {
  std::string name;              ///< Never empty.
  std::string type = "concept";  ///< `person`, `organization`, `technology`, `concept`, `location`…
  std::int64_t mentions = 1;     ///< In this document, ≥ 1.
  bool operator==(const ExtractedEntity&) const = default;
};

/// subject –predicate→ object. Both ends are names in `Extraction::entities`.
struct ExtractedRelationship {
  std::string subject;
  std::string predicate = "relates_to";  ///< Lower case with `_`: `uses`, `depends_on`.
  std::string object;
  double confidence = 0.7;  ///< In [0, 1].
  bool operator==(const ExtractedRelationship&) const = default;
};

/// What a service charged for. All 0 offline.
struct ServiceUsage {
  std::int64_t calls = 0;  ///< Repeated ones included.
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;
  bool operator==(const ServiceUsage&) const = default;
};

/// All that one document gave.
struct Extraction {
  std::vector<ExtractedMemory> memories;
  std::vector<ExtractedEntity> entities;  ///< No two of the same name and type.
  std::vector<ExtractedRelationship> relationships;
  /// What was not as it should be and what was done about it, one sentence each.
  std::vector<std::string> warnings;
  ServiceUsage usage;
  bool operator==(const Extraction&) const = default;
};

}  // namespace bb5
