#include "operations/transfer/import.hpp"

#include <fmt/format.h>

#include "operations/migrate/migration.hpp"
#include "operations/migrate/record_mapper.hpp"

namespace bb5 {
namespace {

constexpr std::size_t batch_size = 500;

class Importing {
 public:
  Importing(Bank& bank, std::string model) : bank_(bank), model_(std::move(model)) {}

  Result<> read(RecordReader& reader) {
    while (true) {
      auto record = reader.next();
      if (!record) return std::move(record).error();
      if (!*record) return flush();
      ++report_.read;
      take(**record);
      if (memories_.size() + entities_.size() + relationships_.size() + entries_.size() >=
          batch_size)
        BB5_TRY(flush());
    }
  }

  ImportReport report() && { return std::move(report_); }

 private:
  void take(SourceRecord& record) {
    if (auto* memory = std::get_if<Memory>(&record.item)) {
      if (mapper_.map(record, *memory) == RecordMapper::Outcome::repeated) {
        ++report_.identical;
      } else {
        memories_.push_back(std::move(*memory));
      }
    } else if (auto* entity = std::get_if<EntityFact>(&record.item)) {
      if (!mapper_.is_repeated(entity->id)) entities_.push_back(std::move(*entity));
    } else if (auto* relationship = std::get_if<RelationshipFact>(&record.item)) {
      if (!mapper_.is_repeated(relationship->id))
        relationships_.push_back(std::move(*relationship));
    } else if (auto* entry = std::get_if<EmbeddingCache::Entry>(&record.item)) {
      entries_.push_back(std::move(*entry));
    } else if (!record.issues.empty()) {
      const LedgerIssue& issue = record.issues.front();
      report_.failures.push_back(
          fmt::format("record {} at byte {}: {}", issue.ordinal, issue.byte_from, issue.message));
    }
  }

  void count(const std::vector<WriteAction>& actions) {
    for (const WriteAction action : actions) {
      if (action == WriteAction::inserted) ++report_.inserted;
      if (action == WriteAction::replaced) ++report_.replaced;
      if (action == WriteAction::identical) ++report_.identical;
    }
  }

  Result<> flush() {
    auto written = bank_.write({.memories = memories_,
                                .entity_facts = entities_,
                                .relationship_facts = relationships_,
                                .on_conflict = OnConflict::replace,
                                .model = model_});
    if (!written) return std::move(written).error();
    auto cached = bank_.cache_embeddings(entries_, nullptr);
    if (!cached) return std::move(cached).error();
    count(written->memories);
    report_.facts += std::ssize(entities_) + std::ssize(relationships_);
    report_.cached_embeddings += std::ssize(entries_);
    memories_.clear();
    entities_.clear();
    relationships_.clear();
    entries_.clear();
    return ok();
  }

  Bank& bank_;
  std::string model_;  // of the memories' vectors
  RecordMapper mapper_;
  ImportReport report_;
  std::vector<Memory> memories_;
  std::vector<EntityFact> entities_;
  std::vector<RelationshipFact> relationships_;
  std::vector<EmbeddingCache::Entry> entries_;
};

}  // namespace

Result<ImportReport> import_records(const MemorySource& source, Bank& bank,
                                    const std::string& source_model) {
  auto embedder = bank.embedder();
  if (!embedder) return std::move(embedder).error();
  if (embedder->dimension == 0) {
    auto found = embedder_of(source, source_model);
    if (!found) return std::move(found).error();
    if (found->dimension != 0) BB5_TRY(bank.set_embedder(*found));
    *embedder = *found;
  }
  auto files = source.files();
  if (!files) return std::move(files).error();
  Importing importing(bank, embedder->model);
  for (const MemorySource::File& file : *files) {
    auto reader = source.open(file, source.path_of(file.name),
                              {.embedder = *embedder, .source_model = source_model});
    if (!reader) return std::move(reader).error();
    BB5_TRY(importing.read(**reader));
  }
  return std::move(importing).report();
}

}  // namespace bb5
