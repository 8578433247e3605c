#include "operations/retain/retain.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "operations/retain/content_ids.hpp"
#include "operations/retain/document_records.hpp"
#include "operations/retain/near_duplicates.hpp"
#include "operations/retain/same_statement.hpp"

namespace bb5 {
namespace {

/// Somebody else may write the same document or erase a memory while we work on it; then we look
/// again.
constexpr int attempts = 4;

/// A document on its way into the bank.
struct Passage {
  RetainReport report;
  ExtractedDocument extracted;
  std::optional<std::string> known_digest;  ///< Of the state that the bank holds.
  std::vector<MemoryId> former;             ///< What that state says, each once.
  DocumentRecords records;

  [[nodiscard]] bool open() const { return report.state == RetainReport::State::retained && !done; }
  void fail(Error error) {
    report.state = RetainReport::State::failed;
    report.error = std::move(error);
  }
  bool done = false;
};

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

/// Documents that are written together have at most so many memories, unless one has more by
/// itself: other writers wait meanwhile.
constexpr std::size_t most_together = 500;

/// The memories that documents add, and what is written with them.
struct Fresh {
  std::vector<Memory> memories;
  std::vector<std::int64_t> statement_keys;
  std::vector<Passage*> of;  ///< The document that brought each.
  std::unordered_map<MemoryId, std::size_t> places;
  std::vector<EntityFact> entity_facts;
  std::vector<RelationshipFact> relationship_facts;
  std::vector<DocumentChange> changes;
};

/// Brings a group of documents into a bank.
class Retaining {
 public:
  Retaining(Bank& bank, const RetainSettings& settings)
      : bank_(bank),
        settings_(settings),
        bank_outage_(settings.outages != nullptr ? settings.outages->bank : own_outage_),
        moment_(now()),
        model_(settings.embedder != nullptr ? settings.embedder->info().model : std::string()) {}

  std::vector<RetainReport> retain(std::vector<Document> documents) {
    for (Document& document : documents) prepare(std::move(document));
    extract();
    auto held = identify();
    if (held) {
      embed(*held);
      write_all(*held);
    } else {
      for (Passage* passage : open_ones()) passage->fail(held.error());
    }
    std::vector<RetainReport> reports;
    for (Passage& passage : passages_) reports.push_back(std::move(passage.report));
    return reports;
  }

 private:
  void prepare(Document document) {
    Passage& passage = passages_.emplace_back();
    passage.extracted.prepared =
        prepare_document(std::move(document), settings_.extractor.name(), settings_.keep_secrets);
    const PreparedDocument& prepared = passage.extracted.prepared;
    passage.report.source = prepared.document.source;
    passage.report.secrets = prepared.secrets;
    passage.report.recalled_blocks = prepared.recalled_blocks;
    if (auto away = bank_outage_.over(); away) return passage.fail(std::move(*away));
    auto looked = look_up(passage);
    bank_outage_.saw(looked ? std::optional<Error>() : looked.error());
    if (!looked) passage.fail(std::move(looked).error());
  }

  /// What the bank knows of the document now.
  Result<> look_up(Passage& passage) {
    auto known = bank_.document(passage.report.source);
    if (!known) return std::move(known).error();
    passage.known_digest.reset();
    passage.former.clear();
    if (!*known) return ok();
    passage.known_digest = (*known)->digest;
    if ((*known)->digest == passage.extracted.prepared.digest) {
      passage.report.state = RetainReport::State::unchanged;
      passage.report.memories = std::ssize(distinct((*known)->memories));
    }
    passage.former = distinct((*known)->memories);
    return ok();
  }

  void extract() {
    std::vector<PreparedDocument> to_extract;
    std::vector<Passage*> of;
    for (Passage& passage : passages_) {
      if (!passage.open()) continue;
      of.push_back(&passage);
      to_extract.push_back(std::move(passage.extracted.prepared));
    }
    std::vector<ExtractedDocument> extracted = extract_documents(std::move(to_extract), settings_);
    for (std::size_t i = 0; i < of.size(); ++i) take(*of[i], std::move(extracted[i]));
  }

