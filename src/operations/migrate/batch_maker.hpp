#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/digest.hpp"
#include "operations/migrate/migration.hpp"
#include "operations/migrate/name_choices.hpp"
#include "operations/migrate/record_mapper.hpp"

namespace bb5 {

/// Records of one transaction, ready to be written.
struct PreparedBatch {
  LedgerBatch ledger;
  std::vector<Memory> memories;
  std::vector<bool> by_content;  ///< Parallel to memories.
  std::vector<EntityFact> entities;
  std::vector<RelationshipFact> relationships;
  std::vector<EmbeddingCache::Entry> entries;
  std::int64_t bytes = 0;
};

/// Where a file was left by an earlier, unfinished run.
struct Resume {
  std::int64_t next_batch = 0;
  std::int64_t next_ordinal = 0;
  bool closed = false;  ///< Its closing batch is written.
};

/// Cuts one file into batches. The references given live as long as it does.
class BatchMaker {
 public:
  BatchMaker(RunId run, const MemorySource::File& file, Resume resume,
             const MigrationOptions& options, RecordMapper& mapper, NameChoices& choices)
      : run_(run),
        file_(file),
        resume_(resume),
        options_(options),
        mapper_(mapper),
        choices_(choices),
        next_batch_(resume.next_batch) {
    start();
  }

  /// Takes a full batch and says whether to go on.
  using Emit = std::function<bool(PreparedBatch)>;
  Result<> read(RecordReader& reader, const Emit& emit) {
    while (true) {
      auto record = reader.next();
      if (!record) return std::move(record).error();
      if (!*record) break;
      add(**record);
      if (batch_.ledger.records >= options_.batch_records || batch_.bytes >= options_.batch_bytes) {
        if (!emit(take())) return ok();
      }
    }
    if (batch_.ledger.records > 0 && !emit(take())) return ok();
    close(reader, emit);
    return ok();
  }

  /// Records of the file, and vectors of its memories by length, those of an earlier run included.
  [[nodiscard]] std::int64_t records() const { return records_; }
  [[nodiscard]] const std::map<std::size_t, std::int64_t>& vectors() const { return vectors_; }

 private:
  /// Remarks on the file as a whole have a batch of their own, without records; a file of no
  /// records too, so that the ledger says it was read.
  void close(const RecordReader& reader, const Emit& emit) {
    batch_.ledger.issues = reader.file_issues();
    if (resume_.closed || (batch_.ledger.issues.empty() && next_batch_ > 0)) return;
    batch_.ledger.first_ordinal = records_;
    emit(take());
  }

  void start() {
    batch_ = PreparedBatch{};
    batch_.ledger.run = run_;
    batch_.ledger.file = file_.name;
    batch_.ledger.part = file_.part;
    batch_.ledger.batch_no = next_batch_;
  }

  PreparedBatch take() {
    const Sha256 digest = digest_.finish();
    batch_.ledger.content_digest.assign(reinterpret_cast<const char*>(digest.data()),
                                        digest.size());
    PreparedBatch full = std::move(batch_);
    ++next_batch_;
    start();
    return full;
  }

  void add(SourceRecord& record) {
    ++records_;
    choices_.add(file_.name, record);
    const bool done_before = record.ordinal < resume_.next_ordinal;
    if (auto* memory = std::get_if<Memory>(&record.item)) {
      // Ids depend on what came before, so records that are in the bank already are mapped too.
      const auto outcome = mapper_.map(record, *memory);
      if (record.vector_length > 0 && outcome != RecordMapper::Outcome::repeated)
        ++vectors_[record.vector_length];
      if (done_before) return;
      if (outcome == RecordMapper::Outcome::repeated) {
        ++batch_.ledger.identical;
      } else {
        digest_.add(record_hash(*memory));
        place(record);
        batch_.memories.push_back(std::move(*memory));
        batch_.by_content.push_back(record.identity_by_content);
      }
    } else if (auto* entity = std::get_if<EntityFact>(&record.item)) {
      add_fact(record, *entity, batch_.entities, done_before);
    } else if (auto* relationship = std::get_if<RelationshipFact>(&record.item)) {
      add_fact(record, *relationship, batch_.relationships, done_before);
    } else if (auto* entry = std::get_if<EmbeddingCache::Entry>(&record.item)) {
      if (!done_before) batch_.entries.push_back(std::move(*entry));
    } else if (!done_before) {
      ++batch_.ledger.quarantined;
    }
    if (done_before) return;
    if (batch_.ledger.records == 0) {
      batch_.ledger.first_ordinal = record.ordinal;
      batch_.ledger.byte_from = record.byte_from;
    }
    ++batch_.ledger.records;
    batch_.ledger.byte_to = record.byte_to;
    batch_.bytes += record.byte_to - record.byte_from;
    for (LedgerIssue& issue : record.issues) batch_.ledger.issues.push_back(std::move(issue));
  }

  template <class Fact>
  void add_fact(const SourceRecord& record, Fact& fact, std::vector<Fact>& facts,
                bool done_before) {
    const bool repeated = mapper_.is_repeated(fact.id);
    if (done_before) return;
    if (repeated) {
      ++batch_.ledger.identical;
      return;
    }
    place(record);
    facts.push_back(std::move(fact));
  }

  void place(const SourceRecord& record) {
    batch_.ledger.places.push_back({record.ordinal, record.byte_from});
  }

  RunId run_;
  const MemorySource::File& file_;
  Resume resume_;
  const MigrationOptions& options_;
  RecordMapper& mapper_;
  NameChoices& choices_;
  std::int64_t next_batch_;
  std::int64_t records_ = 0;
  std::map<std::size_t, std::int64_t> vectors_;
  Sha256Stream digest_;
  PreparedBatch batch_;
};

}  // namespace bb5
