#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/result.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

struct LocalEmbedderOptions {
  std::filesystem::path folder;  ///< Empty: where it is found (model_files.hpp).
  std::size_t threads = 0;       ///< That work on one call; 0: as many as there are cores.
};

/// all-MiniLM-L6-v2 in this process: `local/all-MiniLM-L6-v2`, 384 numbers. Of a text, the first
/// 254 tokens count. Opening maps the weights, which all processes share, and takes milliseconds;
/// threads start with the first call that has work for several. Calls at the same time each use
/// their own thread; one of them has the helpers too.
/// Errors: not_found (no model), refused, unavailable, corrupt; each with a remedy.
[[nodiscard]] Result<std::unique_ptr<Embedder>> new_local_embedder(
    const LocalEmbedderOptions& options = {});

}  // namespace bb5