  void take(Passage& passage, ExtractedDocument extracted) {
    passage.extracted = std::move(extracted);
    if (passage.extracted.error) {
      passage.fail(*passage.extracted.error);
      return;
    }
    const Extraction& extraction = passage.extracted.extraction;
    passage.report.entities = std::ssize(extraction.entities);
    passage.report.relationships = std::ssize(extraction.relationships);
    passage.report.warnings = extraction.warnings;
    passage.report.usage = extraction.usage;
    passage.records = records_of(extraction, passage.extracted.prepared.document, moment_);
  }

  std::vector<Passage*> open_ones() {
    std::vector<Passage*> open;
    for (Passage& passage : passages_) {
      if (passage.open()) open.push_back(&passage);
    }
    return open;
  }

  /// Gives memories their ids, and tells which of them the bank holds.
  Result<HeldMemories> identify() { return identify(open_ones()); }
  Result<HeldMemories> identify(const std::vector<Passage*>& passages) {
    std::vector<Memory*> memories;
    for (Passage* passage : passages) {
      for (Memory& memory : passage->records.memories) memories.push_back(&memory);
    }
    return give_content_ids(bank_, memories, RawRecords::keep);
  }

  /// One call for all memories that are new. Without vectors they are kept all the same.
  void embed(const HeldMemories& held) {
    if (settings_.embedder == nullptr) return;
    std::vector<std::string_view> texts;
    std::vector<MemoryId> of;
    std::unordered_set<MemoryId> seen;
    for (const Passage* passage : open_ones()) {
      for (const Memory& memory : passage->records.memories) {
        if (held.contains(memory.id) || !seen.insert(memory.id).second) continue;
        texts.push_back(memory.content);
        of.push_back(memory.id);
      }
    }
    if (texts.empty()) return;
    auto embedded = settings_.embedder->embed(texts);
    Result<> recorded = embedded ? bank_.set_embedder(settings_.embedder->info()) : ok();
    if (!embedded || !recorded) {
      const Error& error = embedded ? recorded.error() : embedded.error();
      why_without_vectors_ = error.message;
      return;
    }
    for (std::size_t i = 0; i < of.size(); ++i) vectors_.emplace(of[i], std::move((*embedded)[i]));
  }

  void write_all(const HeldMemories& held) {
    if (auto indexed = index_missing_statements(bank_); !indexed) {
      for (Passage* passage : open_ones()) passage->fail(indexed.error());
      return;
    }
    std::vector<Passage*> together;
    std::size_t memories = 0;
    for (Passage* passage : open_ones()) {
      memories += passage->records.memories.size();
      if (memories > most_together && !together.empty()) {
        write(together, held);
        together.clear();
        memories = passage->records.memories.size();
      }
      together.push_back(passage);
    }
    if (!together.empty()) write(together, held);
  }

  /// In one transaction, which costs little more than one of them would. What goes wrong for one,
  /// goes wrong for all of it: then each is on its own.
  void write(const std::vector<Passage*>& together, const HeldMemories& held) {
    const auto written = try_write(together, held);
    if (written) return;
    const Errc code = written.error().code;
    const bool away = code == Errc::unavailable || code == Errc::refused;
    for (Passage* passage : together) away ? passage->fail(written.error()) : write(*passage);
  }

  void write(Passage& passage) {
    Result<> written = ok();
    for (int attempt = 1; attempt <= attempts; ++attempt) {
      if (auto looked = look_up(passage); !looked) return passage.fail(std::move(looked).error());
      if (!passage.open()) {  // another process has done it meanwhile
        begin_counts(passage.report);
        return;
      }
      auto held = identify({&passage});
      if (!held) return passage.fail(std::move(held).error());
      written = try_write({&passage}, *held);
      // A memory that was erased since we looked is invalid_argument: then it is a new one.
      if (written || (written.error().code != Errc::conflict &&
                      written.error().code != Errc::invalid_argument))
        break;
    }
    if (!written) passage.fail(std::move(written).error());
  }

