#include "operations/migrate/record_mapper.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace bb5 {
namespace {

LedgerIssue remark(const SourceRecord& record, std::string code, std::string message) {
  return {.kind = LedgerIssue::Kind::warning,
          .ordinal = record.ordinal,
          .byte_from = record.byte_from,
          .pointer = "/id",
          .code = std::move(code),
          .message = std::move(message)};
}

}  // namespace

RecordMapper::Digest RecordMapper::digest_of(const Memory& memory) {
  const std::string hash = record_hash(memory);
  Digest digest;
  std::memcpy(&digest.high, hash.data(), 8);
  std::memcpy(&digest.low, hash.data() + 8, 8);
  return digest;
}

RecordMapper::Outcome RecordMapper::map(SourceRecord& record, Memory& memory) {
  const Digest digest = digest_of(memory);
  const auto [first, fresh] = first_.try_emplace(memory.id.uuid, digest);
  if (fresh) return Outcome::first;
  if (record.identity_by_content || first->second == digest) {
    record.issues.push_back(remark(
        record, "duplicate_record",
        first->second == digest ? "repeats an earlier record"
                                : "an earlier record has the same content, which is its identity"));
    return Outcome::repeated;
  }
  auto& later = later_[memory.id.uuid];
  auto place = std::find(later.begin(), later.end(), digest);
  if (place != later.end()) {
    record.issues.push_back(remark(record, "duplicate_record", "repeats an earlier record"));
    return Outcome::repeated;
  }
  later.push_back(digest);
  memory.id = memory_id_of(record.legacy_id_json, static_cast<std::uint32_t>(later.size()) + 1);
  record.issues.push_back(remark(
      record, "duplicate_id",
      fmt::format(
          "the id {} is taken by an earlier record: both are kept, this one as occurrence {}",
          record.legacy_id_json, later.size() + 1)));
  return Outcome::renamed;
}

bool RecordMapper::is_repeated(const FactId& id) {
  return !facts_.try_emplace(id.uuid, 0).second;
}

}  // namespace bb5
