#include "model/memory.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/utf8.hpp"
#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

// The namespace of every id of ours: docs/decisions/2026-11-24-ids.md. Never change it: ids of
// stores in use are derived from it.
constexpr Uuid bb5_namespace{{0x1b, 0x67, 0x1a, 0x64, 0x40, 0xd5, 0x49, 0x1e, 0x99, 0xb0, 0xda,
                              0x01, 0xff, 0x1f, 0x33, 0x41}};

std::string bytes_of(std::int64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (56 - 8 * i));
  return bytes;
}

std::string text_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Feeds optional fields so that "absent" differs from every value.
class FieldHash {
 public:
  void add(std::string_view text) { stream_.add_field('s', text); }
  void add(std::int64_t value) { stream_.add_field('i', bytes_of(value)); }
  void add(double value) { stream_.add_field('d', bytes_of(std::bit_cast<std::int64_t>(value))); }
  void add(Timestamp time) { stream_.add_field('t', bytes_of(time.time_since_epoch().count())); }
  void add(const MemoryId& id) { stream_.add_field('u', id.to_string()); }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      stream_.add_field('n', {});
    }
  }
  std::string finish() { return text_of(stream_.finish()); }

 private:
  Sha256Stream stream_;
};

std::string shown(std::string_view text) {
  const auto cut = first_code_points(text, 200);
  return cut.size() == text.size() ? fmt::format("\"{}\"", text)
                                   : fmt::format("\"{}…\" ({} bytes)", cut, text.size());
}
std::string shown(double value) {
  return json::number_text(value);
}
std::string shown(std::int64_t value) {
  return std::to_string(value);
}
std::string shown(Timestamp time) {
  return to_rfc3339(time);
}
std::string shown(const MemoryId& id) {
  return id.to_string();
}
std::string shown(MemoryKind kind) {
  return std::to_string(static_cast<int>(kind));
}
std::string shown(VectorState state) {
  return std::to_string(static_cast<int>(state));
}
std::string shown(const std::vector<std::string>& list) {
  std::string text = "[";
  for (const auto& item : list)
    text += (text.size() > 1 ? ", " : "") + shown(std::string_view(item));
  return shown(std::string_view(text + "]"));
}
std::string shown(const RawRecord& raw) {
  return raw.embedding_at ? fmt::format("{} cut at {}", shown(raw.text), *raw.embedding_at)
                          : shown(std::string_view(raw.text));
}
std::string shown(const std::string& text) {
  return shown(std::string_view(text));
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : "none";
}
std::string shown_float(float value) {
  return fmt::format("0x{:08x} ({})", std::bit_cast<std::uint32_t>(value), value);
}

bool same_bits(float left, float right) {
  return std::bit_cast<std::uint32_t>(left) == std::bit_cast<std::uint32_t>(right);
}

std::string hash_of_vector(const std::vector<float>& vector) {
  if (vector.empty()) return std::string(32, '\0');
  std::string wire;
  wire.resize(4 + 4 * vector.size());
  wire[0] = static_cast<char>(vector.size() >> 8);
  wire[1] = static_cast<char>(vector.size());
  char* out = wire.data() + 4;
  for (const float number : vector) {
    const std::uint32_t bits = __builtin_bswap32(std::bit_cast<std::uint32_t>(number));
    std::memcpy(out, &bits, sizeof bits);
    out += sizeof bits;
  }
  return text_of(sha256(wire));
}

void compare_vectors(const std::string& field, const std::vector<float>& left,
                     const std::vector<float>& right, std::vector<FieldDifference>& found) {
  if (left.size() != right.size()) {
    found.push_back(
        {field, fmt::format("{} numbers", left.size()), fmt::format("{} numbers", right.size())});
    return;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (same_bits(left[i], right[i])) continue;
    found.push_back({fmt::format("{}[{}]", field, i), shown_float(left[i]), shown_float(right[i])});
    return;
  }
}

Result<> check_vector(const char* field, const std::vector<float>& vector) {
  bool zero = true;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (!std::isfinite(vector[i])) {
      return Error{Errc::invalid_argument, fmt::format("{}[{}] is not a finite number", field, i)};
    }
    zero = zero && vector[i] == 0;
  }
  if (zero && !vector.empty())
    return Error{Errc::invalid_argument, fmt::format("{} holds only zeros", field)};
  return ok();
}

