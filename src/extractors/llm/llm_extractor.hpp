#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "ports/extractor.hpp"
#include "services/openai/service.hpp"

namespace bb5 {

struct LlmExtractorOptions {
  std::string model = "gpt-4o-mini";
  /// A call reads a passage of at most so many bytes of text: about 6,000 tokens. Bytes, because
  /// four of them are about a token in English, and three in scripts that need more bytes a letter.
  std::size_t passage_bytes = 20'000;  ///< At least 256.
  std::size_t overlap_bytes = 2'000;   ///< Of a passage with the one before; at most half of it.
  std::size_t calls_at_once = 4;       ///< For one document.
};

/// Asks a model: one call a passage gives memories, entities and relationships together. What the
/// reply holds is checked field by field; a reply that cannot be understood, is empty or was cut
/// is asked for again or in halves, and in the end the passage itself becomes a memory.
[[nodiscard]] std::unique_ptr<Extractor> new_llm_extractor(std::shared_ptr<openai::Service> service,
                                                           const LlmExtractorOptions& options = {});

}  // namespace bb5
