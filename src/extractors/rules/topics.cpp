#include "extractors/rules/topics.hpp"

#include <algorithm>

#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

struct Phrase {
  std::string_view words;
  Topic topic;
  /// True: also at the start or the end of a longer title (`Known issues`); else only all of it.
  bool edge = false;
};

constexpr Phrase phrases[] = {
    {"objective", Topic::objective, true},
    {"objectives", Topic::objective, true},
    {"goal", Topic::objective},
    {"goals", Topic::objective, true},
    {"purpose", Topic::objective},
    {"aim", Topic::objective},
    {"mission", Topic::objective},
    {"success criteria", Topic::success_criterion, true},
    {"success criterion", Topic::success_criterion, true},
    {"acceptance criteria", Topic::success_criterion, true},
    {"acceptance criterion", Topic::success_criterion, true},
    {"definition of done", Topic::success_criterion, true},
    {"exit criteria", Topic::success_criterion, true},
    {"done when", Topic::success_criterion, true},
    {"decision", Topic::decision, true},
    {"decisions", Topic::decision, true},
    {"decided", Topic::decision},
    {"adr", Topic::decision},
    {"learning", Topic::learning},
    {"learnings", Topic::learning, true},
    {"lesson", Topic::learning},
    {"lessons", Topic::learning, true},
    {"lesson learned", Topic::learning, true},
    {"lessons learned", Topic::learning, true},
    {"takeaway", Topic::learning, true},
    {"takeaways", Topic::learning, true},
    {"insight", Topic::learning},
    {"insights", Topic::learning, true},
    {"findings", Topic::learning, true},
    {"finding", Topic::learning},
    {"gotchas", Topic::learning, true},
    {"what worked", Topic::learning, true},
    {"what worked well", Topic::learning, true},
    {"what i learned", Topic::learning, true},
    {"what we learned", Topic::learning, true},
    {"learned", Topic::learning},
    {"pitfalls", Topic::learning, true},
    {"next", Topic::next_step},
    {"next steps", Topic::next_step, true},
    {"next step", Topic::next_step, true},
    {"next actions", Topic::next_step, true},
    {"todo", Topic::next_step, true},
    {"todos", Topic::next_step, true},
    {"to do", Topic::next_step, true},
    {"to-do", Topic::next_step, true},
    {"fixme", Topic::next_step},
    {"action items", Topic::next_step, true},
    {"action item", Topic::next_step},
    {"actions", Topic::next_step},
    {"follow-ups", Topic::next_step, true},
    {"follow-up", Topic::next_step, true},
    {"follow ups", Topic::next_step, true},
    {"future work", Topic::next_step, true},
    {"remaining work", Topic::next_step, true},
    {"backlog", Topic::next_step},
    {"left to do", Topic::next_step, true},
    {"what is left", Topic::next_step, true},
    {"result", Topic::result},
    {"results", Topic::result, true},
    {"outcome", Topic::result, true},
    {"outcomes", Topic::result, true},
    {"metrics", Topic::result, true},
    {"deliverables", Topic::result},
    {"accomplishments", Topic::result, true},
    {"achievements", Topic::result},
    {"what was done", Topic::result, true},
    {"what we did", Topic::result, true},
    {"what i did", Topic::result, true},
    {"changes made", Topic::result, true},
    {"benchmarks", Topic::result},
    {"measurements", Topic::result},
    {"measured", Topic::result},
    {"validation", Topic::result},
    {"problem", Topic::problem},
    {"problems", Topic::problem, true},
    {"issue", Topic::problem},
    {"issues", Topic::problem, true},
    {"incident", Topic::problem, true},
    {"incidents", Topic::problem, true},
    {"bug", Topic::problem},
    {"bugs", Topic::problem, true},
    {"challenge", Topic::problem},
    {"challenges", Topic::problem, true},
    {"blocker", Topic::problem},
    {"blockers", Topic::problem, true},
    {"risk", Topic::problem},
    {"risks", Topic::problem, true},
    {"limitations", Topic::problem, true},
    {"failure", Topic::problem},
    {"failures", Topic::problem, true},
    {"what went wrong", Topic::problem, true},
    {"what didn't work", Topic::problem, true},
    {"what did not work", Topic::problem, true},
    {"postmortem", Topic::problem, true},
    {"post-mortem", Topic::problem, true},
    {"question", Topic::question},
    {"questions", Topic::question, true},
    {"unknowns", Topic::question, true},
    {"preference", Topic::preference},
    {"preferences", Topic::preference, true},
    {"approach", Topic::approach, true},
    {"plan", Topic::approach},
    {"strategy", Topic::approach},
    {"methodology", Topic::approach},
    {"implementation", Topic::approach},
    {"implementation plan", Topic::approach},
    {"summary", Topic::summary, true},
    {"executive summary", Topic::summary},
    {"conclusion", Topic::summary, true},
    {"conclusions", Topic::summary, true},
    {"tl;dr", Topic::summary},
    {"observation", Topic::summary},
    {"observations", Topic::summary, true},
    {"patterns", Topic::summary, true},
    {"pattern", Topic::summary},
    {"reflection", Topic::summary},
    {"reflections", Topic::summary, true},
    {"retrospective", Topic::summary, true},
    {"root cause", Topic::summary, true},
    {"root causes", Topic::summary, true},
    {"choice", Topic::choice},
    {"chosen", Topic::choice},
    {"selected", Topic::choice},
    {"selected option", Topic::choice},
    {"chosen option", Topic::choice},
    {"we chose", Topic::choice},
    {"solution", Topic::choice},
    {"context", Topic::context},
    {"background", Topic::context},
    {"situation", Topic::context},
    {"motivation", Topic::context},
    {"problem statement", Topic::context},
    {"rationale", Topic::rationale},
    {"why", Topic::rationale},
    {"reason", Topic::rationale},
    {"reasons", Topic::rationale},
    {"reasoning", Topic::rationale},
    {"because", Topic::rationale},
    {"justification", Topic::rationale},
    {"alternative", Topic::alternatives},
    {"alternatives", Topic::alternatives, true},
    {"alternatives considered", Topic::alternatives},
    {"options", Topic::alternatives},
    {"options considered", Topic::alternatives},
    {"considered", Topic::alternatives},
    {"rejected", Topic::alternatives},
    {"not chosen", Topic::alternatives},
    {"consequences", Topic::consequences},
    {"consequence", Topic::consequences},
    {"impact", Topic::consequences},
    {"trade-off", Topic::consequences},
    {"trade-offs", Topic::consequences},
    {"tradeoffs", Topic::consequences},
    {"reversibility", Topic::consequences},
    {"implications", Topic::consequences},
    {"status", Topic::about},
    {"priority", Topic::about},
    {"type", Topic::about},
    {"owner", Topic::about},
    {"author", Topic::about},
    {"assignee", Topic::about},
    {"task", Topic::about},
    {"task-id", Topic::about},
    {"task id", Topic::about},
    {"run", Topic::about},
    {"run-id", Topic::about},
    {"feature", Topic::about},
    {"version", Topic::about},
    {"tags", Topic::about},
    {"estimate", Topic::about},
    {"confidence", Topic::about},
    {"duration", Topic::about},
    {"date", Topic::about_date},
    {"created", Topic::about_date},
    {"updated", Topic::about_date},
    {"last updated", Topic::about_date},
    {"started", Topic::about_date},
    {"completed", Topic::about_date},
    {"completed at", Topic::about_date},
    {"timestamp", Topic::about_date},
    {"when", Topic::about_date},
};

