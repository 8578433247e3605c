#include "stores/postgres/documents.hpp"

#include <unordered_map>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/copy_writer.hpp"
#include "stores/postgres/graph_rows.hpp"

namespace bb5::postgres {
namespace {

/// Documents `d` with what they say.
std::string select_documents(std::string_view rest) {
  return fmt::format(
      "SELECT d.source, d.digest, d.extractor, d.retained_at,"
      " ARRAY(SELECT m.memory_id FROM {{bank}}.document_memories m WHERE m.document = d.document"
      " ORDER BY m.place),"
      " ARRAY(SELECT f.fact_id FROM {{bank}}.document_facts f WHERE f.document = d.document AND "
      "f.kind = 0 ORDER BY f.place),"
      " ARRAY(SELECT f.fact_id FROM {{bank}}.document_facts f WHERE f.document = d.document AND "
      "f.kind = 1 ORDER BY f.place)"
      " FROM {{bank}}.documents d {}",
      rest);
}

template <class Id>
std::vector<Id> ids_of(const std::vector<Uuid>& uuids) {
  std::vector<Id> ids;
  ids.reserve(uuids.size());
  for (const Uuid& uuid : uuids) ids.push_back({uuid});
  return ids;
}

RetainedDocument read_row(const Rows& rows, int row) {
  return {.source = rows.text(row, 0),
          .digest = rows.text(row, 1),
          .extractor = rows.text(row, 2),
          .retained_at = rows.timestamptz(row, 3),
          .memories = ids_of<MemoryId>(read_uuids(rows.field(row, 4))),
          .entity_facts = ids_of<FactId>(read_uuids(rows.field(row, 5))),
          .relationship_facts = ids_of<FactId>(read_uuids(rows.field(row, 6)))};
}

/// Places at which the new list has something else than the former one, or nothing.
template <class Id>
std::vector<std::int64_t> outdated(const FormerDocument::Places& former,
                                   const std::vector<Id>& now) {
  std::vector<std::int64_t> places;
  for (const auto& [place, uuid] : former) {
    const auto at = static_cast<std::size_t>(place);
    if (at >= now.size() || now[at].uuid != uuid) places.push_back(place);
  }
  return places;
}

template <class Id>
bool stays(const FormerDocument::Places& former, const std::vector<Id>& now, std::size_t place) {
  const auto found = former.find(static_cast<std::int32_t>(place));
  return found != former.end() && found->second == now[place].uuid;
}

}  // namespace

Documents::Documents(const Database& database)
    : database_(database),
      lock_key_(database.names().lock_key("documents")),
      memories_table_(database.names().sql("{bank}.document_memories")),
      facts_table_(database.names().sql("{bank}.document_facts")),
      document_(database.names().sql(select_documents("WHERE d.source_id = $1"))),
      // The index sorts by the first 600 characters; equal beginnings are compared in full.
      documents_(database.names().sql(select_documents(
          "WHERE left(d.source, 600) >= left($1, 600) COLLATE \"C\" AND d.source > $1 COLLATE "
          "\"C\" ORDER BY left(d.source, 600), d.source LIMIT $2"))),
      times_said_(database.names().sql(
          "SELECT count(*) FROM {bank}.document_memories WHERE memory_id = $1")),
      standings_(
          database.names().sql("SELECT id, standing FROM {bank}.memories WHERE id = ANY($1)")),
      digest_(database.names().sql(
          "SELECT digest, retained_at FROM {bank}.documents WHERE source_id = $1")),
      lock_("SELECT pg_advisory_xact_lock($1)"),
      former_(database.names().sql(
          "SELECT document, digest FROM {bank}.documents WHERE source_id = $1")),
      former_memories_(database.names().sql(
          "SELECT m.place, m.memory_id FROM {bank}.documents d JOIN {bank}.document_memories m "
          "USING (document) WHERE d.source_id = $1")),
      former_facts_(database.names().sql(
          "SELECT f.kind, f.place, f.fact_id FROM {bank}.documents d JOIN {bank}.document_facts f "
          "USING (document) WHERE d.source_id = $1")),
      put_(database.names().sql(
          "INSERT INTO {bank}.documents (source_id, source, digest, extractor, retained_at)"
          " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (source_id) DO UPDATE SET digest = "
          "excluded.digest, extractor = excluded.extractor, retained_at = excluded.retained_at"
          " RETURNING document")),
      delete_memories_(database.names().sql(
          "DELETE FROM {bank}.document_memories WHERE document = $1 AND place = ANY($2)")),
      delete_facts_(database.names().sql(
          "DELETE FROM {bank}.document_facts WHERE document = $1 AND kind = $2 AND place = "
          "ANY($3)")),
      memories_elsewhere_(database.names().sql(
          "SELECT DISTINCT memory_id FROM {bank}.document_memories WHERE memory_id = ANY($1) AND "
          "document <> ALL($2)")),
      facts_elsewhere_(database.names().sql(
          "SELECT DISTINCT fact_id FROM {bank}.document_facts WHERE fact_id = ANY($1) AND kind = "
          "$2 AND document <> ALL($3)")),
      forget_memory_(
          database.names().sql("DELETE FROM {bank}.document_memories WHERE memory_id = $1")),
      forget_facts_(database.names().sql(
          "DELETE FROM {bank}.document_facts WHERE fact_id = ANY($1) AND kind = $2")) {}

Result<std::optional<RetainedDocument>> Documents::document(std::string_view source) const {
  auto rows = database_.read("read a document", document_, Params().uuid(text_id(source)));
  if (!rows) return std::move(rows).error();
  if (rows->empty()) return std::optional<RetainedDocument>{};
  return std::optional(read_row(*rows, 0));
}

Result<std::vector<RetainedDocument>> Documents::documents(std::string_view after_source,
                                                           std::size_t limit) const {
  auto rows = database_.read("read documents", documents_,
                             Params().text(to_storable_utf8(after_source)).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&r = *rows](int row) { return read_row(r, row); });
}

