#include "extractors/rules/statements.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "extractors/rules/dates.hpp"
#include "extractors/rules/front_matter.hpp"
#include "extractors/rules/outline.hpp"
#include "extractors/rules/sentences.hpp"
#include "extractors/rules/wording.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

constexpr std::size_t longest_paragraph = 600;
constexpr std::size_t paragraph_part = 500;
constexpr std::size_t longest_item = 600;
constexpr std::size_t longest_introduction = 140;
constexpr std::size_t decision_part = 1000;
constexpr std::size_t shown_code = 240;
constexpr std::size_t most_parts = 40;  ///< Of a decision, or facts in a row.

bool is_placeholder(std::string_view text) {
  static const std::unordered_set<std::string_view> placeholders = {
      "done",        "see above",
      "see below",   "n/a",
      "na",          "none",
      "tbd",         "todo",
      "ok",          "yes",
      "no",          "nothing",
      "wip",         "to be determined",
      "to do",       "see code",
      "coming soon", "not applicable",
      "none yet",    "to be decided",
      "pending",     "-",
      "..."};
  std::string low = to_lower_ascii(trimmed(text));
  while (!low.empty() && std::string_view(".!:()*_").find(low.back()) != std::string_view::npos)
    low.pop_back();
  while (!low.empty() && std::string_view("(*_").find(low.front()) != std::string_view::npos)
    low.erase(0, 1);
  return low.empty() || placeholders.contains(low) || !says_something(low);
}

/// Ends with a mark that ends a sentence.
std::string as_sentence(std::string text) {
  static constexpr std::string_view ends[] = {".", "!", "?", ":", "\u2026", "\u3002"};
  const bool ended = std::any_of(std::begin(ends), std::end(ends),
                                 [&](std::string_view end) { return text.ends_with(end); });
  if (!text.empty() && !ended) text += '.';
  return text;
}

std::string with_label(std::string_view label, std::string_view text) {
  if (label.empty()) return std::string(text);
  if (text.empty()) return std::string(label);
  return std::string(label) + ": " + std::string(text);
}

/// `a; b; c` for what is said one after the other.
void append_item(std::string& list, std::string text) {
  while (text.ends_with('.') || text.ends_with(';') || text.ends_with(',')) text.pop_back();
  if (text.empty()) return;
  if (!list.empty()) list += list.ends_with(':') ? " " : "; ";
  list += text;
}

std::string item_text(const Item& item) {
  if (item.only_link) return {};
  return with_label(item.label, item.text);
}

std::string row_text(const std::vector<std::string>& headers,
                     const std::vector<std::string>& cells) {
  static const std::unordered_set<std::string_view> generic = {
      "",       "field", "value", "key",     "property",    "item",    "name", "what",
      "metric", "#",     "fact",  "setting", "description", "meaning", "term", "parameter"};
  const auto header = [&](std::size_t i) {
    return i < headers.size() ? std::string_view(headers[i]) : std::string_view();
  };
  const bool pair = cells.size() == 2 && generic.contains(to_lower_ascii(header(0))) &&
                    generic.contains(to_lower_ascii(header(1)));
  if (pair && !cells[0].empty() && !cells[1].empty()) return cells[0] + ": " + cells[1];
  std::string text;
  // `Load time: before: 45 min; after: 6 min`
  std::size_t begin = 0;
  if (cells.size() > 2 && generic.contains(to_lower_ascii(header(0))) && says_something(cells[0])) {
    text = cells[0] + ":";
    begin = 1;
  }
  for (std::size_t i = begin; i < cells.size(); ++i) {
    if (cells[i].empty() || !says_something(cells[i])) continue;
    append_item(text, generic.contains(to_lower_ascii(header(i)))
                          ? cells[i]
                          : with_label(header(i), cells[i]));
  }
  if (text.ends_with(':')) text.pop_back();
  return text;
}

