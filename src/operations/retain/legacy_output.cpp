#include "operations/retain/legacy_output.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/file_error.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

json::Value or_null(const std::optional<std::string>& text) {
  return text ? json::Value(*text) : json::Value(nullptr);
}

json::Object memory_object(const ExtractedMemory& memory, const Document& document,
                           Timestamp moment) {
  const std::string time =
      to_legacy_text(memory.happened_at.value_or(document.written_at.value_or(moment)));
  json::Array entities;
  for (const std::string& name : memory.entities) entities.emplace_back(name);
  json::Object object;
  object.set("id", nullptr);
  object.set("network", memory.network);
  object.set("content", memory.content);
  object.set("confidence", memory.confidence);
  object.set("category", or_null(memory.category));
  object.set("subcategory", nullptr);
  object.set("source", document.source);
  object.set("source_type", document.source_type);
  object.set("task_id", nullptr);
  object.set("run_id", nullptr);
  object.set("created_at", time);
  object.set("updated_at", time);
  object.set("entities", std::move(entities));
  object.set("keywords", json::Array());
  object.set("related_memories", json::Array());
  object.set("belief_version", 1);
  object.set("metadata", json::Object());
  return object;
}

json::Object entity_object(const ExtractedEntity& entity, const std::string& time) {
  json::Object object;
  object.set("id", nullptr);
  object.set("name", entity.name);
  object.set("type", entity.type);
  object.set("aliases", json::Array());
  object.set("first_seen", time);
  object.set("last_seen", time);
  object.set("mention_count", entity.mentions);
  object.set("properties", json::Object());
  return object;
}

json::Object relationship_object(const ExtractedRelationship& relationship) {
  json::Object object;
  object.set("id", nullptr);
  object.set("subject", relationship.subject);
  object.set("predicate", relationship.predicate);
  object.set("object", relationship.object);
  object.set("confidence", relationship.confidence);
  object.set("source", "");
  object.set("memory_id", nullptr);
  object.set("observation_count", 1);
  return object;
}

void append(std::string& elements, json::Object object) {
  elements += elements.empty() ? "\n  " : ",\n  ";
  json::write_indented(std::move(object), 1, elements);
}

Result<> write_array(const std::filesystem::path& path, const std::string& elements) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << '[' << elements << (elements.empty() ? "]" : "\n]");
  file.close();
  if (!file) return file_error("write", path, errno);
  return ok();
}

}  // namespace

void LegacyOutput::add(const Extraction& extraction, const Document& document, Timestamp moment) {
  const std::string time = to_legacy_text(document.written_at.value_or(moment));
  for (const ExtractedMemory& memory : extraction.memories) {
    json::Object object = memory_object(memory, document, moment);
    append(files_[memory.network + "_memories.json"], object);
    append(files_["all_memories.json"], std::move(object));
  }
  for (const ExtractedEntity& entity : extraction.entities)
    append(files_["entities.json"], entity_object(entity, time));
  for (const ExtractedRelationship& relationship : extraction.relationships)
    append(files_["relationships.json"], relationship_object(relationship));
  memories += std::ssize(extraction.memories);
  entities += std::ssize(extraction.entities);
  relationships += std::ssize(extraction.relationships);
}

Result<> LegacyOutput::save(const std::filesystem::path& folder) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return file_error("create", folder, error.value());
  auto files = files_;
  for (const char* always : {"all_memories.json", "entities.json", "relationships.json"})
    files.try_emplace(always);
  for (const auto& [name, elements] : files) BB5_TRY(write_array(folder / name, elements));
  return ok();
}

}  // namespace bb5
