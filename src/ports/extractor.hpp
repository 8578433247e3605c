#pragma once

#include <string>

#include "base/result.hpp"
#include "model/extraction.hpp"

namespace bb5 {

/// Text in, memories, entities and relationships out. Safe to call from several threads at once.
class Extractor {
 public:
  virtual ~Extractor() = default;

  /// Says in a bank what made a memory: `rules/1`, `llm/gpt-4o-mini/1`. Another name for another
  /// behaviour: a document that was read by another extractor is read again.
  [[nodiscard]] virtual std::string name() const = 0;

  /// No text is lost: what cannot be taken apart becomes a memory as it stands, with a warning. An
  /// empty document gives an empty extraction. Errors: unavailable, refused (a service that is away
  /// for good or will not have the key): the document can be tried again later.
  [[nodiscard]] virtual Result<Extraction> extract(const Document& document) const = 0;
};

}  // namespace bb5