  static void begin_counts(RetainReport& report) {
    report.added = report.said_before = report.near_duplicates = report.without_vector = 0;
  }

  Result<> try_write(const std::vector<Passage*>& passages, const HeldMemories& held) {
    auto alike = said_alike(passages, held);
    if (!alike) return std::move(alike).error();
    Fresh fresh;
    for (Passage* passage : passages) settle(*passage, held, *alike, fresh);
    auto outcome = bank_.write({.memories = fresh.memories,
                                .entity_facts = fresh.entity_facts,
                                .relationship_facts = fresh.relationship_facts,
                                .documents = fresh.changes,
                                .statement_keys = fresh.statement_keys,
                                .model = model_});
    if (!outcome) return std::move(outcome).error();
    for (std::size_t i = 0; i < fresh.memories.size(); ++i) {
      if (outcome->memories[i] == WriteAction::inserted) continue;
      // Another process was quicker: it is held as that one wrote it.
      RetainReport& report = fresh.of[i]->report;
      --report.added;
      ++report.said_before;
      if (fresh.memories[i].embedding.empty()) --report.without_vector;
    }
    for (std::size_t i = 0; i < passages.size(); ++i)
      finish(*passages[i], fresh.changes[i].document.memories);
    return ok();
  }

  /// What the bank holds in the words of the new ones among their memories.
  Result<NearDuplicates> said_alike(const std::vector<Passage*>& passages,
                                    const HeldMemories& held) {
    NearDuplicates alike(settings_.near_duplicate);
    std::unordered_set<std::int64_t> keys;
    for (const Passage* passage : passages) {
      for (const Memory& memory : passage->records.memories) {
        if (!held.contains(memory.id) && vectors_.contains(memory.id))
          keys.insert(statement_key(memory.content));
      }
    }
    BB5_TRY(alike.load(bank_, bank_, std::vector(keys.begin(), keys.end()), moment_));
    return alike;
  }

  /// The document's new state, and what it adds.
  void settle(Passage& passage, const HeldMemories& held, NearDuplicates& alike, Fresh& fresh) {
    begin_counts(passage.report);
    DocumentChange& change = fresh.changes.emplace_back();
    change.previous_digest = passage.known_digest;
    change.document = {.source = passage.report.source,
                       .digest = passage.extracted.prepared.digest,
                       .extractor = settings_.extractor.name(),
                       .retained_at = moment_};
    for (const Memory& memory : passage.records.memories)
      change.document.memories.push_back(settle(memory, passage, held, alike, fresh));
    for (const EntityFact& fact : passage.records.entity_facts) {
      change.document.entity_facts.push_back(fact.id);
      fresh.entity_facts.push_back(fact);
    }
    for (const RelationshipFact& fact : passage.records.relationship_facts) {
      change.document.relationship_facts.push_back(fact.id);
      fresh.relationship_facts.push_back(fact);
    }
  }

  /// The memory of the bank that says this: itself, when it is held or new; a near duplicate.
  MemoryId settle(const Memory& memory, Passage& passage, const HeldMemories& held,
                  NearDuplicates& alike, Fresh& fresh) {
    RetainReport& report = passage.report;
    const auto pending = fresh.places.find(memory.id);
    if (held.contains(memory.id) ||
        (pending != fresh.places.end() && fresh.of[pending->second] != &passage)) {
      ++report.said_before;
      return memory.id;
    }
    if (pending != fresh.places.end()) return memory.id;  // the document says it twice
    const std::int64_t key = statement_key(memory.content);
    const auto vector = vectors_.find(memory.id);
    if (vector != vectors_.end()) {
      if (const auto near = alike.find(key, memory.content, vector->second)) {
        ++report.near_duplicates;
        return *near;
      }
    }
    fresh.places.emplace(memory.id, fresh.memories.size());
    fresh.of.push_back(&passage);
    fresh.statement_keys.push_back(key);
    Memory& added = fresh.memories.emplace_back(memory);
    ++report.added;
    if (vector != vectors_.end()) {
      added.embedding = vector->second;
      added.vector_state = VectorState::indexed;
      alike.add(key, added);
    } else {
      ++report.without_vector;
    }
    return memory.id;
  }

