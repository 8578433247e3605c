#include "sources/blackbox5/records.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/number.hpp"
#include "model/legacy_record.hpp"

namespace bb5::blackbox5 {
namespace {

/// The model of 1536 numbers that no file names.
constexpr std::string_view openai_small = "openai/text-embedding-3-small";
constexpr std::size_t openai_small_dimension = 1536;
constexpr std::string_view unknown_network = "unknown";

constexpr std::string_view store_keys[] = {"id",        "content",  "network",
                                           "embedding", "metadata", "created_at"};
/// Members of a RETAIN or prototype record that have a column or place of their own.
constexpr std::string_view flat_own_keys[] = {"id",        "content",   "network", "created_at",
                                              "timestamp", "embedding", "metadata"};

bool is_one_of(std::string_view key, std::span<const std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Builds one memory, gathering remarks on the way.
class MemoryBuilder {
 public:
  MemoryBuilder(const ArrayReader::Element& element, const Parts& parts,
                const MemorySource::ReadOptions& options)
      : element_(element), parts_(parts), object_(*parts.value.object()), options_(options) {
    record_.ordinal = element.ordinal;
    record_.byte_from = element.byte_from;
    record_.byte_to = element.byte_to;
  }

  SourceRecord build(const std::string& content) {
    memory_.content = storable(content, "/content");
    if (is_flat()) {
      set_flat_metadata();
      set_time(object_.find("created_at") != nullptr ? "created_at" : "timestamp", true);
    } else {
      set_store_metadata();
      set_time("created_at", false);
      for (const json::Member& member : object_.members()) {
        if (!is_one_of(member.first, store_keys))
          warn("unknown_key", "/" + member.first,
               "the old system drops this key at its next save; it is kept");
      }
    }
    set_network();
    for (const std::string& key : derive_columns(memory_)) {
      warn(key == "confidence" ? "confidence_unusable" : key + "_unusable", "/metadata/" + key,
           "not a value for this column, which stays empty; the metadata keeps it");
    }
    remark_on_facts();
    set_vector();
    set_id(content);
    if (!is_flat()) set_raw();
    record_.item = std::move(memory_);
    return std::move(record_);
  }

 private:
  void warn(std::string code, std::string pointer, std::string message) {
    record_.issues.push_back({.kind = LedgerIssue::Kind::warning,
                              .ordinal = element_.ordinal,
                              .byte_from = element_.byte_from,
                              .pointer = to_storable_utf8(pointer),
                              .code = std::move(code),
                              .message = std::move(message)});
  }

  std::string storable(const std::string& text, const char* pointer) {
    if (is_storable_utf8(text)) return text;
    warn("text_escaped", pointer,
         "holds NUL characters or lone surrogates, shown as U+2400 and U+FFFD; the raw record "
         "keeps them");
    return to_storable_utf8(text);
  }

  /// RETAIN's output and the prototype's hold at the top what the store holds in the metadata.
  bool is_flat() const {
    if (parts_.has_vector) return false;
    return std::any_of(object_.members().begin(), object_.members().end(),
                       [](const json::Member& member) {
                         return member.first == "confidence" || member.first == "entities" ||
                                member.first == "source" || member.first == "timestamp";
                       });
  }

  void set_store_metadata() {
    const json::Value* metadata = object_.find("metadata");
    if (metadata == nullptr) {
      memory_.metadata = "{}";
      warn("metadata_missing", "/metadata", "no metadata: taken as {}");
      return;
    }
    memory_.metadata = json::write_compact(*metadata);
    if (metadata->object() == nullptr)
      warn("metadata_not_an_object", "/metadata", "metadata is no object; it is kept as it is");
  }

  void set_flat_metadata() {
    json::Object metadata;
    if (const json::Value* given = object_.find("metadata");
        given != nullptr && given->object() != nullptr)
      metadata = *given->object();
    const json::Value* created = object_.find("created_at");
    for (const auto& [key, value] : object_.members()) {
      const bool empty = value.is_null() || (value.array() != nullptr && value.array()->empty()) ||
                         (value.object() != nullptr && value.object()->empty());
      const bool repeated = key == "updated_at" && created != nullptr && *created == value;
      const bool first_version = key == "belief_version" && value == json::Value(1);
      if (!empty && !repeated && !first_version && !is_one_of(key, flat_own_keys))
        metadata.set(key, value);
    }
    memory_.metadata = json::write_compact(json::Value(std::move(metadata)));
  }

  void set_time(const char* key, bool may_be_absent) {
    const json::Value* value = object_.find(key);
    const std::string pointer = std::string("/") + key;
    if (value == nullptr || value->is_null()) {
      if (!may_be_absent)
        warn("created_at_missing", pointer, "no time of creation; none is invented");
      return;
    }
    if (value->string() != nullptr) {
      memory_.created_at = parse_time(*value->string());
    } else if (value->number() != nullptr) {
      const double number = json::to_double(value->number()->text);
      const double seconds =
          std::fabs(number) > 1e11 ? number / 1000 : number;  // milliseconds since 1970
      if (std::isfinite(seconds) && std::fabs(seconds) < 2e11)
        memory_.created_at = Timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
      if (memory_.created_at)
        warn("created_at_number", pointer, "a number, read as seconds or milliseconds since 1970");
    }
    if (!memory_.created_at)
      warn("created_at_unusable", pointer, "not a time that can be read; the raw record keeps it");
  }

  void set_network() {
    const json::Value* value = object_.find("network");
    if (value == nullptr || value->string() == nullptr) {
      memory_.network = unknown_network;
      warn(value == nullptr ? "network_missing" : "network_unusable", "/network",
           "no network: `unknown` is shown");
      return;
    }
    memory_.network = to_storable_utf8(*value->string());
    if (const auto known = parse_network(*value->string())) {
      if (*known != memory_.network)
        warn("network_spelling", "/network",
             fmt::format("`{}` is taken as `{}`; the raw record keeps the spelling",
                         memory_.network, *known));
      memory_.network = *known;
    } else {
      warn("network_unknown", "/network",
           fmt::format("`{}` is none of the four networks; it is kept", memory_.network));
    }
  }

  /// What the graph cannot take of a pseudo-memory: it is kept all the same.
  void remark_on_facts() {
    const FactsOfMemory facts = facts_of(memory_);
    if (facts.entity && name_key_of(facts.entity->name).empty())
      warn("entity_without_name", "/metadata/entity_name",
           "no name: kept, but no node of the graph");
    if (!facts.relationship) return;
    for (const auto& [member, name] : {std::pair("subject", &facts.relationship->subject),
                                       std::pair("object", &facts.relationship->object)}) {
      if (name_key_of(*name).empty())
        warn("relationship_without_endpoint", std::string("/metadata/") + member,
             "an endpoint has no name: kept, but no edge of the graph");
    }
  }

  void set_vector() {
    using Shape = VectorText::Shape;
    if (!parts_.has_vector || parts_.vector.shape == Shape::absent) {
      memory_.vector_state = VectorState::none;
      if (!is_flat())
        warn("needs_embedding", "/embedding",
             "no vector: found by its words only until it is embedded");
      return;
    }
    const VectorText& vector = parts_.vector;
    if (vector.shape != Shape::numbers) {
      memory_.vector_state = VectorState::unusable;
      const bool finite = vector.shape == Shape::other;
      warn(finite ? "vector_unusable" : "vector_not_finite",
           vector.bad_index == 0 && finite ? "/embedding"
                                           : fmt::format("/embedding/{}", vector.bad_index),
           finite ? "not an array of numbers; the raw record keeps it, the memory needs embedding"
                  : "not finite, or too large for binary32; the raw record keeps it, the memory "
                    "needs embedding");
      return;
    }
    record_.vector_length = vector.numbers.size();
    if (is_fallback_vector(vector.numbers)) {
      memory_.vector_state = VectorState::fallback;
      warn("vector_fallback", "/embedding",
           "the old system's hashed stand-in, noise outside its process: kept raw, not indexed, "
           "the memory needs embedding");
      return;
    }
    if (std::all_of(vector.numbers.begin(), vector.numbers.end(), [](float x) { return x == 0; })) {
      memory_.vector_state = VectorState::unusable;
      warn("vector_zero", "/embedding",
           "a vector of zeros has no direction; the raw record keeps it, the memory needs "
           "embedding");
      return;
    }
    const std::size_t length = vector.numbers.size();
    std::string_view model = options_.source_model;
    if (model.empty() && length == openai_small_dimension) model = openai_small;
    if (model.empty() || model != options_.embedder.model ||
        length != options_.embedder.dimension) {
      memory_.vector_state = VectorState::foreign;
      warn("vector_foreign", "/embedding",
           fmt::format("{} numbers of {}, the bank's vectors are {} of {}: kept raw, the memory "
                       "needs embedding",
                       length, model.empty() ? "an unknown model" : model,
                       options_.embedder.dimension,
                       options_.embedder.model.empty() ? "no model yet" : options_.embedder.model));
      return;
    }
    if (!vector.exact)
      warn("vector_rounded", "/embedding",
           "holds numbers that binary32 cannot: searched rounded, the raw record keeps them");
    memory_.vector_state = VectorState::indexed;
    memory_.embedding = vector.numbers;
  }

  void set_id(const std::string& content) {
    const json::Value* id = object_.find("id");
    if (id == nullptr || id->is_null()) {
      record_.identity_by_content = true;
      memory_.legacy_id = legacy_id_of(content);
      record_.legacy_id_json = '"' + memory_.legacy_id + '"';
      if (!is_flat())
        warn("id_missing", "/id", "no id: made from the content, as the old system would");
    } else {
      record_.legacy_id_json = json::write_compact(*id);
      memory_.legacy_id =
          id->string() != nullptr ? storable(*id->string(), "/id") : record_.legacy_id_json;
    }
    memory_.id = memory_id_of(record_.legacy_id_json);
  }

  /// Keeps the bytes where our columns would not give them back (design: exactness).
  void set_raw() {
    const bool vector_is_ours = memory_.vector_state == VectorState::indexed &&
                                parts_.vector.canonical && !parts_.vector_twice;
    std::string ours;
    if (vector_is_ours) {
      // Only what stands around the vector is compared: the vector's own bytes were compared number
      // by number.
      Memory without = memory_;
      without.embedding.clear();
      write_canonical_record(without, ours);
      constexpr std::string_view mark = "\"embedding\": null";
      const std::size_t at = ours.find(mark, ours.find("\"network\": ")) + mark.size() - 4;
      const auto raw = element_.raw;
      const bool same = raw.substr(0, parts_.vector_from) == std::string_view(ours).substr(0, at) &&
                        raw.substr(parts_.vector_to) == std::string_view(ours).substr(at + 4);
      if (same) return;
      std::string around(raw.substr(0, parts_.vector_from));
      around += raw.substr(parts_.vector_to);
      memory_.raw = RawRecord{.text = std::move(around),
                              .embedding_at = static_cast<std::uint32_t>(parts_.vector_from)};
      return;
    }
    if (memory_.vector_state == VectorState::none) {
      write_canonical_record(memory_, ours);
      if (ours == element_.raw) return;
    }
    memory_.raw = RawRecord{.text = std::string(element_.raw), .embedding_at = std::nullopt};
  }

  const ArrayReader::Element& element_;
  const Parts& parts_;
  const json::Object& object_;
  const MemorySource::ReadOptions& options_;
  Memory memory_;
  SourceRecord record_;
};

std::string text_member(const json::Object& object, std::string_view key,
                        std::string_view fallback = {}) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->string() == nullptr) return std::string(fallback);
  return to_storable_utf8(*value->string());
}

std::optional<double> number_member(const json::Object& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->number() == nullptr) return std::nullopt;
  return json::to_double(value->number()->text);
}

