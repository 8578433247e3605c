#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bb5 {

/// Stand around what is put into an agent's context from memory.
inline constexpr std::string_view recalled_begin = "<!-- bb5-memory: recalled -->";
inline constexpr std::string_view recalled_end = "<!-- bb5-memory: end -->";

struct OwnText {
  std::string text;
  std::int64_t blocks = 0;  ///< Cut out.
};

/// A text without what was recalled into it, which would be remembered a second time: what stands
/// between the marks above (to the end, when the second is missing), between `<relevant-memories>`
/// and
/// `</relevant-memories>`, and the old system's block from `## Relevant Memories` to its line
/// `*Recalled … total*` or `*No relevant memories found.*`, at most to the next heading as high.
[[nodiscard]] OwnText without_recalled(std::string_view text);

}  // namespace bb5
