#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/extraction.hpp"

/// A model's reply, checked field by field. What is clear is taken, whatever it is called; what is
/// not is left out with a warning; nothing here throws away a reply for one bad field.
namespace bb5::llm {

struct ReplyMemory {
  ExtractedMemory memory;            ///< `position` is not set.
  std::optional<std::int64_t> turn;  ///< The position that the model names.
};

/// What one call gave. Names are not yet spelled alike, and ends of relationships may be missing
/// among the entities.
struct Reply {
  std::vector<ReplyMemory> memories;
  std::vector<ExtractedEntity> entities;
  std::vector<ExtractedRelationship> relationships;
  std::vector<std::string> warnings;
};

/// Text may stand around the JSON (a fence, a sentence, a `<think>` block), and several values may
/// follow each other. Errors: invalid_argument when there is no JSON array or object, or it is not
/// well-formed; the message says what is wrong.
[[nodiscard]] Result<Reply> read_reply(std::string_view text);

}  // namespace bb5::llm
