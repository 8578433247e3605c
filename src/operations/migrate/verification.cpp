#include "operations/migrate/verification.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "model/graph_fold.hpp"
#include "model/made_vector.hpp"
#include "operations/migrate/manifest.hpp"
#include "operations/migrate/migration.hpp"
#include "operations/migrate/record_mapper.hpp"

namespace bb5 {
namespace {

constexpr std::size_t batch_size = 500;
constexpr std::size_t shown_differences = 1000;

/// All rows of a keyset-paged listing. `next` gives the page behind a row.
template <class Row, class Next>
Result<std::vector<Row>> all_pages(const Next& next) {
  std::vector<Row> rows;
  while (true) {
    Result<std::vector<Row>> page = next(rows.empty() ? nullptr : &rows.back());
    if (!page) return std::move(page).error();
    if (page->empty()) return rows;
    rows.insert(rows.end(), std::make_move_iterator(page->begin()),
                std::make_move_iterator(page->end()));
  }
}

std::string shown(const std::optional<Timestamp>& time) {
  return time ? to_rfc3339(*time) : "none";
}
std::string shown(const std::string& text) {
  return text;
}
std::string shown(std::int64_t number) {
  return std::to_string(number);
}
std::string shown(bool flag) {
  return flag ? "true" : "false";
}
std::string shown(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "none";
}
std::string shown(const std::vector<std::string>& list) {
  return fmt::format("[{}]", fmt::join(list, ", "));
}

/// Gathers the fields in which two rows differ.
class RowDifference {
 public:
  RowDifference(std::string id, std::vector<Difference>& found)
      : id_(std::move(id)), found_(found) {}
  template <class T>
  void compare(const char* field, const T& source, const T& target) {
    if (!(source == target)) found_.push_back({id_, field, shown(source), shown(target)});
  }

 private:
  std::string id_;
  std::vector<Difference>& found_;
};

void compare(const std::string& key, const Entity& expected, const Entity& stored,
             std::vector<Difference>& found) {
  RowDifference row(key, found);
  row.compare("name", expected.name, stored.name);
  row.compare("type", expected.type, stored.type);
  row.compare("mention_count", expected.mention_count, stored.mention_count);
  row.compare("first_seen", expected.first_seen, stored.first_seen);
  row.compare("last_seen", expected.last_seen, stored.last_seen);
  row.compare("aliases", expected.aliases, stored.aliases);
  row.compare("names", expected.names, stored.names);
  row.compare("placeholder", expected.placeholder, stored.placeholder);
}

void compare(const std::string& key, const Relationship& expected, const Relationship& stored,
             std::vector<Difference>& found) {
  RowDifference row(key, found);
  row.compare("confidence", expected.confidence, stored.confidence);
  row.compare("observation_count", expected.observation_count, stored.observation_count);
  row.compare("first_observed", expected.first_observed, stored.first_observed);
  row.compare("last_observed", expected.last_observed, stored.last_observed);
}

void compare(const EntityFact& source, const EntityFact& stored, std::vector<Difference>& found) {
  RowDifference row(source.name, found);
  row.compare("name", source.name, stored.name);
  row.compare("type", source.type, stored.type);
  row.compare("mention_count", source.mentions, stored.mentions);
  row.compare("first_seen", source.first_seen, stored.first_seen);
  row.compare("last_seen", source.last_seen, stored.last_seen);
  row.compare("aliases", source.aliases, stored.aliases);
  row.compare("raw", source.raw, stored.raw);
}

void compare(const RelationshipFact& source, const RelationshipFact& stored,
             std::vector<Difference>& found) {
  RowDifference row(fmt::format("{} –{}→ {}", source.subject, source.predicate, source.object),
                    found);
  row.compare("subject", source.subject, stored.subject);
  row.compare("predicate", source.predicate, stored.predicate);
  row.compare("object", source.object, stored.object);
  row.compare("confidence", source.confidence, stored.confidence);
  row.compare("observation_count", source.observation_count, stored.observation_count);
  row.compare("first_observed", source.first_observed, stored.first_observed);
  row.compare("last_observed", source.last_observed, stored.last_observed);
  row.compare("raw", source.raw, stored.raw);
}

template <class Row>
void compare_maps(const std::map<std::string, Row>& expected,
                  const std::map<std::string, Row>& stored, std::vector<Difference>& found) {
  for (const auto& [key, row] : expected) {
    const auto other = stored.find(key);
    if (other == stored.end()) {
      found.push_back({key, "missing", "there", "absent"});
    } else {
      compare(key, row, other->second, found);
    }
  }
  for (const auto& [key, row] : stored) {
    if (!expected.contains(key)) found.push_back({key, "extra", "absent", "there"});
  }
}

class Verification {
 public:
  Verification(const MemorySource& source, std::string source_name, Bank& bank,
               std::string source_model, const VerifyProgress& progress)
      : source_(source),
        source_name_(std::move(source_name)),
        bank_(bank),
        source_model_(std::move(source_model)),
        progress_(progress) {}

