#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/retained_document.hpp"

namespace bb5 {

/// Which documents a bank has read, and what rests on them. It is written with their memories and
/// facts (WriteBatch::documents). A memory or fact that is erased goes out of every document that
/// names it. Threads and common errors as MemoryStore.
class DocumentRecord {
 public:
  virtual ~DocumentRecord() = default;

  virtual Result<std::optional<RetainedDocument>> document(std::string_view source) const = 0;
  /// In bytewise order of the source, after that one; those that say nothing any more included.
  virtual Result<std::vector<RetainedDocument>> documents(std::string_view after_source,
                                                          std::size_t limit) const = 0;
  /// How often documents say this memory: the evidence for it. 0: none does.
  virtual Result<std::int64_t> times_said(const MemoryId& memory) const = 0;
  /// One for each of the ids, in their order; by_itself where there is no such memory.
  virtual Result<std::vector<Standing>> standings(std::span<const MemoryId> memories) const = 0;
};

}  // namespace bb5
