#include "stores/embedded/document_rows.hpp"

#include <algorithm>
#include <set>

#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {
namespace {

/// The two tables of facts, as document_facts.kind tells them apart.
template <class Fact>
struct FactKind;
template <>
struct FactKind<EntityFact> {
  static constexpr int number = 0;
  static constexpr const char* held = "SELECT count(*) FROM entity_facts WHERE id = ?";
};
template <>
struct FactKind<RelationshipFact> {
  static constexpr int number = 1;
  static constexpr const char* held = "SELECT count(*) FROM relationship_facts WHERE id = ?";
};

/// The document that the row names, with what it says.
Result<RetainedDocument> document_from(Connection& connection, std::int64_t number) {
  RetainedDocument document;
  BB5_TRY(connection.each(
      "SELECT source, digest, extractor, retained_at FROM documents WHERE document = ?",
      [&](const Row& row) {
        document.source = row.string(0);
        document.digest = std::string(row.blob(1));
        document.extractor = row.string(2);
        document.retained_at = row.maybe_time(3).value_or(Timestamp{});
      },
      number));
  BB5_TRY(connection.each(
      "SELECT m.id FROM document_memories d JOIN memories m ON m.seq = d.memory_seq "
      "WHERE d.document = ? ORDER BY d.place",
      [&](const Row& row) { document.memories.push_back({row.uuid(0)}); }, number));
  BB5_TRY(connection.each(
      "SELECT kind, fact FROM document_facts WHERE document = ? ORDER BY kind, place",
      [&](const Row& row) {
        auto& facts = row.integer(0) == FactKind<EntityFact>::number ? document.entity_facts
                                                                     : document.relationship_facts;
        facts.push_back({row.uuid(1)});
      },
      number));
  return document;
}

}  // namespace

Result<std::optional<RetainedDocument>> read_document(Connection& connection,
                                                      std::string_view source) {
  auto number = connection.integer("SELECT document FROM documents WHERE source = ?", source);
  if (!number) return std::move(number).error();
  if (*number == 0) return std::optional<RetainedDocument>{};
  auto document = document_from(connection, *number);
  if (!document) return std::move(document).error();
  return std::optional(std::move(*document));
}

Result<std::vector<RetainedDocument>> page_of_documents(Connection& connection,
                                                        std::string_view after_source,
                                                        std::size_t limit) {
  std::vector<std::int64_t> numbers;
  BB5_TRY(connection.each(
      "SELECT document FROM documents WHERE source > ? ORDER BY source LIMIT ?",
      [&](const Row& row) { numbers.push_back(row.integer(0)); }, after_source, limit_of(limit)));
  std::vector<RetainedDocument> documents;
  for (const std::int64_t number : numbers) {
    auto document = document_from(connection, number);
    if (!document) return std::move(document).error();
    documents.push_back(std::move(*document));
  }
  return documents;
}

Result<std::int64_t> count_sayings(Connection& connection, const MemoryId& memory) {
  return connection.integer(
      "SELECT count(*) FROM document_memories WHERE memory_seq = (SELECT seq FROM memories WHERE "
      "id = ?)",
      memory);
}

Result<std::vector<Standing>> read_standings(Connection& connection,
                                             std::span<const MemoryId> memories) {
  std::vector<Standing> standings;
  standings.reserve(memories.size());
  for (const MemoryId& id : memories) {
    auto standing = connection.integer("SELECT standing FROM memories WHERE id = ?", id);
    if (!standing) return std::move(standing).error();
    standings.push_back(static_cast<Standing>(*standing));
  }
  return standings;
}

Result<> forget_memory(Connection& connection, std::int64_t memory_seq) {
  return connection.run("DELETE FROM document_memories WHERE memory_seq = ?", memory_seq);
}

Result<> DocumentWriter::open() {
  BB5_TRY(read_former());
  const auto& memories = change_.document.memories;
  said_.insert(memories.begin(), memories.end());
  for (const MemoryId& id : said_) {
    auto standing = connection_.integer("SELECT standing FROM memories WHERE id = ?", id);
    if (!standing) return std::move(standing).error();
    if (static_cast<Standing>(*standing) == Standing::unsaid)
      BB5_TRY(set_end(id, std::nullopt, Standing::said));
  }
  return ok();
}

Result<> DocumentWriter::read_former() {
  std::optional<std::string> digest;
  BB5_TRY(connection_.each(
      "SELECT document, digest FROM documents WHERE source = ?",
      [&](const Row& row) {
        document_ = row.integer(0);
        digest = std::string(row.blob(1));
      },
      change_.document.source));
  BB5_TRY(check_follows(change_, digest));
  if (document_ == 0) return ok();
  BB5_TRY(connection_.each(
      "SELECT place, memory_seq FROM document_memories WHERE document = ?",
      [&](const Row& row) { former_memories_.emplace(row.integer(0), row.integer(1)); },
      document_));
  return connection_.each(
      "SELECT kind, place, fact FROM document_facts WHERE document = ?",
      [&](const Row& row) {
        auto& facts = row.integer(0) == FactKind<EntityFact>::number ? former_entity_facts_
                                                                     : former_relationship_facts_;
        facts.emplace(row.integer(1), FactId{row.uuid(2)});
      },
      document_);
}

Result<> DocumentWriter::put() {
  auto seqs = seqs_of_memories();
  if (!seqs) return std::move(seqs).error();
  BB5_TRY(write_row());
  BB5_TRY(write_memories(*seqs));
  const RetainedDocument& document = change_.document;
  BB5_TRY(write_facts<EntityFact>(document.entity_facts, former_entity_facts_));
  return write_facts<RelationshipFact>(document.relationship_facts, former_relationship_facts_);
}

