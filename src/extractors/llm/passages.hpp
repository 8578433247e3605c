#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/extraction.hpp"

/// Cuts documents into passages that one call can read.
namespace bb5::llm {

/// A stretch of one turn's text. The document must outlive it.
struct Slice {
  const Turn* turn = nullptr;
  std::string_view text;
};

/// What one call reads: slices in the document's order.
struct Passage {
  std::vector<Slice> slices;
};

/// All of the document, its blank turns left out.
[[nodiscard]] Passage whole(const Document& document);

/// A plain text is one slice of no named author; all else is a conversation.
[[nodiscard]] bool is_conversation(const Passage& passage);

/// Bytes of text, and in a conversation for each slice something for author and time.
[[nodiscard]] std::size_t size_of(const Passage& passage);

/// Passages of at most `limit_bytes`, each beginning with up to `overlap_bytes` of what the one
/// before ended with. Together they hold every byte. Borders lie between turns and paragraphs
/// where possible, else between lines, sentences, words, code points. No passage: nothing to read.
/// 0 < overlap_bytes ≤ limit_bytes / 2, limit_bytes ≥ 256.
[[nodiscard]] std::vector<Passage> cut(const Passage& passage, std::size_t limit_bytes,
                                       std::size_t overlap_bytes);

/// As it stands in the document; of a conversation, each slice begins with who spoke and when.
[[nodiscard]] std::string plain_text(const Passage& passage);

/// As plain_text, with `[position]` before each slice of a conversation.
[[nodiscard]] std::string numbered_text(const Passage& passage);

}  // namespace bb5::llm
