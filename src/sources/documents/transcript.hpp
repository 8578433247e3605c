#pragma once

#include <string_view>

#include "base/result.hpp"
#include "sources/documents/read_document.hpp"

namespace bb5 {

/// Reads a conversation: JSON lines, or one JSON array, of messages. A message is an object with
///  - who: `author`, `speaker`, `name`, `role` or `from`, in this order;
///  - what: `content`, `text` or `message`, a text or a list of texts and `{type: "text", text}`
///  parts
///    (tool calls and their results are no one's words and stay out);
///  - when: `timestamp`, `created_at`, `time` or `date`, in ISO 8601 or seconds since 1970.
/// The lines of coding agents hold it under `message` beside `type` and `timestamp`; their other
/// lines (summaries, snapshots, meta) are passed over. A last line that ends in the middle is left
/// out with a warning: the conversation is still being written. Messages without words give no
/// turn. Errors: invalid_argument naming the line (of the array: the message).
[[nodiscard]] Result<ReadDocument> read_transcript(std::string_view text, std::string source);

}  // namespace bb5
