#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "extractors/rules/markdown.hpp"
#include "extractors/rules/topics.hpp"

namespace bb5::rules {

/// One item of a list, with the paragraphs that belong to it.
struct Item {
  int depth = 1;
  Block::Task task = Block::Task::none;
  std::string label;
  std::string text;  ///< What follows the label.
  bool only_link = false;
};

/// What stands between two blank lines, roughly: a paragraph, a list, a table, a piece of code.
struct Entry {
  enum class Kind : std::uint8_t { text, list, table, code };
  Kind kind = Kind::text;
  Topic topic = Topic::none;  ///< Of the label.
  std::string label;          ///< `Rationale` in `**Rationale:** …` or in the line above a list.
  bool known_label = false;   ///< Its topic is known, or it ended with a colon.
  std::string text;  ///< Of a paragraph or code; of a list or table: the line that introduces it.
  bool same_paragraph = false;
  std::vector<Item> items;
  std::vector<std::vector<std::string>> rows;  ///< The first holds the headers.
};

struct Section {
  int level = 0;  ///< 0: what stands before the first heading.
  std::string title;
  std::string path;  ///< `A > B`; empty for level 0.
  Heading heading;
  Topic topic = Topic::none;  ///< Its own, else the nearest above that has one.
  std::size_t parent = 0;
  std::size_t end = 0;            ///< Sections [its index + 1, end) stand below it.
  std::optional<Timestamp> date;  ///< In its title.
  std::vector<Entry> entries;
};

/// Sections in reading order; the first is what stands before any heading (level 0, its own
/// parent).
[[nodiscard]] std::vector<Section> outline_of(std::vector<Block> blocks);

}  // namespace bb5::rules