/// `1.`, `2.3`, `IV.`, `#`, `§`, emoji and the like before the first word.
std::string_view without_numbering(std::string_view title) {
  title = trimmed(title);
  for (;;) {
    const std::size_t space = title.find(' ');
    if (space == std::string_view::npos) return title;
    const std::string_view first = title.substr(0, space);
    const bool number = std::all_of(first.begin(), first.end(), [](char c) {
      return (c >= '0' && c <= '9') || c == '.' || c == ')' || c == '(' || c == '#';
    });
    if (!number && says_something(first)) return title;
    title = trimmed(title.substr(space));
  }
}

/// The topic of a few words, and whether they say no more than it.
struct Match {
  Topic topic = Topic::none;
  bool whole = false;
};

Match match(std::string_view low) {
  Match found;
  std::size_t longest = 0;
  const auto words = std::count(low.begin(), low.end(), ' ') + 1;
  for (const Phrase& phrase : phrases) {
    const std::string_view text = phrase.words;
    if (low == text) return {phrase.topic, true};
    if (!phrase.edge || words > 5 || low.size() <= text.size() || text.size() <= longest) continue;
    const bool starts = low.starts_with(text) && low[text.size()] == ' ';
    const bool ends = low.ends_with(text) && low[low.size() - text.size() - 1] == ' ';
    if (!starts && !ends) continue;
    longest = text.size();
    found.topic = phrase.topic;
    // `Key decisions`, `Open questions`, `Lessons so far`: an adjective says nothing of its own
    found.whole = words <= 3 && ends;
  }
  return found;
}

