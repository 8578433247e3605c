#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.hpp"
#include "ports/memory_store.hpp"

namespace bb5 {

/// Takes the next bytes of an export. Errors stop it.
using ByteSink = std::function<Result<>(std::string_view)>;

/// Writes the bank as the old system's memories.json: for a store taken over untouched the same
/// bytes, for everything since in the same form. Memories in insertion order, in bounded memory.
/// Returns their number.
[[nodiscard]] Result<std::int64_t> export_legacy(const MemoryStore& store, const ByteSink& sink);

}  // namespace bb5
