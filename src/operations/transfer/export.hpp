#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/memory_store.hpp"

namespace bb5 {

/// Takes the next bytes of an export. Errors stop it.
using ByteSink = std::function<Result<>(std::string_view)>;

struct ExportReport {
  std::int64_t memories = 0;
  std::map<std::string, std::int64_t> vectors;  ///< That stand in the file as vectors, by model.
  std::int64_t dropped = 0;  ///< Of these, in the place of one that the memory came with.
};

/// Writes the bank as the old system's memories.json: for a store taken over untouched the same
/// bytes, for everything since in the same form. Memories in insertion order, in bounded memory.
/// Vectors are those that memories came with, as long as the bank has them.
[[nodiscard]] Result<ExportReport> export_legacy(const MemoryStore& store, const ByteSink& sink);

}  // namespace bb5
