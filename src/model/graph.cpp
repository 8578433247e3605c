#include "model/graph.hpp"

#include <cmath>

#include "base/utf8.hpp"
#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

std::string text_member(const json::Object& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value != nullptr && value->string() != nullptr ? to_storable_utf8(*value->string())
                                                        : std::string{};
}

std::optional<double> number_member(const json::Object& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->number() == nullptr) return std::nullopt;
  return json::to_double(value->number()->text);
}

std::optional<Timestamp> time_member(const json::Object& object, std::string_view key) {
  return parse_time(text_member(object, key));
}

constexpr std::string_view separator = "\u241F";  // of the parts of a relationship's key
constexpr std::string_view escape = "\u241B";

/// `␟` becomes `␛u`, and `␛`, so that no other text comes out like it, `␛e`.
std::string without_separator(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with(separator)) {
      plain.append(escape).push_back('u');
      at += separator.size();
    } else if (rest.starts_with(escape)) {
      plain.append(escape).push_back('e');
      at += escape.size();
    } else {
      plain += text[at++];
    }
  }
  return plain;
}

std::string escaped_type(std::string_view type) {
  std::string folded = name_key_of(type);
  if (folded.empty()) folded = "concept";
  std::string escaped;
  for (const char c : folded) {
    if (c == '%') {
      escaped += "%25";
    } else if (c == ':') {
      escaped += "%3A";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string name_key_of(std::string_view name) {
  return without_separator(fold_name(name));
}

std::string entity_key(std::string_view name, std::string_view type) {
  return escaped_type(type) + ':' + name_key_of(name);
}

std::string_view name_of_key(std::string_view entity_key) noexcept {
  return entity_key.substr(entity_key.find(':') + 1);
}

std::string relationship_key(const Relationship& relationship) {
  std::string key = relationship.subject_key;
  key.append(separator).append(relationship.predicate);
  return key.append(separator).append(relationship.object_key);
}

std::string relationship_type_of(std::string_view predicate) {
  constexpr std::size_t longest = 200;
  std::string type;
  bool gap = false;
  for (const char c : predicate) {
    if (!is_word(c)) {
      gap = !type.empty();
      continue;
    }
    if (gap) type += '_';
    gap = false;
    type += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  type = to_storable_utf8(type);
  if (type.empty()) return "RELATES_TO";
  return std::string(first_code_points(type, longest));
}

FactsOfMemory facts_of(const Memory& memory) {
  FactsOfMemory facts;
  if (memory.kind == MemoryKind::memory) return facts;
  const auto parsed = json::parse_text(memory.metadata);
  if (!parsed || parsed->object() == nullptr) return facts;
  const json::Object& metadata = *parsed->object();
  if (memory.kind == MemoryKind::entity) {
    EntityFact fact{.id = {memory.id.uuid}, .memory = memory.id};
    fact.name = text_member(metadata, "entity_name");
    if (auto type = text_member(metadata, "entity_type"); !type.empty())
      fact.type = std::move(type);
    const double mentions = number_member(metadata, "mention_count").value_or(1);
    fact.mentions = mentions >= 0 && mentions < 1e15 ? std::llround(mentions) : 0;
    fact.first_seen = time_member(metadata, "first_seen");
    facts.entity = std::move(fact);
  } else {
    RelationshipFact fact{.id = {memory.id.uuid}, .memory = memory.id};
    fact.subject = text_member(metadata, "subject");
    if (auto predicate = text_member(metadata, "predicate"); !predicate.empty())
      fact.predicate = std::move(predicate);
    fact.object = text_member(metadata, "object");
    fact.confidence = memory.confidence;
    fact.first_observed = memory.created_at;
    facts.relationship = std::move(fact);
  }
  return facts;
}

}  // namespace bb5
