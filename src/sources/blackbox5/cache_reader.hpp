#pragma once

#include <memory>
#include <string>

#include "ports/memory_source.hpp"
#include "sources/blackbox5/file_window.hpp"

namespace bb5::blackbox5 {

/// Reads `.embedding_cache.json`: one object, MD5 of a text → vector. What parses is taken; damage
/// is never an error: an entry that is no vector is quarantined, and what follows damage in the
/// file is left.
[[nodiscard]] Result<std::unique_ptr<RecordReader>> open_cache(
    const std::string& path, std::size_t window_bytes = default_window_bytes);

}  // namespace bb5::blackbox5
