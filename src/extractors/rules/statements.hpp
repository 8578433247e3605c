#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "extractors/rules/markdown.hpp"
#include "extractors/rules/topics.hpp"

namespace bb5::rules {

/// A text that can stand alone, cut out of a document: what a memory is made of.
struct Statement {
  std::string content;
  std::size_t body = 0;  ///< Where in it the text itself starts, behind a title put before it.
  Topic topic = Topic::none;
  Block::Task task = Block::Task::none;
  std::optional<std::string> section;
  std::optional<double> confidence;  ///< When the text states one.
  std::optional<Timestamp> happened_at;
  std::optional<std::string> author;
  std::int64_t position = 0;
};

struct Statements {
  std::vector<Statement> statements;  ///< In reading order.
  /// What the document defines: labels, bold terms, titles of sections. Candidates for concepts.
  std::vector<std::string> terms;
  std::vector<std::string> titles;
};

/// A memory's content is at most so many characters, but for the title put before it.
inline constexpr std::size_t longest_statement = 1500;

/// Takes a Markdown text apart. Paragraphs stay whole up to 600 characters; list items take their
/// nested items along; a table's row is `header: cell; …`; a decision is one statement with its
/// context and reasons; what does not stand alone gets the title above it in front. Placeholders
/// (`Done.`, `TBD`) and links into the page are left out.
[[nodiscard]] Statements statements_of(std::string_view markdown);

}  // namespace bb5::rules