bool is_number_like(std::string_view word) {
  return !word.empty() && word.size() <= 4 && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '#';
  });
}

/// `D1`, `ADR-012`, `DEC-3`: what decisions are numbered by.
bool is_decision_number(std::string_view low) {
  for (const std::string_view prefix : {"adr", "dec", "d"}) {
    if (!low.starts_with(prefix)) continue;
    std::string_view rest = low.substr(prefix.size());
    if (rest.starts_with('-') || rest.starts_with(' ')) rest.remove_prefix(1);
    if (is_number_like(rest)) return true;
  }
  return false;
}

}  // namespace

Heading read_heading(std::string_view title) {
  title = without_numbering(title);
  while (title.ends_with(':')) title.remove_suffix(1);
  std::string_view head = title;
  std::string_view subject;
  for (const std::string_view mark : {std::string_view(": "), std::string_view(" - "),
                                      std::string_view(" \u2013 "), std::string_view(" \u2014 ")}) {
    const std::size_t at = head.find(mark);
    if (at == std::string_view::npos) continue;
    subject = trimmed(title.substr(at + mark.size()));
    head = trimmed(title.substr(0, at));
  }
  std::string low = to_lower_ascii(head);
  if (is_decision_number(low)) return {Topic::decision, false, std::string(subject)};
  // `Decision 1`, `Objectives (draft)`
  const std::size_t bracket = low.find(" (");
  if (bracket != std::string::npos && low.ends_with(')')) low.resize(bracket);
  const std::size_t space = low.rfind(' ');
  if (space != std::string::npos && is_number_like(std::string_view(low).substr(space + 1)))
    low.resize(space);
  const Match found = match(low);
  if (found.topic == Topic::none) return {};
  return {found.topic, found.whole && subject.empty(), std::string(subject)};
}

std::string clean_title(std::string_view title) {
  title = without_numbering(title);
  while (title.ends_with(':')) title.remove_suffix(1);
  return shortened(one_line(title), 80);
}

std::optional<Label> read_label(std::string_view text) {
  const std::size_t colon = text.substr(0, 40).find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  if (colon + 1 < text.size() && text[colon + 1] != ' ') return {};
  const std::string_view name = trimmed(text.substr(0, colon));
  const std::string low = to_lower_ascii(name);
  const Match found = match(low);
  Topic topic = found.whole ? found.topic : Topic::none;
  if (topic == Topic::none && is_decision_number(low)) topic = Topic::decision;
  if (topic == Topic::none) return {};
  return Label{topic, name, trimmed(text.substr(colon + 1))};
}

bool is_part_of_decision(Topic topic) {
  return topic == Topic::decision || topic == Topic::choice || topic == Topic::context ||
         topic == Topic::rationale || topic == Topic::alternatives || topic == Topic::consequences;
}

std::optional<std::string> category_of(Topic topic) {
  switch (topic) {
    case Topic::objective:
      return "objective";
    case Topic::success_criterion:
      return "success_criterion";
    case Topic::decision:
    case Topic::choice:
      return "decision";
    case Topic::learning:
      return "learning";
    case Topic::next_step:
      return "next_step";
    case Topic::result:
      return "result";
    case Topic::problem:
      return "problem";
    case Topic::question:
      return "question";
    case Topic::preference:
      return "preference";
    case Topic::approach:
      return "approach";
    case Topic::summary:
      return "summary";
    case Topic::none:
    case Topic::context:
    case Topic::rationale:
    case Topic::alternatives:
    case Topic::consequences:
    case Topic::about:
    case Topic::about_date:
      return {};
  }
  return {};
}

}  // namespace bb5::rules