  Result<VerificationReport> run() {
    BB5_TRY(find_run());
    BB5_TRY(compare_source());
    auto graph = verify_graph_tables(bank_);
    if (!graph) return std::move(graph).error();
    report(std::move(*graph));
    auto counts = bank_.graph_counts();
    if (!counts) return std::move(counts).error();
    report_.graph = *counts;
    return std::move(report_);
  }

 private:
  void report(std::vector<Difference> found) {
    report_.differing += std::ssize(found);
    for (Difference& difference : found) {
      if (report_.differences.size() < shown_differences)
        report_.differences.push_back(std::move(difference));
    }
  }

  Result<> find_run() {
    auto runs = bank_.runs();
    if (!runs) return std::move(runs).error();
    const auto run = std::find_if(runs->begin(), runs->end(), [&](const LedgerRun& candidate) {
      return candidate.source == source_name_;
    });
    if (run == runs->end()) {
      return Error{Errc::not_found,
                   fmt::format("this bank has taken nothing over from {}", source_name_),
                   "run `bb5-memory migrate run` first"};
    }
    report_.run = run->run;
    auto manifest = read_manifest(source_, {}, {});
    if (!manifest) return std::move(manifest).error();
    bytes_ = manifest->bytes;
    report_.source_changed = manifest->sha256 != run->manifest_sha256;
    auto batches = bank_.batches(report_.run);
    if (!batches) return std::move(batches).error();
    std::map<std::string, std::int64_t> read;
    for (const LedgerBatch& batch : *batches) {
      if (batch.file.empty()) continue;  // why the run once stopped
      read[batch.file] += batch.records;
      PartCounts counts;
      counts.add(batch);
      report_.parts[batch.part].add(batch);
      report_.counts_add_up = report_.counts_add_up && counts.adds_up();
    }
    for (const LedgerFile& file : run->files) {
      if (file.records >= 0 && read[file.file] != file.records) report_.counts_add_up = false;
    }
    auto issues = bank_.issues(report_.run, 10'000'000);
    if (!issues) return std::move(issues).error();
    for (const auto& [file, issue] : *issues) {
      if (is_about_source(issue)) ++report_.issues[issue.code];
      if (issue.kind == LedgerIssue::Kind::rejected) rejected_.emplace(file, issue.ordinal);
      if (issue.code == "already_held") by_content_.emplace(file, issue.ordinal);
    }
    return ok();
  }

  Result<> compare_source() {
    auto embedder = bank_.embedder();
    if (!embedder) return std::move(embedder).error();
    auto files = source_.files();
    if (!files) return std::move(files).error();
    for (const MemorySource::File& file : *files) {
      file_ = file.name;
      auto reader = source_.open(file, source_.path_of(file.name),
                                 {.embedder = *embedder, .source_model = source_model_});
      if (!reader) return std::move(reader).error();
      while (true) {
        auto record = (*reader)->next();
        if (!record) return std::move(record).error();
        if (!*record) break;
        BB5_TRY(take(**record));
      }
      BB5_TRY(flush());
      bytes_before_ = bytes_done_;
    }
    return ok();
  }