std::int64_t count_member(const json::Object& object, std::string_view key, std::int64_t fallback) {
  const double number = number_member(object, key).value_or(static_cast<double>(fallback));
  return number >= 0 && number < 1e15 ? std::llround(number) : fallback;
}

std::optional<Timestamp> time_member(const json::Object& object, std::string_view key) {
  return parse_time(text_member(object, key));
}

SourceRecord start(const ArrayReader::Element& element) {
  return {.ordinal = element.ordinal, .byte_from = element.byte_from, .byte_to = element.byte_to};
}

LedgerIssue warning(const ArrayReader::Element& element, std::string code, std::string pointer,
                    std::string message) {
  return {.kind = LedgerIssue::Kind::warning,
          .ordinal = element.ordinal,
          .byte_from = element.byte_from,
          .pointer = std::move(pointer),
          .code = std::move(code),
          .message = std::move(message)};
}

/// Facts of files are the same fact when their records are: the id is made of the record's text.
FactId fact_id(std::string_view kind, const json::Value& value) {
  return {memory_id_of(fmt::format("{}:{}", kind, json::write_compact(value))).uuid};
}

}  // namespace

bool read_parts(json::Cursor& cursor, Parts& parts) {
  parts = Parts{};
  const char next = cursor.peek();
  const std::size_t start = cursor.offset();
  if (next != '{') return cursor.value(parts.value);
  cursor.take('{');
  json::Object object;
  if (!cursor.take('}')) {
    do {
      std::string key;
      if (!cursor.string(key) || !cursor.expect(':')) return false;
      if (key == "embedding") {
        parts.vector_twice = parts.has_vector;
        parts.has_vector = true;
        cursor.skip_space();
        parts.vector_from = cursor.offset() - start;
        parts.vector = VectorText{};
        if (!read_vector(cursor, parts.vector)) return false;
        parts.vector_to = cursor.offset() - start;
        continue;
      }
      json::Value value;
      if (!cursor.value(value)) return false;
      object.set(std::move(key), std::move(value));
    } while (cursor.take(','));
    if (!cursor.expect('}')) return false;
  }
  parts.value = json::Value(std::move(object));
  return true;
}

