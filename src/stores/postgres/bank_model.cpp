#include "stores/postgres/bank_model.hpp"

#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "base/fail_point.hpp"
#include "base/utf8.hpp"
#include "stores/postgres/copy_writer.hpp"
#include "stores/postgres/indexes.hpp"
#include "stores/postgres/memory_rows.hpp"

namespace bb5::postgres {
namespace {

constexpr auto as_long_as_it_takes = std::chrono::hours(24 * 30);
constexpr std::int64_t rows_a_page = 500;
// A row whose vector lies in it must fit an 8 kB page with all that cannot move out; above, the
// vector moves out whole, uncompressed, since floats do not compress.
constexpr std::size_t largest_inline_dimension = 1'800;

/// Memories that a change of the model is about.
constexpr std::string_view takes_part = "(m.kind = 0 OR m.vector_state = 1)";

/// $1: the model.
std::string lacks() {
  return fmt::format(
      "{} AND $1 <> (SELECT model FROM {{bank}}.bank_info) AND NOT EXISTS (SELECT FROM "
      "{{bank}}.other_vectors o WHERE o.memory_id = m.id AND o.model = $1)",
      takes_part);
}

/// The column's own type checks lengths; and rows get the storage that suits them.
std::string alter_vectors(const std::string& type, bool inline_rows) {
  return fmt::format(
      "ALTER TABLE {{bank}}.memories ALTER COLUMN embedding TYPE {{vector}}.{}, ALTER COLUMN "
      "embedding SET STORAGE {}",
      type, inline_rows ? "PLAIN" : "EXTERNAL");
}
std::string alter_vectors(std::size_t dimension) {
  return alter_vectors(fmt::format("vector({})", dimension), dimension <= largest_inline_dimension);
}

EmbedderInfo read_embedder(const Rows& rows) {
  return {rows.text(0, 0), static_cast<std::size_t>(rows.int4(0, 1))};
}

Result<> check_embedder(const EmbedderInfo& embedder) {
  if (embedder.dimension == 0 || embedder.dimension > 16'000 || embedder.model.empty()) {
    return Error{
        Errc::invalid_argument,
        fmt::format("an embedder needs a name and 1 to 16000 numbers, not {}", embedder.dimension)};
  }
  if (!is_storable_utf8(embedder.model))
    return Error{Errc::invalid_argument, "an embedder's name must be UTF-8 text"};
  return ok();
}

std::vector<Uuid> uuids_of(std::span<const MadeVector> vectors) {
  std::vector<Uuid> uuids;
  for (const MadeVector& vector : vectors) uuids.push_back(vector.id.uuid);
  return uuids;
}

}  // namespace

BankModel::BankModel(const Database& database)
    : database_(database),
      shared_embedder_(
          database.names().sql("SELECT model, dimension FROM {bank}.bank_info FOR KEY SHARE")),
      locked_embedder_(
          database.names().sql("SELECT model, dimension FROM {bank}.bank_info FOR UPDATE")),
      set_embedder_(database.names().sql("UPDATE {bank}.bank_info SET model = $1, dimension = $2, "
                                         "vector_index = 'none', index_recall = NULL")),
      forget_model_(database.names().sql("DELETE FROM {bank}.other_vectors WHERE model = $1")),
      locked_without_vectors_(database.names().sql(fmt::format(
          "SELECT {} FROM {{bank}}.memories m WHERE m.id = ANY($1) ORDER BY m.id FOR UPDATE",
          memory_select_list("m.", false)))),
      give_vector_(database.names().sql(
          "UPDATE {bank}.memories SET embedding = $2::{vector}.vector, vector_state = $3, "
          "record_hash = $4, raw = $5 WHERE id = $1")),
      lack_(database.names().sql(
          "SELECT count(*), coalesce(sum(octet_length(m.content)), 0)::bigint FROM "
          "{bank}.memories m WHERE " +
          lacks())),
      lacking_(database.names().sql(fmt::format(
          "SELECT {} FROM {{bank}}.memories m WHERE m.seq > $2 AND {} ORDER BY m.seq LIMIT $3",
          memory_select_list("m.", false), lacks()))),
      contents_(database.names().sql(
          "SELECT id, content FROM {bank}.memories WHERE id = ANY($1) ORDER BY id FOR SHARE")),
      hold_(database.names().sql(
          "INSERT INTO {bank}.other_vectors (memory_id, model, embedding) VALUES ($1, $2, "
          "$3::{vector}.vector) ON CONFLICT DO NOTHING")),
      held_(database.names().sql(
          "SELECT m.seq, m.id, m.content, o.embedding FROM {bank}.other_vectors o JOIN "
          "{bank}.memories m ON m.id = o.memory_id WHERE o.model = $1 AND m.seq > $2 ORDER BY "
          "m.seq LIMIT $3")),
      unfit_(database.names().sql("SELECT count(*) FROM {bank}.other_vectors WHERE model = $1 AND "
                                  "{vector}.vector_dims(embedding) <> $2")),
      keep_present_(database.names().sql(
          "INSERT INTO {bank}.other_vectors (memory_id, model, embedding) SELECT id, $1, embedding "
          "FROM {bank}.memories WHERE embedding IS NOT NULL")),
      exchangeable_(database.names().sql(fmt::format(
          "SELECT {}, o.embedding FROM {{bank}}.memories m JOIN {{bank}}.other_vectors o ON "
          "o.memory_id = m.id AND o.model = $1 WHERE m.seq > $2 AND {} ORDER BY m.seq LIMIT $3",
          memory_select_list("m.", true), takes_part))),
      exchange_(database.names().sql(
          "UPDATE {bank}.memories m SET embedding = o.embedding, vector_state = 1, raw = CASE WHEN "
          "m.vector_state = 1 THEN m.raw ELSE coalesce(m.raw, '') END, record_hash = "
          "x.record_hash, "
          "given_model = x.given_model FROM pg_temp.exchanged x JOIN {bank}.other_vectors o ON "
          "o.memory_id = x.id AND o.model = $1 WHERE m.id = x.id")),
      given_(database.names().sql(fmt::format(
          "SELECT {} FROM {{bank}}.memories m WHERE m.seq > $1 AND m.given_model <> '' ORDER BY "
          "m.seq LIMIT $2",
          memory_select_list("m.", true)))),
      drop_given_(database.names().sql(
          "UPDATE {bank}.memories SET given_model = '', record_hash = $2 WHERE id = $1")),
      drop_all_(database.names().sql("DELETE FROM {bank}.other_vectors")) {}

Result<> BankModel::record(const EmbedderInfo& embedder) const {
  BB5_TRY(check_embedder(embedder));
  // Rows that are there have no vector yet, and get the column's new type all the same.
  const std::string alter = database_.names().sql(alter_vectors(embedder.dimension));
  return database_.transact<std::monostate>(
      "record the bank's embedder", [&](Transaction& transaction) -> Result<> {
        transaction.connection().set_patience(as_long_as_it_takes);
        transaction.number_with_next_run();
        auto rows = transaction.run(locked_embedder_);
        if (!rows) return std::move(rows).error();
        const EmbedderInfo now = read_embedder(*rows);
        if (now == embedder) return ok();
        if (now.dimension != 0) return other_embedder(now);
        const Command commands[] = {
            {set_embedder_,
             Params().text(embedder.model).int4(static_cast<std::int32_t>(embedder.dimension))},
            {forget_model_, Params().text(embedder.model)}};
        BB5_TRY(transaction.run(commands));
        if (!transaction.connection().execute(alter)) return transaction.error();
        return ok();
      });
}

Result<std::int64_t> BankModel::give_vectors(const EmbedderInfo& embedder,
                                             std::span<const MadeVector> vectors) const {
  BB5_TRY(check_lengths(vectors, embedder.dimension));
  std::unordered_map<MemoryId, const MadeVector*> vector_of;
  for (const MadeVector& vector : vectors) vector_of.emplace(vector.id, &vector);
  return database_.transact<std::int64_t>(
      "give memories their vectors", [&](Transaction& transaction) -> Result<std::int64_t> {
        transaction.number_with_next_run();
        const Command looks[] = {{shared_embedder_},
                                 {locked_without_vectors_, Params().uuids(uuids_of(vectors))}};
        auto answers = transaction.run(looks);
        if (!answers) return std::move(answers).error();
        const EmbedderInfo recorded = read_embedder((*answers)[0]);
        if (recorded != embedder) return other_embedder(recorded);
        std::vector<Command> updates;
        for (Memory& memory : read_memories((*answers)[1])) {
          const MadeVector& vector = *vector_of.at(memory.id);
          auto given = with_vector(std::move(memory), vector);
          if (!given) return std::move(given).error();
          if (!*given) continue;
          updates.push_back(
              {give_vector_, Params()
                                 .uuid(vector.id.uuid)
                                 .vector((*given)->embedding)
                                 .int2(static_cast<std::int16_t>((*given)->vector_state))
                                 .bytes(record_hash(**given))
                                 .bytes((*given)->raw->text)});
        }
        BB5_TRY(run_in_trips(transaction, updates));
        return std::ssize(updates);
      });
}

Result<OtherVectors::Lack> BankModel::lack_of(std::string_view model) const {
  auto rows = database_.read("count vectors that are lacking", lack_,
                             Params().text(to_storable_utf8(model)));
  if (!rows) return std::move(rows).error();
  return OtherVectors::Lack{rows->int8(0, 0), rows->int8(0, 1)};
}

Result<std::vector<Memory>> BankModel::lacking(std::string_view model, std::int64_t after_seq,
                                               std::size_t limit) const {
  auto rows =
      database_.read("look for vectors that are lacking", lacking_,
                     Params().text(to_storable_utf8(model)).int8(after_seq).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return read_memories(*rows);
}

Result<std::int64_t> BankModel::hold(const EmbedderInfo& of,
                                     std::span<const MadeVector> vectors) const {
  BB5_TRY(check_embedder(of));
  BB5_TRY(check_lengths(vectors, of.dimension));
  BB5_TRY(check_numbers(vectors));
  std::unordered_map<MemoryId, const MadeVector*> vector_of;
  for (const MadeVector& vector : vectors) vector_of.emplace(vector.id, &vector);
  return database_.transact<std::int64_t>(
      "keep vectors of another model", [&](Transaction& transaction) -> Result<std::int64_t> {
        transaction.number_with_next_run();
        const Command looks[] = {{shared_embedder_},
                                 {contents_, Params().uuids(uuids_of(vectors))}};
        auto answers = transaction.run(looks);
        if (!answers) return std::move(answers).error();
        if (read_embedder((*answers)[0]).model == of.model) return own_model(of.model);
        const Rows& contents = (*answers)[1];
        std::vector<Command> inserts;
        for (int row = 0; row < contents.size(); ++row) {
          const MadeVector& vector = *vector_of.at(MemoryId{contents.uuid(row, 0)});
          if (content_sha256_of(contents.field(row, 1)) != vector.content_sha256) continue;
          inserts.push_back(
              {hold_, Params().uuid(vector.id.uuid).text(of.model).vector(vector.embedding)});
        }
        return run_in_trips(transaction, inserts);
      });
}

Result<std::vector<OtherVectors::Held>> BankModel::held(std::string_view model,
                                                        std::int64_t after_seq,
                                                        std::size_t limit) const {
  auto rows =
      database_.read("read vectors of another model", held_,
                     Params().text(to_storable_utf8(model)).int8(after_seq).int8(limit_of(limit)));
  if (!rows) return std::move(rows).error();
  return rows->collect([&](int row) {
    return OtherVectors::Held{rows->int8(row, 0),
                              {MemoryId{rows->uuid(row, 1)}, content_sha256_of(rows->field(row, 2)),
                               read_vector(rows->field(row, 3))}};
  });
}

/// One change of the model, in its transaction.
class BankModel::Change {
 public:
  Change(const BankModel& bank, Transaction& transaction, const EmbedderInfo& present,
         const EmbedderInfo& next)
      : bank_(bank), transaction_(transaction), present_(present), next_(next) {}

  Result<> run() {
    BB5_TRY(foresee_records());
    BB5_TRY(transaction_.run(bank_.keep_present_, Params().text(present_.model)));
    // An index over vectors of one length cannot take the others.
    BB5_TRY(execute(Indexes::drop_vectors_sql()));
    BB5_TRY(execute(alter_vectors("vector", false)));
    const Command commands[] = {
        {bank_.exchange_, Params().text(next_.model)},
        {bank_.forget_model_, Params().text(next_.model)},
        {bank_.set_embedder_,
         Params().text(next_.model).int4(static_cast<std::int32_t>(next_.dimension))}};
    BB5_TRY(transaction_.run(commands));
    return execute(alter_vectors(next_.dimension));
  }

 private:
  /// The hashes that the records will have, and of which models the vectors are that they came
  /// with.
  Result<> foresee_records() {
    BB5_TRY(
        execute("CREATE TEMP TABLE exchanged (id uuid PRIMARY KEY, record_hash bytea NOT NULL, "
                "given_model text) ON COMMIT DROP"));
    for (std::int64_t after = 0;;) {
      auto rows = transaction_.run(bank_.exchangeable_,
                                   Params().text(next_.model).int8(after).int8(rows_a_page));
      if (!rows) return std::move(rows).error();
      if (rows->empty()) return ok();
      CopyWriter copy(transaction_, "pg_temp.exchanged", "id, record_hash, given_model", 3);
      for (int row = 0; row < rows->size(); ++row) {
        auto memory = with_model_changed(read_memory(*rows, row), present_.model, next_.model,
                                         read_vector(rows->field(row, memory_select_count)));
        if (!memory) return std::move(memory).error();
        after = memory->seq;
        FieldWriter& fields = copy.row();
        fields.uuid(memory->id.uuid);
        fields.bytes(record_hash(*memory));
        memory->given ? fields.text(memory->given->model) : fields.null();
        BB5_TRY(copy.send_if_full());
      }
      BB5_TRY(copy.finish());
    }
  }

  Result<> execute(const std::string& sql) {
    if (transaction_.connection().execute(bank_.database_.names().sql(sql))) return ok();
    return transaction_.error();
  }

  const BankModel& bank_;
  Transaction& transaction_;
  const EmbedderInfo& present_;
  const EmbedderInfo& next_;
};

Result<std::int64_t> BankModel::change(const EmbedderInfo& next) const {
  BB5_TRY(check_embedder(next));
  const std::string lock_memories =
      database_.names().sql("LOCK TABLE {bank}.memories IN ACCESS EXCLUSIVE MODE");
  return database_.transact<std::int64_t>(
      "change the bank's model", [&](Transaction& transaction) -> Result<std::int64_t> {
        transaction.connection().set_patience(as_long_as_it_takes);
        transaction.number_with_next_run();
        BB5_TRY(Indexes::keep_others_from_deriving(database_, transaction));
        auto rows = transaction.run(locked_embedder_);
        if (!rows) return std::move(rows).error();
        const EmbedderInfo present = read_embedder(*rows);
        if (present == next) return 0;
        if (present.model == next.model) return other_embedder(present);
        if (!transaction.connection().execute(lock_memories)) return transaction.error();
        auto lack = transaction.run(lack_, Params().text(next.model));
        if (!lack) return std::move(lack).error();
        if (lack->int8(0, 0) > 0) return lack->int8(0, 0);
        auto unfit = transaction.run(
            unfit_, Params().text(next.model).int4(static_cast<std::int32_t>(next.dimension)));
        if (!unfit) return std::move(unfit).error();
        if (unfit->int8(0, 0) > 0) return of_several_lengths(next);
        BB5_TRY(Change(*this, transaction, present, next).run());
        fail_point("change_model.before_commit");
        return 0;
      });
}

Result<std::int64_t> BankModel::drop_others() const {
  const std::string lock_out_writers =
      database_.names().sql("LOCK TABLE {bank}.memories IN EXCLUSIVE MODE");
  return database_.transact<std::int64_t>(
      "drop vectors of other models", [&](Transaction& transaction) -> Result<std::int64_t> {
        transaction.connection().set_patience(as_long_as_it_takes);
        transaction.number_with_next_run();
        BB5_TRY(transaction.run(locked_embedder_));
        // Readers go on. Locks on the rows alone would be taken in another order than writers have.
        if (!transaction.connection().execute(lock_out_writers)) return transaction.error();
        for (std::int64_t after = 0;;) {
          auto rows = transaction.run(given_, Params().int8(after).int8(rows_a_page));
          if (!rows) return std::move(rows).error();
          if (rows->empty()) break;
          std::vector<Command> updates;
          for (Memory& memory : read_memories(*rows)) {
            after = memory.seq;
            memory.given.emplace();
            updates.push_back(
                {drop_given_, Params().uuid(memory.id.uuid).bytes(record_hash(memory))});
          }
          BB5_TRY(run_in_trips(transaction, updates));
        }
        auto dropped = transaction.run(drop_all_);
        if (!dropped) return std::move(dropped).error();
        return dropped->affected();
      });
}

}  // namespace bb5::postgres
