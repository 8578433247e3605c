#pragma once

#include <vector>

#include "extractors/rules/statements.hpp"
#include "model/extraction.hpp"

namespace bb5::rules {

/// Each turn that says something, as it was said; one of more than 1,000 characters in parts.
/// Greetings and thanks alone (`ok`, `thanks!`) are left out. A statement's position is its turn's,
/// or the next free one.
[[nodiscard]] std::vector<Statement> statements_of_turns(const std::vector<Turn>& turns);

/// True when the words only keep a conversation going.
[[nodiscard]] bool is_small_talk(std::string_view text);

}  // namespace bb5::rules