/// The first lines of a piece of code, or nothing when it is a drawing.
std::string first_lines(std::string_view code) {
  const auto letters = std::count_if(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (static_cast<std::size_t>(letters) * 3 < code.size()) return {};
  std::string lines;
  for (int taken = 0; taken < 6 && !code.empty(); ++taken) {
    const std::size_t end = std::min(code.find('\n'), code.size());
    const std::string line = shortened(trimmed(code.substr(0, end)), shown_code);
    code.remove_prefix(std::min(end + 1, code.size()));
    if (line.empty()) continue;
    if (lines.size() + line.size() > shown_code && !lines.empty()) break;
    if (!lines.empty()) lines += '\n';
    lines += line;
  }
  return lines;
}

/// All that an entry says, on one line.
std::string entry_text(const Entry& entry) {
  std::string text;
  switch (entry.kind) {
    case Entry::Kind::text:
      return entry.text;
    case Entry::Kind::code:
      return one_line(first_lines(entry.text));
    case Entry::Kind::list:
      for (const Item& item : entry.items) append_item(text, item_text(item));
      break;
    case Entry::Kind::table:
      for (std::size_t row = 1; row < entry.rows.size(); ++row)
        append_item(text, row_text(entry.rows[0], entry.rows[row]));
      break;
  }
  return entry.text.empty() ? text : entry.text + ": " + text;
}

std::optional<double> stated_confidence(std::string_view text) {
  const std::string low = to_lower_ascii(text);
  if (low.starts_with("high") || low.starts_with("very high")) return 0.9;
  if (low.starts_with("medium") || low.starts_with("moderate")) return 0.7;
  if (low.starts_with("low")) return 0.5;
  double number = 0;
  std::size_t digits = 0;
  double scale = 0;
  for (const char c : low) {
    if (c >= '0' && c <= '9' && digits < 6) {
      number = number * 10 + (c - '0');
      scale *= 10;
      ++digits;
    } else if (c == '.' && scale == 0) {
      scale = 1;
    } else {
      break;
    }
  }
  if (digits == 0) return {};
  if (scale > 0) number /= scale;
  if (number > 1) number /= 100;
  if (number > 1) return {};
  return std::clamp(number, 0.5, 0.95);
}

class Composer {
 public:
  explicit Composer(std::vector<Section> sections) : sections_(std::move(sections)) {
    taken_.resize(sections_.size());
    for (std::size_t i = 1; i < sections_.size() && document_title_.empty(); ++i) {
      if (sections_[i].level == 1) document_title_ = sections_[i].title;
      if (sections_[i].level > 1) break;
    }
  }

  void set_front_matter(const FrontMatter& matter) {
    sections_[0].date = matter.date;
    if (matter.title && document_title_.empty()) document_title_ = clean_title(*matter.title);
  }

  Statements run() {
    for (std::size_t k = 0; k < sections_.size(); ++k) {
      if (!sections_[k].heading.generic && !sections_[k].title.empty())
        made_.titles.push_back(sections_[k].title);
      if (taken_[k]) continue;
      if (is_one_decision(k)) {
        compose_decision(k, decision_title(k), parts_of_decision(k, true));
      } else {
        compose_body(k);
        if (has_a_decision_in_parts(k))
          compose_decision(k, sections_[k].title, parts_of_decision(k, false));
      }
    }
    return std::move(made_);
  }

 private:
  // ---- sections -------------------------------------------------------------------------------

  /// `Decision 1: Use PostgreSQL`, or a section under `Decisions` that has no other topic.
  [[nodiscard]] bool is_one_decision(std::size_t k) const {
    const Section& section = sections_[k];
    if (k == 0 || section.topic != Topic::decision) return false;
    const bool plural = to_lower_ascii(section.title).find("decisions") != std::string::npos;
    if (plural) return false;
    if (section.heading.topic == Topic::decision)
      return !section.heading.generic || section.level > 2;
    // a title below `Decisions`; one with sections of its own only if they are parts
    for (std::size_t i = k + 1; i < section.end; ++i)
      if (!is_part_of_decision(sections_[i].topic)) return false;
    return true;
  }

  /// `## Context`, `## Decision`, `## Consequences` below one title.
  [[nodiscard]] bool has_a_decision_in_parts(std::size_t k) const {
    bool decided = false;
    bool other_part = false;
    for (std::size_t i = k + 1; i < sections_[k].end; i = sections_[i].end) {
      const Heading& heading = sections_[i].heading;
      if (!heading.generic || !is_part_of_decision(heading.topic)) continue;
      const bool choice = (heading.topic == Topic::decision || heading.topic == Topic::choice) &&
                          to_lower_ascii(sections_[i].title).find("decisions") == std::string::npos;
      decided |= choice;
      other_part |= !choice;
    }
    return decided && other_part;
  }

  [[nodiscard]] std::string decision_title(std::size_t k) const {
    const Section& section = sections_[k];
    if (section.heading.topic == Topic::none) return section.title;
    return section.heading.subject;
  }

  /// The entries that make up the decision of section k; titles below it become labels.
  std::vector<Entry> parts_of_decision(std::size_t k, bool with_own) {
    std::vector<Entry> parts;
    const auto take = [&](std::size_t i, bool labelled) {
      taken_[i] = true;
      for (const Entry& entry : sections_[i].entries) {
        parts.push_back(entry);
        Entry& part = parts.back();
        if (!labelled) continue;
        if (part.label.empty()) {
          part.label = std::exchange(labelled, false) ? sections_[i].title : "";
          part.topic = sections_[i].heading.topic;
        }
      }
    };
    if (with_own) take(k, false);
    for (std::size_t i = k + 1; i < sections_[k].end; ++i) {
      const Section& below = sections_[i];
      const bool is_part = is_part_of_decision(below.heading.topic) ||
                           (with_own && below.heading.topic == Topic::none) ||
                           (!with_own && taken_[below.parent] && below.parent != k);
      if (is_part && !taken_[i]) take(i, true);
    }
    return parts;
  }

  [[nodiscard]] std::optional<Timestamp> date_of(std::size_t k) const {
    for (;; k = sections_[k].parent) {
      if (sections_[k].date) return sections_[k].date;
      if (k == 0) return {};
    }
  }

  /// The nearest title, from k up, that says more than a topic.
  [[nodiscard]] std::string subject_of(std::size_t k) const {
    for (; k != 0; k = sections_[k].parent)
      if (!sections_[k].heading.generic) return sections_[k].title;
    return document_title_;
  }

  /// What is put before a text of section k that does not stand alone.
  [[nodiscard]] std::string lead_of(std::size_t k) const {
    const Section& section = sections_[k];
    if (k == 0) return document_title_;
    const bool short_title = std::count(section.title.begin(), section.title.end(), ' ') < 2;
    std::string subject;
    if (section.heading.generic)
      subject = subject_of(section.parent);
    else if (short_title && section.title != document_title_)
      subject = document_title_;
    if (subject.empty() || subject == section.title) return section.title;
    return subject + " \u2013 " + section.title;
  }

  // ---- statements -----------------------------------------------------------------------------

  /// `lead`: what is put before the text so that it can stand alone.
  void say(std::size_t k, const std::string& lead, std::string_view text, Topic topic,
           Block::Task task = Block::Task::none) {
    if (is_placeholder(text)) return;
    for (const std::string_view part : split_text(text, longest_statement))
      say_part(k, lead, part, topic, task);
  }

  void say_part(std::size_t k, const std::string& lead, std::string_view text, Topic topic,
                Block::Task task) {
    std::string content = lead + std::string(text);
    if (!said_.insert(content).second) return;
    Statement statement;
    statement.happened_at = happened_at(Words(text), {});
    if (!statement.happened_at) statement.happened_at = date_of(k);
    statement.content = std::move(content);
    statement.body = lead.size();
    statement.topic = topic;
    statement.task = task;
    if (!sections_[k].path.empty()) statement.section = sections_[k].path;
    statement.position = static_cast<std::int64_t>(made_.statements.size());
    made_.statements.push_back(std::move(statement));
  }

  /// Says the text, with the title in front if it needs one, in parts if it is long.
  void say_with_lead(std::size_t k, std::string_view text, Topic topic, bool always,
                     Block::Task task = Block::Task::none) {
    if (is_placeholder(text)) return;
    const std::string title = lead_of(k);
    const bool is_long = !always && count_characters(text) > longest_paragraph;
    for (const std::string_view part :
         split_text(text, is_long ? paragraph_part : longest_statement)) {
      const bool needs = always || needs_a_lead(Words(part));
      const bool repeats = to_lower_ascii(part).starts_with(to_lower_ascii(title));
      say(k, needs && !repeats ? title + ": " : std::string(), part, topic, task);
    }
  }

  static bool always_led(Topic topic) {
    return topic == Topic::objective || topic == Topic::success_criterion ||
           topic == Topic::next_step || topic == Topic::decision || topic == Topic::question;
  }

  void compose_body(std::size_t k) {
    auto& entries = sections_[k].entries;
    for (std::size_t i = 0; i < entries.size();) {
      if (const std::size_t end = end_of_decision(entries, i); end > i) {
        compose_decision(k, {},
                         {entries.begin() + static_cast<std::ptrdiff_t>(i),
                          entries.begin() + static_cast<std::ptrdiff_t>(end)});
        i = end;
      } else if (const std::size_t facts = end_of_facts(entries, i); facts > i) {
        compose_facts(k, i, facts);
        i = facts;
      } else {
        compose(k, entries[i++]);
      }
    }
  }

  /// Where a run of labelled entries that states a decision ends: `**Decision:** …`, `**Why:** …`.
  /// Returns i when none starts there.
  static std::size_t end_of_decision(const std::vector<Entry>& entries, std::size_t i) {
    std::size_t end = i;
    bool decided = false;
    for (; end < entries.size() && end < i + most_parts; ++end) {
      const Entry& entry = entries[end];
      const bool choice = entry.topic == Topic::decision || entry.topic == Topic::choice;
      if (!is_part_of_decision(entry.topic) &&
          !(end > i && entry.topic == Topic::about && entry.same_paragraph))
        break;
      if (choice && decided) break;  // the next one
      decided |= choice;
    }
    return decided ? end : i;
  }

  /// `**Task:** …`, `**Status:** …`: short facts about the document, line by line.
  static std::size_t end_of_facts(const std::vector<Entry>& entries, std::size_t i) {
    std::size_t end = i;
    for (; end < entries.size() && end < i + most_parts; ++end) {
      const Entry& entry = entries[end];
      const bool about = entry.topic == Topic::about || entry.topic == Topic::about_date;
      const bool in_line =
          entry.topic == Topic::none && entry.known_label &&
          (entry.same_paragraph || (end + 1 < entries.size() && entries[end + 1].same_paragraph));
      if (entry.kind != Entry::Kind::text || entry.label.empty() || !(about || in_line) ||
          count_characters(entry.text) > 120)
        break;
    }
    return end;
  }

  void compose_facts(std::size_t k, std::size_t begin, std::size_t end) {
    std::string facts;
    bool more_than_dates = false;
    for (std::size_t i = begin; i < end; ++i) {
      const Entry& entry = sections_[k].entries[i];
      if (entry.topic == Topic::about_date) {
        const Words words(entry.text);
        const auto when = happened_at(words, {});
        if (when && !sections_[k].date) sections_[k].date = when;
      }
      if (is_placeholder(entry.text)) continue;
      more_than_dates |= entry.topic != Topic::about_date;
      append_item(facts, with_label(entry.label, entry.text));
    }
    if (more_than_dates) say_with_lead(k, facts, Topic::about, true);
  }

  void compose(std::size_t k, const Entry& entry) {
    const Topic topic = entry.topic != Topic::none ? entry.topic : sections_[k].topic;
    introduction_ = entry.kind == Entry::Kind::list || entry.kind == Entry::Kind::table
                        ? introduction_of(entry)
                        : std::string();
    switch (entry.kind) {
      case Entry::Kind::text:
        compose_text(k, entry, topic);
        break;
      case Entry::Kind::list:
        compose_list(k, entry, topic);
        break;
      case Entry::Kind::table:
        for (std::size_t row = 1; row < entry.rows.size(); ++row) {
          const std::string text = row_text(entry.rows[0], entry.rows[row]);
          say_led(k, entry, text, topic);
        }
        break;
      case Entry::Kind::code:
        compose_code(k, entry);
        break;
    }
  }

  /// Says a part of a list or table: behind its introduction, or else the title.
  void say_led(std::size_t k, const Entry& entry, std::string_view text, Topic topic,
               Block::Task task = Block::Task::none) {
    if (is_placeholder(text)) return;
    if (introduction_.empty()) {
      say_with_lead(k, text, topic, true, task);
    } else {
      const bool topical = entry.topic != Topic::none;  // `Next steps:` of what?
      const std::string subject = topical ? subject_of(k) : std::string();
      say(k, (subject.empty() ? "" : subject + " \u2013 ") + introduction_ + ": ", text, topic,
          task);
    }
  }

  static std::string introduction_of(const Entry& entry) {
    std::string text = with_label(entry.label, entry.text);
    if (count_characters(text) <= longest_introduction) return text;
    const auto sentences = split_sentences(text);
    return shortened(sentences.back(), longest_introduction);
  }

  void compose_text(std::size_t k, const Entry& entry, Topic topic) {
    if (is_date_alone(k, entry.text)) return;
    if (entry.label.empty()) {
      say_with_lead(k, entry.text, topic, always_led(topic));
      return;
    }
    if (is_placeholder(entry.text)) return;
    if (entry.topic == Topic::none) made_.terms.push_back(entry.label);
    const std::string text = with_label(entry.label, entry.text);
    // `Objective: …` of what?
    const std::string subject = entry.topic == Topic::none ? std::string() : subject_of(k);
    if (!subject.empty() && always_led(entry.topic)) {
      say(k, subject + " \u2013 ", text, topic);
    } else {
      say_with_lead(k, text, topic, false);
    }
  }

  /// A line of nothing but a date dates what stands around it.
  bool is_date_alone(std::size_t k, std::string_view text) {
    if (text.size() > 40) return false;
    const Words words(text);
    if (words.size() == 0) return false;
    const auto date = date_at(words, 0);
    if (!date || date->last != words.size()) return false;
    if (!sections_[k].date) sections_[k].date = date->when;
    return true;
  }

  void compose_list(std::size_t k, const Entry& entry, Topic topic) {
    const auto& items = entry.items;
    for (const Item& item : items)
      if (!item.label.empty() && read_heading(item.label).topic == Topic::none)
        made_.terms.push_back(item.label);
    if (compose_decision_list(k, entry)) return;
    if (compose_enumeration(k, entry, topic)) return;
    for (std::size_t i = 0; i < items.size();) {
      std::size_t end = i + 1;
      while (end < items.size() && items[end].depth > items[i].depth) ++end;
      compose_item(k, entry, topic, i, end, {});
      i = end;
    }
  }

  /// `- **Decision**: …` `- **Why**: …`
  bool compose_decision_list(std::size_t k, const Entry& entry) {
    std::vector<Entry> parts;
    for (const Item& item : entry.items) {
      Entry part;
      part.label = item.label;
      part.text = item.text;
      if (part.label.empty()) {
        if (const auto label = read_label(item.text)) {
          part.label = label->name;
          part.text = std::string(label->rest);
        }
      }
      part.topic = part.label.empty() ? Topic::none : read_heading(part.label).topic;
      if (!is_part_of_decision(part.topic) && part.topic != Topic::about) return false;
      parts.push_back(std::move(part));
    }
    if (parts.size() < 2 || end_of_decision(parts, 0) != parts.size()) return false;
    compose_decision(k, {}, std::move(parts));
    return true;
  }

  /// Short items that say little each are one statement together: `Databases: PostgreSQL; Neo4j`.
  bool compose_enumeration(std::size_t k, const Entry& entry, Topic topic) {
    if (entry.items.size() < 2 || entry.items.size() > 40) return false;
    if (category_of(topic) && topic != Topic::result && topic != Topic::approach &&
        topic != Topic::summary)
      return false;
    std::string list;
    for (const Item& item : entry.items) {
      if (item.task != Block::Task::none || item.depth > 1) return false;
      const std::string text = item_text(item);
      // scripts without spaces say more in fewer bytes
      const bool ascii = text.size() == count_characters(text);
      if (std::count(text.begin(), text.end(), ' ') > 5 || text.size() > (ascii ? 50U : 30U))
        return false;
      append_item(list, text);
    }
    if (count_characters(list) > longest_item) return false;
    say_led(k, entry, list, topic);
    return true;
  }

  /// The item [begin] and those below it, up to end. `above`: the item that it stands under.
  void compose_item(std::size_t k, const Entry& entry, Topic topic, std::size_t begin,
                    std::size_t end, const std::string& above) {
    const Item& item = entry.items[begin];
    const Topic own = !item.label.empty() && read_heading(item.label).topic != Topic::none
                          ? read_heading(item.label).topic
                          : topic;
    std::string text = item_text(item);
    std::string whole = text;
    bool boxes_below = false;
    for (std::size_t i = begin + 1; i < end; ++i) {
      boxes_below |= entry.items[i].task != Block::Task::none;
      if (whole.size() > 4 * longest_item) break;
      if (i == begin + 1 && !whole.empty() && !whole.ends_with(':')) {
        while (whole.ends_with('.')) whole.pop_back();
        whole += ':';
      }
      append_item(whole, item_text(entry.items[i]));
    }
    if (end == begin + 1 || (!boxes_below && count_characters(whole) <= longest_item)) {
      say_item(k, entry, own, item, whole, above);
      return;
    }
    if (!text.ends_with(':')) say_item(k, entry, own, item, text, above);
    while (text.ends_with(':') || text.ends_with('.')) text.pop_back();
    text = shortened(text, longest_introduction);
    for (std::size_t i = begin + 1; i < end;) {
      std::size_t next = i + 1;
      while (next < end && entry.items[next].depth > entry.items[i].depth) ++next;
      // one level of what stands above is enough to understand it
      compose_item(k, entry, topic, i, next, text);
      i = next;
    }
  }

  void say_item(std::size_t k, const Entry& entry, Topic topic, const Item& item, std::string text,
                const std::string& above) {
    if (is_placeholder(text)) return;
    if (item.task == Block::Task::done) text += " (done)";
    if (!above.empty()) {
      say(k, above + ": ", text, topic, item.task);
    } else if (!introduction_.empty()) {
      say_led(k, entry, text, topic, item.task);
    } else {
      const bool always =
          always_led(topic) || topic == Topic::approach || item.task != Block::Task::none;
      say_with_lead(k, text, topic, always && !is_decision_item(topic, text), item.task);
    }
  }

  /// `We chose X because Y` needs no title, though it stands under `Decisions`.
  static bool is_decision_item(Topic topic, std::string_view text) {
    return topic == Topic::decision && !needs_a_lead(Words(text));
  }

  void compose_code(std::size_t k, const Entry& entry) {
    std::string lines = first_lines(entry.text);
    if (lines.empty()) return;
    const bool follows = !made_.statements.empty() && !sections_[k].path.empty() &&
                         made_.statements.back().section == sections_[k].path &&
                         made_.statements.back().content.size() < longest_statement;
    if (follows) {
      made_.statements.back().content += "\n" + lines;
    } else if (!entry.label.empty()) {
      say(k, entry.label + ":\n", lines, entry.topic);
    } else {
      const std::string lead = lead_of(k);
      say(k, lead.empty() ? lead : lead + ":\n", lines, sections_[k].topic);
    }
  }

  void compose_decision(std::size_t k, std::string title, std::vector<Entry> parts) {
    if (title.empty() && parts.empty()) return;
    std::string content;
    std::vector<std::string> too_long;
    std::optional<double> confidence;
    const std::string name = title.empty() ? "Decision" : "Decision: " + title;
    if (!title.empty()) content = as_sentence(name);
    bool labelled = false;
    for (const Entry& part : parts) {
      std::string text = entry_text(part);
      if (to_lower_ascii(part.label) == "confidence") confidence = stated_confidence(text);
      if (part.topic == Topic::about_date) {
        const Words words(text);
        if (const auto when = happened_at(words, {}); when && !sections_[k].date)
          sections_[k].date = when;
      }
      if (is_placeholder(text)) continue;
      labelled |= part.topic == Topic::decision;
      text = as_sentence(with_label(part.label, text));
      if (count_characters(content) + count_characters(text) > longest_statement &&
          !content.empty()) {
        too_long.push_back(std::move(text));
        continue;
      }
      if (!content.empty()) content += ' ';
      content += text;
    }
    if (title.empty() && !labelled && !content.empty() && parts[0].topic == Topic::choice)
      content = "Decision: " + content;
    const std::size_t before = made_.statements.size();
    say(k, {}, content, Topic::decision);
    for (const std::string& text : too_long)
      for (const std::string_view part : split_text(text, decision_part))
        say(k, name + " \u2013 ", part, Topic::decision);
    for (std::size_t i = before; i < made_.statements.size(); ++i)
      if (confidence) made_.statements[i].confidence = confidence;
  }

  std::vector<Section> sections_;
  std::vector<bool> taken_;
  std::string document_title_;
  std::string introduction_;  ///< Of the list or table at hand.
  std::unordered_set<std::string> said_;
  Statements made_;
};

}  // namespace

Statements statements_of(std::string_view markdown) {
  const FrontMatter matter = read_front_matter(markdown);
  Composer composer(outline_of(parse_markdown(markdown.substr(matter.length))));
  composer.set_front_matter(matter);
  return composer.run();
}

}  // namespace bb5::rules
