#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bb5::rules {

/// What a heading or a label announces.
enum class Topic : std::uint8_t {
  none,
  objective,
  success_criterion,
  decision,
  learning,
  next_step,
  result,
  problem,
  question,
  preference,
  approach,
  summary,
  // parts of a decision
  choice,
  context,
  rationale,
  alternatives,
  consequences,
  // facts about the document itself: status, date, owner…
  about,
  about_date
};

struct Heading {
  Topic topic = Topic::none;
  /// The words of the topic are all it says: `Next steps`, `2. Decisions`.
  bool generic = false;
  /// What follows them: `Use PostgreSQL` in `Decision 1: Use PostgreSQL`. Empty when generic.
  std::string subject;
};

[[nodiscard]] Heading read_heading(std::string_view title);

/// The title without numbering, `#`s and a colon at its end, at most 80 characters.
[[nodiscard]] std::string clean_title(std::string_view title);

/// `Label: rest` at the start of a text, when the label is known.
struct Label {
  Topic topic = Topic::none;
  std::string_view name;
  std::string_view rest;
};
[[nodiscard]] std::optional<Label> read_label(std::string_view text);

[[nodiscard]] bool is_part_of_decision(Topic topic);

/// As a memory's category; nothing for topics that are none.
[[nodiscard]] std::optional<std::string> category_of(Topic topic);

}  // namespace bb5::rules