Result<> DocumentWriter::close(std::span<const EntityFact> entity_facts,
                               std::span<const RelationshipFact> relationship_facts) {
  const RetainedDocument& document = change_.document;
  BB5_TRY(erase_unsaid(entity_facts, document.entity_facts, former_entity_facts_));
  BB5_TRY(
      erase_unsaid(relationship_facts, document.relationship_facts, former_relationship_facts_));
  return close_unsaid();
}

Result<std::vector<std::int64_t>> DocumentWriter::seqs_of_memories() {
  std::vector<std::int64_t> seqs;
  seqs.reserve(change_.document.memories.size());
  for (const MemoryId& id : change_.document.memories) {
    auto seq = connection_.integer("SELECT seq FROM memories WHERE id = ?", id);
    if (!seq) return std::move(seq).error();
    if (*seq == 0) return names_nothing(change_.document, id);
    seqs.push_back(*seq);
  }
  return seqs;
}

Result<> DocumentWriter::write_row() {
  const RetainedDocument& document = change_.document;
  auto number = connection_.integer(
      "INSERT INTO documents (source, digest, extractor, retained_at) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, extractor = "
      "excluded.extractor, retained_at = excluded.retained_at RETURNING document",
      document.source, Blob{document.digest}, document.extractor, document.retained_at);
  if (!number) return std::move(number).error();
  document_ = *number;
  return ok();
}

// Places that stay as they are cost nothing: a conversation grows at its end.
Result<> DocumentWriter::write_memories(const std::vector<std::int64_t>& seqs) {
  const auto count = std::ssize(seqs);
  for (std::int64_t place = 0; place < count; ++place) {
    const std::int64_t seq = seqs[static_cast<std::size_t>(place)];
    const auto former = former_memories_.find(place);
    if (former != former_memories_.end() && former->second == seq) continue;
    BB5_TRY(connection_.run(
        "INSERT OR REPLACE INTO document_memories (document, place, memory_seq) VALUES (?, ?, ?)",
        document_, place, seq));
  }
  return connection_.run("DELETE FROM document_memories WHERE document = ? AND place >= ?",
                         document_, count);
}

template <class Fact>
Result<> DocumentWriter::write_facts(const std::vector<FactId>& named, const FactIds& former) {
  using Kind = FactKind<Fact>;
  std::unordered_set<FactId> seen;
  const auto count = std::ssize(named);
  for (std::int64_t place = 0; place < count; ++place) {
    const FactId& id = named[static_cast<std::size_t>(place)];
    if (seen.insert(id).second) {
      auto held = connection_.integer(Kind::held, id);
      if (!held) return std::move(held).error();
      if (*held == 0) return names_nothing(change_.document, id);
    }
    const auto before = former.find(place);
    if (before != former.end() && before->second == id) continue;
    BB5_TRY(connection_.run(
        "INSERT OR REPLACE INTO document_facts (document, kind, place, fact) VALUES (?, ?, ?, ?)",
        document_, Kind::number, place, id));
  }
  return connection_.run(
      "DELETE FROM document_facts WHERE document = ? AND kind = ? AND place >= ?", document_,
      Kind::number, count);
}

template <class Fact>
Result<> DocumentWriter::erase_unsaid(std::span<const Fact> written,
                                      const std::vector<FactId>& named, const FactIds& former) {
  if (former.empty()) return ok();
  using Kind = FactKind<Fact>;
  std::unordered_set<FactId> kept(named.begin(), named.end());
  for (const Fact& fact : written) kept.insert(fact.id);
  for (const auto& [place, id] : former) {
    if (!kept.insert(id).second) continue;
    auto others = connection_.integer(
        "SELECT count(*) FROM document_facts WHERE fact = ? AND kind = ?", id, Kind::number);
    if (!others) return std::move(others).error();
    if (*others == 0) BB5_TRY(facts_.template erase<Fact>(id));
  }
  return ok();
}

Result<> DocumentWriter::close_unsaid() {
  std::set<std::int64_t> candidates;
  for (const auto& [place, seq] : former_memories_) candidates.insert(seq);
  const Timestamp moment = change_.document.retained_at;
  for (const std::int64_t seq : candidates) {
    auto id = connection_.first(
        "SELECT id FROM memories WHERE seq = ?1 AND standing = ?2 AND (valid_until IS NULL OR "
        "valid_until > ?3) AND NOT EXISTS (SELECT 1 FROM document_memories WHERE memory_seq = ?1)",
        [](const Row& row) { return MemoryId{row.uuid(0)}; }, seq, Standing::said, moment);
    if (!id) return std::move(id).error();
    if (*id) BB5_TRY(set_end(**id, moment, Standing::unsaid));
  }
  return ok();
}

Result<> DocumentWriter::set_end(const MemoryId& id, std::optional<Timestamp> end,
                                 Standing standing) {
  auto memories = get_memories(connection_, std::span(&id, 1), true);
  if (!memories) return std::move(memories).error();
  changed_memories_ = true;
  Memory& memory = memories->front();
  memory.valid_until = end;
  return connection_.run(
      "UPDATE memories SET valid_until = ?, standing = ?, record_hash = ? WHERE seq = ?", end,
      standing, Blob{record_hash(memory)}, memory.seq);
}

}  // namespace bb5::embedded