  void finish(Passage& passage, const std::vector<MemoryId>& memories) {
    RetainReport& report = passage.report;
    const std::unordered_set<MemoryId> said(memories.begin(), memories.end());
    report.memories = std::ssize(said);
    report.no_longer_said = std::count_if(passage.former.begin(), passage.former.end(),
                                          [&](const MemoryId& id) { return !said.contains(id); });
    if (report.without_vector > 0 && !why_without_vectors_.empty())
      report.warnings.push_back(fmt::format(
          "{} for a vector: {}", counted(report.without_vector, "memory waits", "memories wait"),
          why_without_vectors_));
  }

  static std::vector<MemoryId> distinct(std::vector<MemoryId> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  Bank& bank_;
  const RetainSettings& settings_;
  Outage own_outage_;
  Outage& bank_outage_;
  Timestamp moment_;
  std::string model_;  ///< Of the vectors; empty: there are none.
  std::vector<Passage> passages_;
  std::unordered_map<MemoryId, std::vector<float>> vectors_;
  std::string why_without_vectors_;
};

}  // namespace

void Outage::saw(const std::optional<Error>& error) {
  const std::lock_guard lock(mutex_);
  if (!error) {
    in_a_row_ = 0;
  } else if (error->code == Errc::refused || error->code == Errc::unavailable) {
    in_a_row_ = error->code == Errc::refused ? enough : in_a_row_ + 1;
    error_ = *error;
  }
}

std::optional<Error> Outage::over() const {
  const std::lock_guard lock(mutex_);
  if (in_a_row_ < enough) return std::nullopt;
  Error error = error_;
  error.message = "not tried: " + error.message;
  return error;
}

std::vector<ExtractedDocument> extract_documents(std::vector<PreparedDocument> documents,
                                                 const RetainSettings& settings) {
  std::vector<ExtractedDocument> extracted(documents.size());
  std::atomic<std::size_t> next = 0;
  Outage own;
  Outage& outage = settings.outages != nullptr ? settings.outages->extractor : own;
  const auto work = [&] {
    for (std::size_t i = next++; i < documents.size(); i = next++) {
      extracted[i].prepared = std::move(documents[i]);
      extracted[i].error = outage.over();
      if (extracted[i].error) continue;
      auto extraction = settings.extractor.extract(extracted[i].prepared.document);
      if (extraction) {
        extracted[i].extraction = std::move(*extraction);
      } else {
        extracted[i].error = std::move(extraction).error();
      }
      outage.saw(extracted[i].error);
    }
  };
  const std::size_t helpers = std::min(settings.jobs, documents.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < helpers; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  if (settings.extracted) {
    for (const ExtractedDocument& one : extracted) {
      if (!one.error) settings.extracted(one);
    }
  }
  return extracted;
}

std::vector<RetainReport> retain_documents(Bank& bank, std::vector<Document> documents,
                                           const RetainSettings& settings) {
  return Retaining(bank, settings).retain(std::move(documents));
}

Result<std::optional<RetainReport>> retract_document(Bank& bank, std::string_view source) {
  auto known = bank.document(source);
  if (!known) return std::move(known).error();
  if (!*known) return std::optional<RetainReport>();
  RetainReport report{.source = std::string(source)};
  std::vector<MemoryId> former = (*known)->memories;
  if (former.empty()) return std::optional<RetainReport>();  // retracted before
  std::sort(former.begin(), former.end());
  former.erase(std::unique(former.begin(), former.end()), former.end());
  report.no_longer_said = std::ssize(former);
  const DocumentChange change{.document = {.source = report.source,
                                           .digest = std::string(32, '\0'),
                                           .extractor = (*known)->extractor,
                                           .retained_at = now()},
                              .previous_digest = (*known)->digest};
  auto written = bank.write({.documents = std::span(&change, 1)});
  if (!written) return std::move(written).error();
  return std::optional(std::move(report));
}

}  // namespace bb5