Result<std::int64_t> Documents::times_said(const MemoryId& memory) const {
  auto rows = database_.read("count what says a memory", times_said_, Params().uuid(memory.uuid));
  if (!rows) return std::move(rows).error();
  return rows->int8(0, 0);
}

Result<std::vector<Standing>> Documents::standings(std::span<const MemoryId> memories) const {
  std::vector<Uuid> uuids;
  for (const MemoryId& id : memories) uuids.push_back(id.uuid);
  auto rows = database_.read("read what memories rest on", standings_, Params().uuids(uuids));
  if (!rows) return std::move(rows).error();
  std::unordered_map<Uuid, Standing> held;
  for (int row = 0; row < rows->size(); ++row)
    held.emplace(rows->uuid(row, 0), static_cast<Standing>(rows->int2(row, 1)));
  std::vector<Standing> found;
  for (const Uuid& uuid : uuids) {
    const auto standing = held.find(uuid);
    found.push_back(standing == held.end() ? Standing::by_itself : standing->second);
  }
  return found;
}

Result<bool> Documents::holds(const RetainedDocument& document) const {
  auto rows = database_.read("look for a document that may have been written", digest_,
                             Params().uuid(text_id(document.source)));
  if (!rows) return std::move(rows).error();
  return !rows->empty() && rows->field(0, 0) == document.digest &&
         rows->timestamptz(0, 1) == document.retained_at;
}

Result<std::vector<FormerDocument>> Documents::begin(
    Transaction& transaction, std::span<const DocumentChange> changes) const {
  std::vector<Command> commands = {lock()};
  for (const DocumentChange& change : changes) {
    const Uuid source = text_id(change.document.source);
    commands.push_back({former_, Params().uuid(source)});
    // What was not known has no rows.
    if (!change.previous_digest) continue;
    commands.push_back({former_memories_, Params().uuid(source)});
    commands.push_back({former_facts_, Params().uuid(source)});
  }
  auto answers = transaction.run(commands);
  if (!answers) return std::move(answers).error();
  std::vector<FormerDocument> formers;
  auto answer = answers->begin() + 1;
  for (const DocumentChange& change : changes) {
    const Rows& row = *answer++;
    BB5_TRY(check_follows(change, row.empty() ? std::nullopt : std::optional(row.text(0, 1))));
    FormerDocument& former = formers.emplace_back();
    if (!change.previous_digest) continue;
    former.number = row.int8(0, 0);
    const Rows& memories = *answer++;
    for (int i = 0; i < memories.size(); ++i)
      former.memories.emplace(memories.int4(i, 0), memories.uuid(i, 1));
    const Rows& facts = *answer++;
    for (int i = 0; i < facts.size(); ++i) {
      auto& places = facts.int2(i, 0) == 0 ? former.entity_facts : former.relationship_facts;
      places.emplace(facts.int4(i, 1), facts.uuid(i, 2));
    }
  }
  return formers;
}