  Result<> take(SourceRecord& record) {
    ++records_;
    bytes_done_ = bytes_before_ + record.byte_to;
    const bool rejected = rejected_.contains({file_, record.ordinal});
    if (auto* memory = std::get_if<Memory>(&record.item)) {
      if (mapper_.map(record, *memory) == RecordMapper::Outcome::repeated || rejected) return ok();
      content_only_.push_back(by_content_.contains({file_, record.ordinal}));
      memories_.push_back(std::move(*memory));
    } else if (auto* entity = std::get_if<EntityFact>(&record.item)) {
      if (!mapper_.is_repeated(entity->id) && !rejected) entities_.push_back(std::move(*entity));
    } else if (auto* relationship = std::get_if<RelationshipFact>(&record.item)) {
      if (!mapper_.is_repeated(relationship->id) && !rejected)
        relationships_.push_back(std::move(*relationship));
    } else if (auto* entry = std::get_if<EmbeddingCache::Entry>(&record.item)) {
      BB5_TRY(compare_cached(*entry));
    }
    if (memories_.size() + entities_.size() + relationships_.size() >= batch_size) return flush();
    return ok();
  }

  Result<> flush() {
    BB5_TRY(compare_memories());
    BB5_TRY(compare_facts(entities_, report_.entity_facts,
                          [&](auto ids) { return bank_.get_entity_facts(ids); }));
    BB5_TRY(compare_facts(relationships_, report_.relationship_facts,
                          [&](auto ids) { return bank_.get_relationship_facts(ids); }));
    if (progress_ && !progress_(records_, bytes_done_, bytes_))
      return Error{Errc::cancelled, "verification was stopped"};
    return ok();
  }

  Result<> compare_memories() {
    if (memories_.empty()) return ok();
    std::vector<MemoryId> ids;
    for (const Memory& memory : memories_) ids.push_back(memory.id);
    auto held = bank_.get(ids, true);
    if (!held) return std::move(held).error();
    std::size_t at = 0;  // `held` is in the order of `ids`, with gaps
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      const Memory& source = memories_[i];
      ++report_.memories;
      if (at == held->size() || (*held)[at].id != source.id) {
        report({{source.legacy_id, "missing", "there", "absent"}});
        continue;
      }
      const auto& given = (*held)[at].given;
      report_.dropped_vectors += given && given->dropped() ? 1 : 0;
      const Memory target = as_given(std::move((*held)[at++]), source);
      std::vector<Difference> found;
      for (FieldDifference& field : differences(source, target)) {
        if (content_only_[i] && field.field != "content") continue;
        found.push_back({source.legacy_id, std::move(field.field), std::move(field.left),
                         std::move(field.right)});
      }
      report(std::move(found));
    }
    memories_.clear();
    content_only_.clear();
    return ok();
  }

  template <class Fact, class Get>
  Result<> compare_facts(std::vector<Fact>& facts, std::int64_t& compared, const Get& get) {
    if (facts.empty()) return ok();
    std::vector<FactId> ids;
    for (const Fact& fact : facts) ids.push_back(fact.id);
    Result<std::vector<Fact>> held = get(std::span<const FactId>(ids));
    if (!held) return std::move(held).error();
    std::size_t at = 0;
    for (const Fact& fact : facts) {
      ++compared;
      std::vector<Difference> found;
      if (at == held->size() || (*held)[at].id != fact.id) {
        found.push_back({fact.id.to_string(), "missing", "there", "absent"});
      } else {
        compare(fact, (*held)[at++], found);
      }
      report(std::move(found));
    }
    facts.clear();
    return ok();
  }

  Result<> compare_cached(const EmbeddingCache::Entry& entry) {
    auto held = bank_.cached_embedding(entry.model, entry.text_md5);
    if (!held) return std::move(held).error();
    ++report_.cached_embeddings;
    if (!*held) {
      report({{entry.text_md5, "missing", "there", "absent"}});
      return ok();
    }
    const std::vector<float>& stored = **held;
    const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
    const bool same =
        std::equal(stored.begin(), stored.end(), entry.embedding.begin(), entry.embedding.end(),
                   [&](float a, float b) { return bits(a) == bits(b); });
    if (!same)
      report({{entry.text_md5, "embedding", fmt::format("{} numbers", entry.embedding.size()),
               fmt::format("{} numbers, other bits", stored.size())}});
    return ok();
  }