Result<> require_text(std::string_view field, std::string_view text) {
  if (is_storable_utf8(text)) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("{} must be UTF-8 text without NUL characters", field)};
}

Result<> require_optional_text(std::string_view field, const std::optional<std::string>& text) {
  return text ? require_text(field, *text) : ok();
}

}  // namespace

std::optional<std::string> parse_network(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower == "w") return "world";
  if (lower == "b") return "experience";
  if (lower == "o") return "opinion";
  if (lower == "s") return "observation";
  for (const std::string_view known : known_networks) {
    if (lower == known) return lower;
  }
  return std::nullopt;
}

std::vector<std::string> derive_columns(Memory& memory) {
  memory.kind = MemoryKind::memory;
  memory.confidence.reset();
  memory.source.reset();
  memory.source_type.reset();
  memory.category.reset();
  memory.entities.clear();

  std::vector<std::string> unfit;
  const auto parsed = json::parse_text(memory.metadata);
  const json::Object* metadata = parsed ? parsed->object() : nullptr;
  if (metadata == nullptr) return unfit;

  const auto is_true = [&](std::string_view key) {
    const json::Value* value = metadata->find(key);
    return value != nullptr && value->boolean() != nullptr && *value->boolean();
  };
  if (is_true("is_entity")) memory.kind = MemoryKind::entity;
  if (is_true("is_relationship")) memory.kind = MemoryKind::relationship;

  if (const json::Value* value = metadata->find("confidence")) {
    const double number = value->number() != nullptr ? json::to_double(value->number()->text) : NAN;
    if (number >= 0 && number <= 1) {
      memory.confidence = number;
    } else {
      unfit.emplace_back("confidence");
    }
  }
  const auto text = [&](std::string_view key, std::optional<std::string>& column) {
    const json::Value* value = metadata->find(key);
    if (value == nullptr || value->is_null()) return;
    if (value->string() != nullptr) {
      column = to_storable_utf8(*value->string());
    } else {
      unfit.emplace_back(key);
    }
  };
  text("source", memory.source);
  text("source_type", memory.source_type);
  text("category", memory.category);
  if (const json::Value* value = metadata->find("entities");
      value != nullptr && !value->is_null()) {
    bool fits = value->array() != nullptr;
    if (fits) {
      for (const json::Value& name : *value->array()) {
        if (name.string() != nullptr) {
          memory.entities.push_back(to_storable_utf8(*name.string()));
        } else {
          fits = false;
        }
      }
    }
    if (!fits) unfit.emplace_back("entities");
  }
  return unfit;
}

void set_metadata(Memory& memory, std::string_view key, std::string_view json_value) {
  auto parsed = json::parse_text(memory.metadata);
  json::Value metadata =
      parsed && parsed->object() != nullptr ? std::move(*parsed) : json::Value(json::Object{});
  auto value = json::parse_text(json_value);
  metadata.object()->set(std::string(key), value ? std::move(*value) : json::Value(json_value));
  memory.metadata = json::write_compact(metadata);
  derive_columns(memory);
}

std::string legacy_id_of(std::string_view content) {
  return to_hex(md5(content)).substr(0, 12);
}

MemoryId memory_id_of(std::string_view legacy_id_json, std::uint32_t occurrence) {
  if (occurrence < 2) return {Uuid::v5(bb5_namespace, legacy_id_json)};
  return {Uuid::v5(bb5_namespace, fmt::format("{}#{}", legacy_id_json, occurrence))};
}