Result<> Documents::write(Transaction& transaction, std::span<const DocumentChange> changes,
                          const std::vector<FormerDocument>& former) const {
  auto numbers = put(transaction, changes, former);
  if (!numbers) return std::move(numbers).error();

  CopyWriter sayings(transaction, memories_table_, "document, place, memory_id", 3);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::vector<MemoryId>& memories = changes[i].document.memories;
    for (std::size_t place = 0; place < memories.size(); ++place) {
      if (stays(former[i].memories, memories, place)) continue;
      FieldWriter& fields = sayings.row();
      fields.int8((*numbers)[i]);
      fields.int4(static_cast<std::int32_t>(place));
      fields.uuid(memories[place].uuid);
      BB5_TRY(sayings.send_if_full());
    }
  }
  BB5_TRY(sayings.finish());

  CopyWriter facts(transaction, facts_table_, "document, kind, place, fact_id", 4);
  const auto copy = [&](std::int64_t number, std::int16_t kind,
                        const FormerDocument::Places& before,
                        const std::vector<FactId>& ids) -> Result<> {
    for (std::size_t place = 0; place < ids.size(); ++place) {
      if (stays(before, ids, place)) continue;
      FieldWriter& fields = facts.row();
      fields.int8(number);
      fields.int2(kind);
      fields.int4(static_cast<std::int32_t>(place));
      fields.uuid(ids[place].uuid);
      BB5_TRY(facts.send_if_full());
    }
    return ok();
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const RetainedDocument& document = changes[i].document;
    BB5_TRY(copy((*numbers)[i], 0, former[i].entity_facts, document.entity_facts));
    BB5_TRY(copy((*numbers)[i], 1, former[i].relationship_facts, document.relationship_facts));
  }
  return facts.finish();
}

/// The documents' own rows, and without what is at places where something else stands now: their
/// numbers.
Result<std::vector<std::int64_t>> Documents::put(Transaction& transaction,
                                                 std::span<const DocumentChange> changes,
                                                 const std::vector<FormerDocument>& former) const {
  std::vector<Command> commands;
  for (const DocumentChange& change : changes) {
    const RetainedDocument& document = change.document;
    commands.push_back({put_, Params()
                                  .uuid(text_id(document.source))
                                  .text(document.source)
                                  .bytes(document.digest)
                                  .text(document.extractor)
                                  .timestamptz(document.retained_at)});
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const RetainedDocument& document = changes[i].document;
    const std::int64_t number = former[i].number;
    const auto memories = outdated(former[i].memories, document.memories);
    const auto entities = outdated(former[i].entity_facts, document.entity_facts);
    const auto relationships = outdated(former[i].relationship_facts, document.relationship_facts);
    if (!memories.empty())
      commands.push_back({delete_memories_, Params().int8(number).int8s(memories)});
    if (!entities.empty())
      commands.push_back({delete_facts_, Params().int8(number).int2(0).int8s(entities)});
    if (!relationships.empty())
      commands.push_back({delete_facts_, Params().int8(number).int2(1).int8s(relationships)});
  }
  auto answers = transaction.run(commands);
  if (!answers) return std::move(answers).error();
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < changes.size(); ++i) numbers.push_back((*answers)[i].int8(0, 0));
  return numbers;
}

namespace {

std::vector<std::int64_t> numbers_of(const std::vector<FormerDocument>& documents) {
  std::vector<std::int64_t> numbers;
  for (const FormerDocument& document : documents) numbers.push_back(document.number);
  return numbers;
}

}  // namespace

Command Documents::memories_said_elsewhere(const std::vector<Uuid>& memories,
                                           const std::vector<FormerDocument>& former) const {
  return {memories_elsewhere_, Params().uuids(memories).int8s(numbers_of(former))};
}

Command Documents::facts_elsewhere(const std::vector<Uuid>& facts, std::int16_t kind,
                                   const std::vector<FormerDocument>& former) const {
  return {facts_elsewhere_, Params().uuids(facts).int2(kind).int8s(numbers_of(former))};
}

Command Documents::lock() const {
  return {lock_, Params().int8(lock_key_)};
}

Command Documents::forget_memory(const MemoryId& memory) const {
  return {forget_memory_, Params().uuid(memory.uuid)};
}

Command Documents::forget_facts(const std::vector<Uuid>& facts, std::int16_t kind) const {
  return {forget_facts_, Params().uuids(facts).int2(kind)};
}

}  // namespace bb5::postgres
