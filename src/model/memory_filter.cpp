#include "model/memory_filter.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/same_meaning.hpp"
#include "model/graph.hpp"

namespace bb5 {
namespace {

template <class List, class Value>
bool is_in(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool names_one_of(const std::vector<std::string>& names, const Memory& memory) {
  if (names.empty()) return true;
  if (memory.kind != MemoryKind::memory) return false;
  const auto keys = name_keys_of(names);
  return std::any_of(memory.entities.begin(), memory.entities.end(), [&](const auto& name) {
    return std::binary_search(keys.begin(), keys.end(), name_key_of(name));
  });
}

bool is_confident(const MemoryFilter& filter, const Memory& memory) {
  const double confidence = memory.confidence.value_or(unstated_confidence);
  return confidence >= filter.min_confidence.value_or(0) &&
         confidence <= filter.max_confidence.value_or(1);
}

bool is_created_within(const MemoryFilter& filter, const Memory& memory) {
  if (!filter.since && !filter.until) return true;
  return memory.created_at && (!filter.since || *memory.created_at >= *filter.since) &&
         (!filter.until || *memory.created_at < *filter.until);
}

Error invalid(std::string message, std::string remedy) {
  return {Errc::invalid_argument, std::move(message), std::move(remedy)};
}

Result<> check_texts(std::string_view part, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (!is_storable_utf8(text))
      return invalid(fmt::format("{} `{}` is no text", part, to_storable_utf8(text)),
                     "write it in UTF-8, without U+0000");
  }
  return ok();
}

Result<> check_confidence(std::string_view part, const std::optional<double>& confidence) {
  if (!confidence || (*confidence >= 0 && *confidence <= 1)) return ok();
  return invalid(fmt::format("{} {} is no confidence", part, *confidence),
                 "give a number from 0 to 1");
}

}  // namespace

bool matches(const MemoryFilter& filter, const Memory& memory) {
  return is_in(filter.networks, memory.network) && is_in(filter.kinds, memory.kind) &&
         (!filter.valid_at || is_valid_at(memory, *filter.valid_at)) &&
         is_in(filter.categories, memory.category) &&
         is_in(filter.source_types, memory.source_type) && is_in(filter.authors, memory.author) &&
         is_confident(filter, memory) && is_created_within(filter, memory) &&
         names_one_of(filter.entities, memory) &&
         (filter.tasks.empty() || is_in(filter.tasks, task_of(memory))) &&
         (filter.metadata.empty() || has_members(memory.metadata, filter.metadata));
}

Result<> validate(const MemoryFilter& filter) {
  BB5_TRY(check_texts("network", filter.networks));
  BB5_TRY(check_texts("category", filter.categories));
  BB5_TRY(check_texts("source type", filter.source_types));
  BB5_TRY(check_texts("author", filter.authors));
  BB5_TRY(check_texts("task", filter.tasks));
  BB5_TRY(check_texts("entity", filter.entities));
  for (const std::string& name : filter.entities) {
    if (name_key_of(name).empty())
      return invalid(fmt::format("entity `{}` is no name", name), "name one, or leave it out");
  }
  for (const auto& [key, value] : filter.metadata.members()) {
    if (!is_storable_utf8(key))
      return invalid(fmt::format("metadata key `{}` is no text", to_storable_utf8(key)),
                     "write it in UTF-8, without U+0000");
  }
  BB5_TRY(check_confidence("min_confidence", filter.min_confidence));
  BB5_TRY(check_confidence("max_confidence", filter.max_confidence));
  if (filter.min_confidence && filter.max_confidence &&
      *filter.min_confidence > *filter.max_confidence)
    return invalid(fmt::format("min_confidence {} is greater than max_confidence {}",
                               *filter.min_confidence, *filter.max_confidence),
                   "exchange them, or leave one out");
  if (filter.since && filter.until && *filter.since >= *filter.until)
    return invalid(fmt::format("since {} is not before until {}", to_rfc3339(*filter.since),
                               to_rfc3339(*filter.until)),
                   "exchange them, or leave one out; until itself is not within");
  return ok();
}

std::optional<std::string> task_of(const Memory& memory) {
  const auto metadata = json::parse_text(memory.metadata);
  if (!metadata || metadata->object() == nullptr) return std::nullopt;
  const json::Value* task = metadata->object()->find("task_id");
  if (task == nullptr || task->string() == nullptr) return std::nullopt;
  return to_storable_utf8(*task->string());
}

bool has_members(std::string_view metadata, const json::Object& wanted) {
  const auto parsed = json::parse_text(metadata);
  if (!parsed || parsed->object() == nullptr) return false;
  return std::all_of(wanted.members().begin(), wanted.members().end(), [&](const auto& member) {
    const json::Value* value = json::find_storable(*parsed->object(), member.first);
    return value != nullptr && json::same_meaning(*value, member.second);
  });
}

std::vector<std::string> name_keys_of(const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  keys.reserve(names.size());
  for (const std::string& name : names) keys.push_back(name_key_of(name));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace bb5
