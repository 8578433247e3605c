#include "model/legacy_record.hpp"

#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

void write_head(const Memory& memory, std::string& out) {
  out += "{\n    \"id\": ";
  json::write_string(memory.legacy_id, out);
  out += ",\n    \"content\": ";
  json::write_string(memory.content, out);
  out += ",\n    \"network\": ";
  json::write_string(memory.network, out);
  out += ",\n    \"embedding\": ";
}

void write_tail(const Memory& memory, std::string& out) {
  out += ",\n    \"metadata\": ";
  const auto metadata = json::parse_text(memory.metadata);
  json::write_indented(metadata ? *metadata : json::Value(), 2, out);
  out += ",\n    \"created_at\": ";
  if (memory.created_at) {
    json::write_string(to_legacy_text(*memory.created_at), out);
  } else {
    out += "null";
  }
  out += "\n  }";
}

void write_record_without_vector(const Memory& memory, std::string& out) {
  write_head(memory, out);
  out += "null";
  write_tail(memory, out);
}

/// The one that the memory came with, as long as it is there.
std::span<const float> vector_of_record(const Memory& memory) {
  return memory.given && !memory.given->dropped() ? memory.given->numbers : memory.embedding;
}

}  // namespace

void write_canonical_vector(std::span<const float> vector, std::string& out) {
  constexpr std::string_view indent = "\n      ";
  out += '[';
  char text[json::max_number_length];
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    out += indent;
    out.append(text, json::write_number(static_cast<double>(vector[i]), text));
  }
  out += vector.empty() ? "]" : "\n    ]";
}

void write_canonical_record(const Memory& memory, std::string& out) {
  if (memory.embedding.empty()) return write_record_without_vector(memory, out);
  write_head(memory, out);
  write_canonical_vector(vector_of_record(memory), out);
  write_tail(memory, out);
}

RawRecord legacy_record_without_vector(const Memory& memory) {
  if (memory.raw) return *memory.raw;
  RawRecord record;
  write_head(memory, record.text);
  record.embedding_at = static_cast<std::uint32_t>(record.text.size());
  write_tail(memory, record.text);
  return record;
}

void write_legacy_record(const Memory& memory, std::string& out) {
  if (!memory.raw) return write_canonical_record(memory, out);
  const RawRecord& raw = *memory.raw;
  if (raw.text.empty()) return write_record_without_vector(memory, out);
  if (!raw.embedding_at) {
    out += raw.text;
    return;
  }
  const std::size_t cut = std::min<std::size_t>(*raw.embedding_at, raw.text.size());
  out.append(raw.text, 0, cut);
  write_canonical_vector(vector_of_record(memory), out);
  out.append(raw.text, cut);
}

}  // namespace bb5