SourceRecord quarantined(const ArrayReader::Element& element, std::string code,
                         std::string message) {
  constexpr std::size_t kept_bytes = std::size_t{16} << 20;
  SourceRecord record = start(element);
  if (element.raw.size() > kept_bytes)
    message += "; the first 16 MiB are kept here, all of it in the backup of the source";
  record.issues.push_back({.kind = LedgerIssue::Kind::quarantined,
                           .ordinal = element.ordinal,
                           .byte_from = element.byte_from,
                           .code = std::move(code),
                           .message = std::move(message),
                           .raw = std::string(element.raw.substr(0, kept_bytes))});
  return record;
}

SourceRecord memory_record(const ArrayReader::Element& element, const Parts& parts,
                           const MemorySource::ReadOptions& options) {
  const json::Object* object = parts.value.object();
  if (object == nullptr) return quarantined(element, "not_an_object", "this record is no object");
  const json::Value* content = object->find("content");
  if (content == nullptr || content->string() == nullptr) {
    return quarantined(
        element, "no_content",
        content == nullptr ? "this record has no content" : "this record's content is no text");
  }
  return MemoryBuilder(element, parts, options).build(*content->string());
}

SourceRecord entity_record(const ArrayReader::Element& element, const Parts& parts) {
  const json::Object* object = parts.value.object();
  if (object == nullptr) return quarantined(element, "not_an_object", "this record is no object");
  SourceRecord record = start(element);
  EntityFact fact;
  fact.id = fact_id("entity", parts.value);
  fact.name = text_member(*object, "name");
  fact.type = text_member(*object, "type", "concept");
  fact.mentions = count_member(*object, "mention_count", 1);
  fact.first_seen = time_member(*object, "first_seen");
  fact.last_seen = time_member(*object, "last_seen");
  if (const json::Value* aliases = object->find("aliases");
      aliases != nullptr && aliases->array() != nullptr) {
    for (const json::Value& alias : *aliases->array()) {
      if (alias.string() != nullptr) fact.aliases.push_back(to_storable_utf8(*alias.string()));
    }
  }
  fact.raw = std::string(element.raw);
  if (name_key_of(fact.name).empty())
    record.issues.push_back(warning(element, "entity_without_name", "/name",
                                    "no name: kept, but no node of the graph"));
  record.item = std::move(fact);
  return record;
}

