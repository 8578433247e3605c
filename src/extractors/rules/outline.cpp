#include "extractors/rules/outline.hpp"

#include <algorithm>
#include <utility>

#include "extractors/rules/dates.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

// Deeper ones count as this deep: nobody nests further, but a line `- - - - …` would.
constexpr int deepest_item = 8;

std::optional<Timestamp> date_in(std::string_view title) {
  const Words words(title);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (const auto date = date_at(words, i)) return date->when;
  return {};
}

bool is_prose(std::string_view title) {
  return count_characters(title) > 120 ||
         (title.ends_with('.') && std::count(title.begin(), title.end(), ' ') >= 7);
}

std::string joined_cells(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& cell : cells) {
    if (cell.empty()) continue;
    if (!text.empty()) text += "; ";
    text += cell;
  }
  return text;
}

Item item_of(Block block) {
  Item item;
  item.depth = std::min(block.level, deepest_item);
  item.task = block.task;
  item.label = std::move(block.label);
  item.text = std::move(block.text);
  item.only_link = block.only_link;
  if (item.label.empty()) {
    // `[ ]` that the parser does not take for a box, as in `1) [ ] …`
    if (item.text.starts_with("[ ] ")) {
      item.task = Block::Task::open;
      item.text.erase(0, 4);
    } else if (item.text.starts_with("[x] ") || item.text.starts_with("[X] ")) {
      item.task = Block::Task::done;
      item.text.erase(0, 4);
    }
  }
  return item;
}

void append_to(Item& item, const Block& block) {
  std::string text = block.kind == Block::Kind::row ? joined_cells(block.cells) : block.text;
  if (block.kind == Block::Kind::code) text = "`" + shortened(one_line(text), 200) + "`";
  if (!block.label.empty()) text = block.label + ": " + text;
  if (block.only_link || text.empty()) return;
  if (!item.text.empty()) item.text += ' ';
  item.text += text;
}

Entry text_entry(Block block) {
  Entry entry;
  entry.same_paragraph = block.same_paragraph;
  entry.label = std::move(block.label);
  entry.text = std::move(block.text);
  if (!entry.label.empty()) {
    entry.topic = read_heading(entry.label).topic;
    entry.known_label = entry.topic != Topic::none || block.label_has_colon;
  } else if (const auto label = read_label(entry.text)) {
    entry.topic = label->topic;
    entry.known_label = true;
    entry.label = label->name;
    entry.text = std::string(label->rest);
  }
  return entry;
}

/// Adds the block to the section's last entry, or as a new one.
void add(Section& section, Block block) {
  auto& entries = section.entries;
  Entry* last = entries.empty() ? nullptr : &entries.back();
  const bool in_list = last != nullptr && last->kind == Entry::Kind::list && block.level > 0;
  switch (block.kind) {
    case Block::Kind::item:
      if (!in_list || (block.level == 1 && block.starts_list)) {
        entries.push_back({.kind = Entry::Kind::list});
        last = &entries.back();
      }
      last->items.push_back(item_of(std::move(block)));
      return;
    case Block::Kind::row:
      if (in_list) break;
      if (block.starts_list || last == nullptr || last->kind != Entry::Kind::table) {
        entries.push_back({.kind = Entry::Kind::table});
        last = &entries.back();
      }
      last->rows.push_back(std::move(block.cells));
      return;
    case Block::Kind::code:
      if (in_list) break;
      entries.push_back({.kind = Entry::Kind::code, .text = std::move(block.text)});
      return;
    case Block::Kind::paragraph:
      if (in_list) break;
      if (!block.only_link) entries.push_back(text_entry(std::move(block)));
      return;
    case Block::Kind::heading:
      return;
  }
  append_to(last->items.back(), block);
}

/// A line that ends with a colon, or is nothing but a label, belongs to what follows it.
void join_introductions(std::vector<Entry>& entries) {
  std::vector<Entry> joined;
  for (Entry& entry : entries) {
    Entry* before = joined.empty() ? nullptr : &joined.back();
    const bool label_alone = before != nullptr && before->kind == Entry::Kind::text &&
                             before->text.empty() && !before->label.empty();
    const bool introduces = before != nullptr && before->kind == Entry::Kind::text &&
                            before->text.ends_with(':') && entry.kind != Entry::Kind::text;
    if (label_alone && (entry.kind != Entry::Kind::text || entry.label.empty())) {
      entry.label = std::move(before->label);
      entry.topic = before->topic;
      entry.known_label = before->known_label;
      joined.pop_back();
    } else if (introduces && entry.kind != Entry::Kind::code) {
      entry.label = std::move(before->label);
      entry.topic = before->topic;
      entry.known_label = before->known_label;
      entry.text = std::move(before->text);
      entry.text.pop_back();
      joined.pop_back();
    }
    joined.push_back(std::move(entry));
  }
  entries = std::move(joined);
}

}  // namespace

std::vector<Section> outline_of(std::vector<Block> blocks) {
  std::vector<Section> sections(1);
  std::vector<std::size_t> open = {0};  // the path to the current section
  for (Block& block : blocks) {
    // a line of text above a rule `---` reads as a heading too
    if (block.kind == Block::Kind::heading && is_prose(block.text))
      block = {.text = std::move(block.text)};
    if (block.kind != Block::Kind::heading) {
      add(sections.back(), std::move(block));
      continue;
    }
    while (open.size() > 1 && sections[open.back()].level >= block.level) {
      sections[open.back()].end = sections.size();
      open.pop_back();
    }
    Section section;
    const Section& parent = sections[open.back()];
    section.level = block.level;
    section.title = clean_title(block.text);
    section.path = parent.path.empty() ? section.title : parent.path + " > " + section.title;
    section.heading = read_heading(block.text);
    section.topic = section.heading.topic != Topic::none ? section.heading.topic : parent.topic;
    section.parent = open.back();
    section.date = date_in(block.text);
    open.push_back(sections.size());
    sections.push_back(std::move(section));
  }
  for (const std::size_t index : open) sections[index].end = sections.size();
  for (Section& section : sections) join_introductions(section.entries);
  return sections;
}

}  // namespace bb5::rules
