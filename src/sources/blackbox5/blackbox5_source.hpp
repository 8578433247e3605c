#pragma once

#include <memory>
#include <string>

#include "ports/memory_source.hpp"

namespace bb5 {

/// The old system's data: a folder with memories.json, or of RETAIN or prototype outputs, or one
/// such file. Errors: not_found; invalid_argument when nothing of it is there; refused.
[[nodiscard]] Result<std::unique_ptr<MemorySource>> open_blackbox5_source(const std::string& path);

}  // namespace bb5