SourceRecord relationship_record(const ArrayReader::Element& element, const Parts& parts) {
  const json::Object* object = parts.value.object();
  if (object == nullptr) return quarantined(element, "not_an_object", "this record is no object");
  SourceRecord record = start(element);
  RelationshipFact fact;
  fact.id = fact_id("relationship", parts.value);
  fact.subject = text_member(*object, "subject");
  fact.predicate = text_member(*object, "predicate", "relates_to");
  fact.object = text_member(*object, "object");
  const auto confidence = number_member(*object, "confidence");
  if (confidence && *confidence >= 0 && *confidence <= 1) {
    fact.confidence = confidence;
  } else if (object->find("confidence") != nullptr) {
    record.issues.push_back(warning(element, "confidence_unusable", "/confidence",
                                    "not a number between 0 and 1; the raw record keeps it"));
  }
  fact.observation_count = count_member(*object, "observation_count", 1);
  fact.first_observed = time_member(*object, "first_observed");
  fact.last_observed = time_member(*object, "last_observed");
  fact.raw = std::string(element.raw);
  if (name_key_of(fact.subject).empty() || name_key_of(fact.object).empty()) {
    record.issues.push_back(warning(element, "relationship_without_endpoint",
                                    name_key_of(fact.subject).empty() ? "/subject" : "/object",
                                    "an endpoint has no name: kept, but no edge of the graph"));
  }
  record.item = std::move(fact);
  return record;
}

}  // namespace bb5::blackbox5
