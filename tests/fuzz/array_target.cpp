// Any bytes as memories.json, entities.json or relationships.json: every byte range is accounted
// for once, nothing is lost of what is kept, and the size of the window changes nothing.
#include <algorithm>
#include <vector>

#include "json/value.hpp"
#include "model/legacy_record.hpp"
#include "sources/blackbox5/array_reader.hpp"
#include "sources/blackbox5/records.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

using blackbox5::ArrayReader;
using blackbox5::Parts;

struct Reading {
  std::vector<SourceRecord> records;
  std::vector<LedgerIssue> file_issues;
  bool refused = false;
};

bool has_quarantine(const SourceRecord& record) {
  return std::any_of(record.issues.begin(), record.issues.end(), [](const LedgerIssue& issue) {
    return issue.kind == LedgerIssue::Kind::quarantined;
  });
}

/// Records of RETAIN outputs are not exported in their own form.
bool is_flat(std::string_view raw) {
  const auto parsed = bb5::json::parse(raw);
  const auto* value = std::get_if<bb5::json::Value>(&parsed);
  require(value != nullptr && value->object() != nullptr, "what became a memory is a JSON object");
  const auto has = [&](const char* key) { return value->object()->find(key) != nullptr; };
  return !has("embedding") &&
         (has("confidence") || has("entities") || has("source") || has("timestamp"));
}

void check_memory(const SourceRecord& record, const Memory& memory, std::string_view raw) {
  const auto valid = validate(memory);
  require(valid.has_value(), valid ? "" : valid.error().message);
  require(!memory.legacy_id.empty() || record.legacy_id_json == "\"\"", "a memory has a legacy id");
  require(memory_id_of(record.legacy_id_json) == memory.id, "the id follows from the legacy id");
  if (is_flat(raw)) return;
  std::string exported;
  write_legacy_record(memory, exported);
  require(exported == raw, "a memory is exported as the bytes that it was read from");
}

Reading read(const std::string& path, LedgerPart part, std::size_t window_bytes,
             std::string_view bytes) {
  Reading reading;
  ArrayReader reader(window_bytes);
  require(reader.open(path).has_value(), "the file can be opened");
  Parts parts;
  const MemorySource::ReadOptions options{.embedder = {"fuzz", 3}, .source_model = "fuzz"};
  std::int64_t last = 0;
  while (true) {
    auto element = reader.next(
        [&](bb5::json::Cursor& cursor) { return blackbox5::read_parts(cursor, parts); });
    if (!element) {
      require(element.error().code == Errc::corrupt && reading.records.empty(),
              "only a file that holds no array is refused");
      reading.refused = true;
      break;
    }
    if (!*element) break;
    const ArrayReader::Element& found = **element;
    require(found.ordinal == std::ssize(reading.records), "ordinals go up by one");
    require(found.byte_from >= last && found.byte_to >= found.byte_from &&
                found.byte_to <= std::ssize(bytes),
            "ranges follow each other within the file");
    const auto raw = bytes.substr(static_cast<std::size_t>(found.byte_from),
                                  static_cast<std::size_t>(found.byte_to - found.byte_from));
    require(raw == found.raw, "the raw bytes are those of the range");
    last = found.byte_to;
    SourceRecord record =
        !found.problem.empty()         ? blackbox5::quarantined(found, found.code, found.problem)
        : part == LedgerPart::entities ? blackbox5::entity_record(found, parts)
        : part == LedgerPart::relationships ? blackbox5::relationship_record(found, parts)
                                            : blackbox5::memory_record(found, parts, options);
    const bool kept_out = std::holds_alternative<SourceRecord::Quarantined>(record.item);
    require(kept_out == has_quarantine(record), "what is kept out says why");
    if (kept_out) require(record.issues.back().raw == raw, "what is kept out keeps its bytes");
    if (const auto* memory = std::get_if<Memory>(&record.item)) check_memory(record, *memory, raw);
    reading.records.push_back(std::move(record));
  }
  reading.file_issues = reader.file_issues();
  return reading;
}

void require_same(const Reading& left, const Reading& right) {
  require(left.refused == right.refused && left.records.size() == right.records.size(),
          "a small window finds the same records");
  require(left.file_issues == right.file_issues, "a small window finds the same remarks");
  for (std::size_t i = 0; i < left.records.size(); ++i) {
    const SourceRecord& a = left.records[i];
    const SourceRecord& b = right.records[i];
    require(a.byte_from == b.byte_from && a.byte_to == b.byte_to && a.issues == b.issues &&
                a.item.index() == b.item.index() && a.legacy_id_json == b.legacy_id_json,
            "a small window reads the same record");
    const auto* memory = std::get_if<Memory>(&a.item);
    require(memory == nullptr || *memory == std::get<Memory>(b.item),
            "a small window reads the same memory");
  }
}

}  // namespace

void array(Input input) {
  const std::string_view bytes = text_of(input);
  const MemoryFile file(bytes);
  for (const LedgerPart part :
       {LedgerPart::memories, LedgerPart::entities, LedgerPart::relationships}) {
    const Reading whole = read(file.path(), part, bytes.size() + 64, bytes);
    // At least a byte order mark fits into the smallest window.
    require_same(whole, read(file.path(), part, 3 + bytes.size() % 61, bytes));
  }
}

}  // namespace bb5::fuzz
