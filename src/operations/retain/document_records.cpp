#include "operations/retain/document_records.hpp"

#include <string_view>
#include <utility>

#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

std::string metadata_of(const ExtractedMemory& extracted, const Document& document) {
  json::Object metadata;
  metadata.set("confidence", extracted.confidence);
  metadata.set("source", document.source);
  metadata.set("source_type", document.source_type);
  metadata.set("category",
               extracted.category ? json::Value(*extracted.category) : json::Value(nullptr));
  json::Array entities;
  for (const std::string& name : extracted.entities) entities.emplace_back(name);
  metadata.set("entities", std::move(entities));
  if (extracted.section) metadata.set("section", *extracted.section);
  return json::write_compact(metadata);
}

Memory memory_of(const ExtractedMemory& extracted, const Document& document, Timestamp moment) {
  Memory memory;
  memory.content = extracted.content;
  memory.legacy_id = legacy_id_of(memory.content);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  memory.network = extracted.network;
  memory.created_at = extracted.happened_at.value_or(document.written_at.value_or(moment));
  memory.metadata = metadata_of(extracted, document);
  derive_columns(memory);
  memory.author = extracted.author;
  memory.thread = document.source;
  memory.position = extracted.position;
  return memory;
}

/// A JSON array names a fact: no two lists of texts give the same one.
FactId fact_id(const std::vector<std::string>& parts) {
  json::Array name;
  for (const std::string& part : parts) name.emplace_back(part);
  return {memory_id_of(json::write_compact(name)).uuid};
}

EntityFact fact_of(const ExtractedEntity& entity, const Document& document, Timestamp moment) {
  const Timestamp time = document.written_at.value_or(moment);
  return {.id = fact_id({"entity", document.source, entity.name, entity.type,
                         std::to_string(entity.mentions)}),
          .name = entity.name,
          .type = entity.type,
          .mentions = entity.mentions,
          .first_seen = time,
          .last_seen = time};
}

RelationshipFact fact_of(const ExtractedRelationship& relationship, const Document& document,
                         Timestamp moment) {
  const Timestamp time = document.written_at.value_or(moment);
  return {
      .id = fact_id({"relationship", document.source, relationship.subject, relationship.predicate,
                     relationship.object, json::number_text(relationship.confidence)}),
      .subject = relationship.subject,
      .predicate = relationship.predicate,
      .object = relationship.object,
      .confidence = relationship.confidence,
      .first_observed = time,
      .last_observed = time};
}

}  // namespace

DocumentRecords records_of(const Extraction& extraction, const Document& document,
                           Timestamp moment) {
  DocumentRecords records;
  for (const ExtractedMemory& memory : extraction.memories)
    records.memories.push_back(memory_of(memory, document, moment));
  for (const ExtractedEntity& entity : extraction.entities)
    records.entity_facts.push_back(fact_of(entity, document, moment));
  for (const ExtractedRelationship& relationship : extraction.relationships)
    records.relationship_facts.push_back(fact_of(relationship, document, moment));
  return records;
}

}  // namespace bb5