Result<> validate(const Memory& memory) {
  BB5_TRY(require_text("legacy_id", memory.legacy_id));
  BB5_TRY(require_text("content", memory.content));
  BB5_TRY(require_text("network", memory.network));
  BB5_TRY(require_optional_text("source", memory.source));
  BB5_TRY(require_optional_text("source_type", memory.source_type));
  BB5_TRY(require_optional_text("category", memory.category));
  BB5_TRY(require_optional_text("author", memory.author));
  BB5_TRY(require_optional_text("thread", memory.thread));
  BB5_TRY(require_text("metadata", memory.metadata));
  for (const auto& name : memory.entities) BB5_TRY(require_text("entities", name));
  if (memory.raw) BB5_TRY(require_text("raw", memory.raw->text));
  if (memory.seq < 0) {
    return Error{Errc::invalid_argument,
                 fmt::format("memory {} cannot have place {}", memory.legacy_id, memory.seq),
                 "count places from 1, or leave 0 for the next one"};
  }
  if (memory.confidence && !(*memory.confidence >= 0 && *memory.confidence <= 1)) {
    return Error{Errc::invalid_argument,
                 fmt::format("confidence {} is not between 0 and 1", *memory.confidence)};
  }
  if ((memory.vector_state == VectorState::indexed) == memory.embedding.empty()) {
    return Error{Errc::invalid_argument,
                 "embedding must be given exactly when vector_state is indexed"};
  }
  BB5_TRY(check_vector("embedding", memory.embedding));
  if (!memory.given) return ok();
  if (memory.vector_state != VectorState::indexed ||
      memory.given->dropped() != memory.given->model.empty()) {
    return Error{Errc::invalid_argument,
                 "given must stand beside an embedding, with its model, or without both"};
  }
  BB5_TRY(require_text("given", memory.given->model));
  return check_vector("given", memory.given->numbers);
}

std::string content_hash(const Memory& memory) {
  FieldHash hash;
  hash.add(memory.legacy_id);
  hash.add(static_cast<std::int64_t>(memory.kind));
  hash.add(memory.content);
  hash.add(memory.network);
  hash.add(memory.confidence);
  hash.add(memory.source);
  hash.add(memory.source_type);
  hash.add(memory.category);
  hash.add(static_cast<std::int64_t>(memory.entities.size()));
  for (const auto& name : memory.entities) hash.add(name);
  hash.add(memory.created_at);
  hash.add(memory.valid_from);
  hash.add(memory.valid_until);
  hash.add(memory.superseded_by);
  hash.add(memory.author);
  hash.add(memory.thread);
  hash.add(memory.position);
  hash.add(memory.metadata);
  hash.add(static_cast<std::int64_t>(memory.vector_state));
  hash.add(memory.raw ? std::optional(memory.raw->text) : std::nullopt);
  hash.add(memory.raw && memory.raw->embedding_at
               ? std::optional<std::int64_t>(*memory.raw->embedding_at)
               : std::nullopt);
  return hash.finish();
}

std::string vector_hash(const Memory& memory) {
  return hash_of_vector(memory.embedding);
}

std::string record_hash(const Memory& memory) {
  std::string hashes = content_hash(memory) + vector_hash(memory);
  if (memory.given) hashes += hash_of_vector(memory.given->numbers) + memory.given->model;
  return text_of(sha256(hashes));
}

std::vector<FieldDifference> differences(const Memory& left, const Memory& right) {
  std::vector<FieldDifference> found;
  const auto compare = [&](const char* field, const auto& a, const auto& b) {
    if (!(a == b)) found.push_back({field, shown(a), shown(b)});
  };
  compare("legacy_id", left.legacy_id, right.legacy_id);
  compare("kind", left.kind, right.kind);
  compare("content", left.content, right.content);
  compare("network", left.network, right.network);
  compare("confidence", left.confidence, right.confidence);
  compare("source", left.source, right.source);
  compare("source_type", left.source_type, right.source_type);
  compare("category", left.category, right.category);
  compare("entities", left.entities, right.entities);
  compare("created_at", left.created_at, right.created_at);
  compare("valid_from", left.valid_from, right.valid_from);
  compare("valid_until", left.valid_until, right.valid_until);
  compare("superseded_by", left.superseded_by, right.superseded_by);
  compare("author", left.author, right.author);
  compare("thread", left.thread, right.thread);
  compare("position", left.position, right.position);
  compare("metadata", left.metadata, right.metadata);
  compare("vector_state", left.vector_state, right.vector_state);
  compare_vectors("embedding", left.embedding, right.embedding, found);
  compare("raw", left.raw, right.raw);
  const auto model_of = [](const Memory& memory) {
    return memory.given ? std::optional(memory.given->model) : std::nullopt;
  };
  compare("given", model_of(left), model_of(right));
  if (left.given && right.given)
    compare_vectors("given", left.given->numbers, right.given->numbers, found);
  return found;
}

}  // namespace bb5
