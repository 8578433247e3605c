#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace bb5::rules {

/// What stands at the top of a Markdown file between two lines `---`.
struct FrontMatter {
  std::size_t length = 0;  ///< Bytes that are not part of the text; 0: there is none.
  std::optional<std::string> title;
  std::optional<Timestamp>
      date;  ///< Of `date`, `created`, `created_at`, `updated` (the first there).
};

/// Read line by line, not as YAML. What does not look like keys and values, or is not closed
/// within 200 lines, is no front matter: then it is text.
[[nodiscard]] FrontMatter read_front_matter(std::string_view text);

}  // namespace bb5::rules
