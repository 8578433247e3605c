#pragma once

#include <memory>

#include "ports/extractor.hpp"

namespace bb5 {

/// Takes Markdown and conversations apart by rules: offline, deterministic, in linear time.
/// Its answers are hints for English texts and say little of others, whose memories they still are.
/// Never fails; safe to call from several threads at once.
[[nodiscard]] std::unique_ptr<Extractor> new_rules_extractor();

}  // namespace bb5
