#pragma once

#include <span>
#include <unordered_map>

#include "base/result.hpp"
#include "ports/memory_store.hpp"

namespace bb5 {

/// What is to become of a record that kept its raw bytes and holds the id of another content: hands
/// edited it. The old system's upsert would have put the new content in its place.
enum class RawRecords : bool { keep, give_way };

using HeldMemories = std::unordered_map<MemoryId, Memory>;

/// Gives memories their ids by content and tells which of them the bank holds. An id that another
/// content holds (48 bits collide, hands edit) goes to its next occurrence. Errors: the bank's.
[[nodiscard]] Result<HeldMemories> give_content_ids(const MemoryStore& bank,
                                                    std::span<Memory* const> memories,
                                                    RawRecords raw_records);

}  // namespace bb5
