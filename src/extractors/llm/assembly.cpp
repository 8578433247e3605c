#include "extractors/llm/assembly.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5::llm {
namespace {

constexpr std::string_view any_type = "concept";

/// The types as our prompt names them; models like plurals.
std::string type_of(std::string type) {
  constexpr std::pair<std::string_view, std::string_view> aliases[] = {
      {"people", "person"},
      {"persons", "person"},
      {"organisation", "organization"},
      {"organisations", "organization"},
      {"organizations", "organization"},
      {"technologies", "technology"},
      {"concepts", "concept"},
      {"locations", "location"},
      {"events", "event"}};
  for (const auto& [alias, name] : aliases) {
    if (type == alias) return std::string(name);
  }
  return type;
}

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Whether the name stands in the text as a word of its own. Only between Latin letters and digits
/// does a border count: other scripts may write no space there. Both folded.
bool names(std::string_view text, std::string_view name) {
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const auto end = at + name.size();
    const bool begins = at == 0 || !is_word_byte(text[at - 1]) || !is_word_byte(name.front());
    const bool ends = end == text.size() || !is_word_byte(text[end]) || !is_word_byte(name.back());
    if (begins && ends) return true;
  }
  return false;
}

/// Two spellings of one sentence: case, spaces and the full stop do not count. Nothing bolder, or
/// "it is used" would swallow "it is not used".
std::string content_key(std::string_view content) {
  std::string key;
  for (const char c : fold_name(content)) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      key += c;
    } else if (!key.empty() && key.back() != ' ') {
      key += ' ';
    }
  }
  while (!key.empty() && (key.back() == '.' || key.back() == ' ')) key.pop_back();
  return key;
}

const Turn* turn_at(const Passage& passage, std::int64_t position) {
  for (const Slice& slice : passage.slices) {
    if (slice.turn->position == position) return slice.turn;
  }
  return nullptr;
}

/// The turn that a memory comes from, as far as that is known.
const Turn* turn_of(const Passage& passage, const ReplyMemory& memory) {
  if (passage.slices.size() == 1) return passage.slices[0].turn;
  return memory.turn ? turn_at(passage, *memory.turn) : nullptr;
}

template <class Value>
void add_once(std::vector<Value>& values, Value value) {
  if (std::find(values.begin(), values.end(), value) == values.end())
    values.push_back(std::move(value));
}

}  // namespace

void Assembly::add(const Passage& passage, Reply reply) {
  for (const ExtractedEntity& given : reply.entities) entity(given);
  for (auto& relationship : reply.relationships) add_relationship(std::move(relationship));
  std::int64_t place = passage.slices.empty() ? 0 : passage.slices[0].turn->position;
  for (ReplyMemory& read : reply.memories) {
    const Turn* turn = turn_of(passage, read);
    if (turn != nullptr) {
      place = turn->position;
      read.memory.author = turn->author;
      if (!read.memory.happened_at) read.memory.happened_at = turn->said_at;
    } else if (read.turn) {
      reply.warnings.push_back(
          fmt::format("a memory names line {}, which is not there", *read.turn));
    }
    add_memory({.memory = std::move(read.memory), .turn = place});
  }
  for (auto& warning : reply.warnings) extraction_.warnings.push_back(std::move(warning));
}

std::size_t Assembly::entity(const ExtractedEntity& given) {
  const std::string type = type_of(given.type);
  auto& known = entities_[fold_name(given.name)];
  for (const std::size_t at : known) {
    ExtractedEntity& entity = extraction_.entities[at];
    // `concept` is what is said of anything: it adds nothing to a better type and yields to one.
    if (entity.type != type && type != any_type && entity.type != any_type) continue;
    if (entity.type == any_type) entity.type = type;
    entity.mentions += given.mentions;
    return at;
  }
  const std::string name = known.empty() ? given.name : extraction_.entities[known[0]].name;
  known.push_back(extraction_.entities.size());
  extraction_.entities.push_back({.name = name, .type = type, .mentions = given.mentions});
  return known.back();
}

std::string Assembly::spelling(const std::string& name) {
  const auto known = entities_.find(fold_name(name));
  const std::size_t at = known != entities_.end() ? known->second[0] : entity({.name = name});
  return extraction_.entities[at].name;
}

void Assembly::add_relationship(ExtractedRelationship relationship) {
  relationship.subject = spelling(relationship.subject);
  relationship.object = spelling(relationship.object);
  const std::string key =
      relationship.subject + '\n' + relationship.predicate + '\n' + relationship.object;
  const auto [at, is_new] = relationships_.emplace(key, extraction_.relationships.size());
  if (is_new) {
    extraction_.relationships.push_back(std::move(relationship));
    return;
  }
  double& confidence = extraction_.relationships[at->second].confidence;
  confidence = std::max(confidence, relationship.confidence);
}

void Assembly::add_memory(Placed placed) {
  std::vector<std::string> spelled;
  for (const std::string& name : placed.memory.entities) add_once(spelled, spelling(name));
  placed.memory.entities = std::move(spelled);
  const auto [at, is_new] = contents_.emplace(content_key(placed.memory.content), memories_.size());
  if (is_new) {
    memories_.push_back(std::move(placed));
    return;
  }
  ExtractedMemory& first = memories_[at->second].memory;
  first.confidence = std::max(first.confidence, placed.memory.confidence);
  for (auto& name : placed.memory.entities) add_once(first.entities, std::move(name));
  if (!first.happened_at) first.happened_at = placed.memory.happened_at;
  if (!first.author) first.author = placed.memory.author;
}

void Assembly::link_entities(ExtractedMemory& memory) const {
  const std::string content = fold_name(memory.content);
  for (const ExtractedEntity& entity : extraction_.entities) {
    if (names(content, fold_name(entity.name))) add_once(memory.entities, entity.name);
  }
}

Extraction Assembly::finish() && {
  std::stable_sort(memories_.begin(), memories_.end(),
                   [](const Placed& a, const Placed& b) { return a.turn < b.turn; });
  std::int64_t position = 0;
  for (Placed& placed : memories_) {
    link_entities(placed.memory);
    placed.memory.position = position++;
    extraction_.memories.push_back(std::move(placed.memory));
  }
  return std::move(extraction_);
}

}  // namespace bb5::llm
