#include "benchmarks/rivals/bare_copy.hpp"

#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "benchmarks/support/measure.hpp"

namespace bb5::bench {
namespace {

/// COPY's binary format, no more of it than these rows need.
class Encoder {
 public:
  void row(std::int16_t fields) { number(fields); }
  void null() { number(std::int32_t{-1}); }
  void bytes(std::string_view value) {
    number(static_cast<std::int32_t>(value.size()));
    out += value;
  }
  void uuid(const Uuid& value) {
    bytes({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
  }
  template <class T>
  void value(T value) {
    number(static_cast<std::int32_t>(sizeof value));
    number(value);
  }
  void real(double number) { value(std::bit_cast<std::int64_t>(number)); }
  void time(Timestamp time) {
    constexpr std::int64_t from_1970_to_2000 = 946'684'800'000'000;
    value(static_cast<std::int64_t>(time.time_since_epoch().count()) - from_1970_to_2000);
  }
  void text_if(const std::optional<std::string>& text) { text ? bytes(*text) : null(); }
  void texts(const std::vector<std::string>& values) {
    constexpr std::int32_t text = 25;
    const std::size_t start = out.size();
    number(std::int32_t{0});
    number(std::int32_t{values.empty() ? 0 : 1});
    number(std::int32_t{0});
    number(text);
    if (!values.empty()) {
      number(static_cast<std::int32_t>(values.size()));
      number(std::int32_t{1});
      for (const std::string& value : values) bytes(value);
    }
    const auto length = __builtin_bswap32(static_cast<std::uint32_t>(out.size() - start - 4));
    std::memcpy(out.data() + start, &length, sizeof length);
  }
  void vector(const std::vector<float>& numbers) {
    number(static_cast<std::int32_t>(4 + 4 * numbers.size()));
    number(static_cast<std::int16_t>(numbers.size()));
    number(std::int16_t{0});
    const std::size_t start = out.size();
    out.resize(start + 4 * numbers.size());
    char* at = out.data() + start;
    for (const float one : numbers) {
      const std::uint32_t bits = __builtin_bswap32(std::bit_cast<std::uint32_t>(one));
      std::memcpy(at, &bits, sizeof bits);
      at += sizeof bits;
    }
  }
  template <class T>
  void number(T number) {
    char raw[sizeof number];
    for (std::size_t i = 0; i < sizeof number; ++i)
      raw[i] =
          static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * (sizeof number - 1 - i)));
    out.append(raw, sizeof number);
  }
  std::string out;
};

}  // namespace

struct BareCopy::State {
  PGconn* connection = nullptr;
  std::string schema;

  PGresult* run(const std::string& sql) const {
    PGresult* result = PQexec(connection, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
      give_up(sql + ": " + PQresultErrorMessage(result));
    return result;
  }
  void execute(const std::string& sql) const { PQclear(run(sql)); }
};

BareCopy::BareCopy(const std::string& url, const std::string& schema)
    : state_(std::make_unique<State>()) {
  state_->connection = PQconnectdb(url.c_str());
  state_->schema = schema;
  if (PQstatus(state_->connection) != CONNECTION_OK) give_up(PQerrorMessage(state_->connection));
  state_->execute("SET client_min_messages = warning");
}

BareCopy::~BareCopy() {
  PQfinish(state_->connection);
}

double BareCopy::copy(const ParsedStore& store, Indexes indexes) {
  const std::string table = state_->schema + ".bare_copy";
  std::vector<std::string> hashes;
  for (const ParsedBatch& batch : store.batches) {
    for (const Memory& memory : batch.memories) hashes.push_back(record_hash(memory));
  }
  state_->execute("DROP TABLE IF EXISTS " + table);
  state_->execute(
      fmt::format("CREATE TABLE {} (LIKE {}.memories INCLUDING ALL {}) WITH "
                  "(toast_tuple_target = 8160)",
                  table, state_->schema, indexes == Indexes::none ? "EXCLUDING INDEXES" : ""));
  checkpoint();

  const Stopwatch watch;
  state_->execute("BEGIN");
  state_->execute(fmt::format(
      "COPY {} (id, content, network, embedding, confidence, source, source_type, category, "
      "entities, "
      "created_at, metadata, legacy_id, kind, vector_state, standing, record_hash, seq) FROM STDIN "
      "(FORMAT binary)",
      table));
  Encoder encoder;
  encoder.out.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  const auto send = [&] {
    if (PQputCopyData(state_->connection, encoder.out.data(),
                      static_cast<int>(encoder.out.size())) != 1)
      give_up(PQerrorMessage(state_->connection));
    encoder.out.clear();
  };
  std::int64_t seq = 0;
  for (const ParsedBatch& batch : store.batches) {
    for (const Memory& memory : batch.memories) {
      encoder.row(17);
      encoder.uuid(memory.id.uuid);
      encoder.bytes(memory.content);
      encoder.bytes(memory.network);
      encoder.vector(memory.embedding);
      memory.confidence ? encoder.real(*memory.confidence) : encoder.null();
      encoder.text_if(memory.source);
      encoder.text_if(memory.source_type);
      encoder.text_if(memory.category);
      encoder.texts(memory.entities);
      encoder.time(*memory.created_at);
      encoder.number(static_cast<std::int32_t>(memory.metadata.size() + 1));
      encoder.out += '\1';
      encoder.out += memory.metadata;
      encoder.bytes(memory.legacy_id);
      encoder.value(static_cast<std::int16_t>(memory.kind));
      encoder.value(static_cast<std::int16_t>(memory.vector_state));
      encoder.value(std::int16_t{0});  // it stands by itself
      encoder.bytes(hashes[static_cast<std::size_t>(seq)]);
      encoder.value(++seq);
      if (encoder.out.size() >= std::size_t{1} << 20) send();
    }
  }
  encoder.number(std::int16_t{-1});
  send();
  if (PQputCopyEnd(state_->connection, nullptr) != 1) give_up(PQerrorMessage(state_->connection));
  while (PGresult* result = PQgetResult(state_->connection)) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(PQresultErrorMessage(result));
    PQclear(result);
  }
  state_->execute("COMMIT");
  const double seconds = watch.wall_seconds();
  state_->execute("DROP TABLE " + table);
  return seconds;
}

void BareCopy::checkpoint() {
  PQclear(PQexec(state_->connection, "CHECKPOINT"));  // may be refused: then it is not done
}

void BareCopy::drop_schema(const std::string& schema) {
  state_->execute("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
}

}  // namespace bb5::bench
