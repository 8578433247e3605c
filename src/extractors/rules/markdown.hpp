#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bb5::rules {

/// One piece of a Markdown text, in reading order.
struct Block {
  enum class Kind : std::uint8_t { heading, paragraph, item, row, code };
  enum class Task : std::uint8_t { none, open, done };

  Kind kind = Kind::paragraph;
  /// heading: 1–6. item: nesting depth from 1. Other blocks inside a list item: the item's depth;
  /// outside: 0.
  int level = 0;
  Task task = Task::none;       ///< `[ ]` or `[x]` before an item.
  bool starts_list = false;     ///< The first item of a list, or of a table the first row.
  bool same_paragraph = false;  ///< Stood as a further line `**Label:** …` in the paragraph before.
  bool only_link = false;       ///< Nothing but links into this page, or images.
  /// Plain text: emphasis is taken away, inline code keeps its backticks, a link is its text and
  /// for web addresses ` (https://…)`. One line, except for code. Empty for a row.
  std::string text;
  /// `**Label:** text`, `**Label** – text` or a line of nothing but bold text: the bold text
  /// without its colon; `text` is then what follows.
  std::string label;
  bool label_has_colon = false;
  std::vector<std::string> cells;  ///< Of a row; the first row of a table holds the headers.
};

/// The blocks of CommonMark with GitHub's tables and task lists. Indented text counts as text, HTML
/// loses its tags and comments. Any bytes are taken, in time linear in their number.
[[nodiscard]] std::vector<Block> parse_markdown(std::string_view text);

}  // namespace bb5::rules