  const MemorySource& source_;
  std::string source_name_;
  Bank& bank_;
  std::string source_model_;
  const VerifyProgress& progress_;
  RecordMapper mapper_;
  std::string file_;
  std::set<std::pair<std::string, std::int64_t>>
      rejected_;  ///< (file, ordinal) kept out by a conflict
  std::set<std::pair<std::string, std::int64_t>>
      by_content_;  ///< (file, ordinal) that were there under other details
  std::vector<Memory> memories_;
  std::vector<bool> content_only_;  ///< Parallel to memories_.
  std::vector<EntityFact> entities_;
  std::vector<RelationshipFact> relationships_;
  std::int64_t records_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t bytes_done_ = 0;
  std::int64_t bytes_before_ = 0;
  VerificationReport report_;
};

}  // namespace

Result<std::vector<Difference>> verify_graph_tables(const Bank& bank) {
  constexpr std::size_t page = 5000;
  auto entity_facts = all_pages<EntityFact>([&](const EntityFact* last) {
    return bank.entity_facts(last == nullptr ? 0 : last->seq, page);
  });
  if (!entity_facts) return std::move(entity_facts).error();
  auto relationship_facts = all_pages<RelationshipFact>([&](const RelationshipFact* last) {
    return bank.relationship_facts(last == nullptr ? 0 : last->seq, page);
  });
  if (!relationship_facts) return std::move(relationship_facts).error();
  std::vector<MemoryMentions> mentions;
  std::int64_t after = 0;
  while (true) {
    auto memories = bank.page({.after_seq = after,
                               .limit = page,
                               .filter = {.kinds = {MemoryKind::memory}},
                               .with_embeddings = false});
    if (!memories) return std::move(memories).error();
    if (memories->empty()) break;
    after = memories->back().seq;
    for (Memory& memory : *memories) {
      if (!memory.entities.empty()) mentions.push_back({memory.id, std::move(memory.entities)});
    }
  }
  auto merges = bank.merges();
  if (!merges) return std::move(merges).error();
  const FoldedGraph expected =
      fold(*entity_facts, *relationship_facts, mentions, EntityMerges(*merges));

  FoldedGraph stored;
  auto entities = all_pages<Entity>(
      [&](const Entity* last) { return bank.entities(last == nullptr ? "" : last->key, page); });
  if (!entities) return std::move(entities).error();
  for (Entity& row : *entities) stored.entities.emplace(row.key, std::move(row));
  auto relationships = all_pages<Relationship>([&](const Relationship* last) {
    return bank.relationships(last == nullptr ? std::string{} : relationship_key(*last), page);
  });
  if (!relationships) return std::move(relationships).error();
  for (Relationship& row : *relationships)
    stored.relationships.emplace(relationship_key(row), std::move(row));
  auto stored_mentions = all_pages<Mention>([&](const Mention* last) {
    return bank.mentions(last == nullptr ? Mention{} : *last, page);
  });
  if (!stored_mentions) return std::move(stored_mentions).error();
  for (Mention& row : *stored_mentions)
    stored.mentions.insert({.memory = row.memory, .entity_key = std::move(row.entity_key)});

  std::vector<Difference> found;
  compare_maps(expected.entities, stored.entities, found);
  compare_maps(expected.relationships, stored.relationships, found);
  for (const Mention& mention : expected.mentions) {
    if (!stored.mentions.contains(mention))
      found.push_back(
          {mention.memory.to_string(), "mention missing", mention.entity_key, "absent"});
  }
  for (const Mention& mention : stored.mentions) {
    if (!expected.mentions.contains(mention))
      found.push_back({mention.memory.to_string(), "mention extra", "absent", mention.entity_key});
  }
  return found;
}

Result<VerificationReport> verify_migration(const MemorySource& source,
                                            const std::string& source_name, Bank& bank,
                                            const std::string& source_model,
                                            const VerifyProgress& progress) {
  return Verification(source, source_name, bank, source_model, progress).run();
}

}  // namespace bb5
