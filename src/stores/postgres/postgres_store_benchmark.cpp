// Measures the store against libpq itself, on the server that BB5_TEST_POSTGRES names:
//   postgres_store_benchmark load [rows] [dimension] [names per memory]
//     our write() in batches against one bare COPY BINARY of the same rows into the same table
//     without any index
//   postgres_store_benchmark search [rows] [dimension]
//     nearest() and keyword(), each against its own statement prepared on a bare connection
// Prints ratios; absolute times are this machine's. Each run makes a bank and drops it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include <fmt/format.h>

#include "base/environment.hpp"
#include "model/memory.hpp"
#include "stores/postgres/copy_writer.hpp"
#include "stores/postgres/memory_rows.hpp"
#include "stores/postgres/postgres_bank.hpp"
#include "stores/postgres/search.hpp"

namespace bb5::postgres {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view bank_name = "benchmark";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s [%s]\n", result.error().message.c_str(), result.error().detail.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): no other thread runs
}

void must(bool done, const Connection& connection) {
  if (done) return;
  std::fprintf(stderr, "%s\n", connection.failure().message.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): no other thread runs
}

std::vector<float> unit_vector(std::mt19937_64& random, std::size_t dimension) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  double square = 0;
  for (float& x : vector) {
    x = normal(random);
    square += static_cast<double>(x) * x;
  }
  for (float& x : vector) x = static_cast<float>(x / std::sqrt(square));
  return vector;
}

/// About 400 characters of words that occur as often as words do.
std::string sentence(std::mt19937_64& random) {
  std::string text;
  std::uniform_real_distribution<double> uniform(0, 1);
  while (text.size() < 400) {
    const auto rank = static_cast<unsigned>(std::pow(20'000.0, uniform(random)));
    text += fmt::format("{}w{}{}", text.empty() ? "" : " ", rank, rank % 3 == 0 ? "ing" : "");
  }
  return text;
}

std::vector<Memory> make_memories(std::size_t count, std::size_t dimension, std::size_t names) {
  std::mt19937_64 random(7);
  std::vector<Memory> memories(count);
  for (std::size_t i = 0; i < count; ++i) {
    Memory& memory = memories[i];
    memory.legacy_id = fmt::format("{:012x}", i * 2'654'435'761U);
    memory.id = memory_id_of(fmt::format("\"{}\"", memory.legacy_id));
    memory.content = sentence(random);
    memory.network = std::string(known_networks[random() % 4]);
    memory.created_at =
        Timestamp(std::chrono::microseconds(1'770'000'000'000'000 + static_cast<std::int64_t>(i)));
    std::string entities;
    for (std::size_t n = 0; n < names; ++n) {
      entities += fmt::format("{}\"Name{}\"", n == 0 ? "" : ",", random() % 5'000);
    }
    memory.metadata = fmt::format(
        "{{\"confidence\":0.{},\"source\":\"notes/"
        "{}.md\",\"source_type\":\"decisions\",\"category\":\"technical\",\"entities\":[{}]}}",
        1 + random() % 9, i % 100, entities);
    derive_columns(memory);
    memory.embedding = unit_vector(random, dimension);
    memory.vector_state = VectorState::indexed;
  }
  return memories;
}

std::unique_ptr<Connection> connection_to(const std::string& url) {
  return must(Connection::open({.url = url, .patience = std::chrono::hours(1)}));
}

std::unique_ptr<Bank> fresh_bank(const std::string& url, std::size_t dimension) {
  const auto connection = connection_to(url);
  must(connection->execute(fmt::format(
           "SET client_min_messages = warning; DROP SCHEMA IF EXISTS bb5_{} CASCADE", bank_name)),
       *connection);
  auto bank =
      must(open_postgres_bank({.url = url, .bank = std::string(bank_name), .create = true}));
  must(bank->set_embedder({.model = "benchmark", .dimension = dimension}));
  return bank;
}

void drop_bank(const std::string& url) {
  const auto connection = connection_to(url);
  must(connection->execute(fmt::format(
           "SET client_min_messages = warning; DROP SCHEMA IF EXISTS bb5_{} CASCADE", bank_name)),
       *connection);
}

double load_ours(const std::string& url, const std::vector<Memory>& memories,
                 std::size_t dimension) {
  constexpr std::size_t batch_rows = 1'000;
  const auto bank = fresh_bank(url, dimension);
  LedgerRun run;
  run.run = {Uuid::random()};
  run.manifest_sha256 = std::string(32, 'x');
  run.started = now();
  run.files = {{.file = "memories.json", .sha256 = std::string(32, 'x')}};
  must(bank->begin_run(run));
  const auto start = Clock::now();
  for (std::size_t from = 0; from < memories.size(); from += batch_rows) {
    const auto batch =
        std::span(memories).subspan(from, std::min(batch_rows, memories.size() - from));
    LedgerBatch ledger;
    ledger.run = run.run;
    ledger.file = "memories.json";
    ledger.batch_no = static_cast<std::int64_t>(from / batch_rows);
    ledger.records = std::ssize(batch);
    ledger.content_digest = std::string(32, 'x');
    must(bank->write({.memories = batch, .fold = false, .ledger = &ledger}));
  }
  const double loaded = seconds_since(start);
  const auto fold = Clock::now();
  must(bank->fold_graph());
  std::printf("  fold of the graph afterwards: %.2f s\n", seconds_since(fold));
  return loaded;
}

double load_bare(const std::string& url, const std::vector<Memory>& memories,
                 std::size_t dimension) {
  const auto bank = fresh_bank(url, dimension);
  const auto connection = connection_to(url);
  must(connection->execute(fmt::format("CREATE TABLE bb5_{0}.bare (LIKE bb5_{0}.memories INCLUDING "
                                       "GENERATED INCLUDING STORAGE INCLUDING CONSTRAINTS)"
                                       " WITH (toast_tuple_target = 8160); CHECKPOINT; BEGIN",
                                       bank_name)),
       *connection);
  const std::string hash(32, 'h');
  const auto start = Clock::now();
  Transaction transaction(*connection, "copy");
  must(connection->copy_begin(fmt::format("COPY bb5_{}.bare ({}) FROM STDIN (FORMAT binary)",
                                          bank_name, memory_columns)),
       *connection);
  std::string buffer("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  FieldWriter fields(buffer);
  std::int64_t seq = 0;
  for (const Memory& memory : memories) {
    append_int16(buffer, memory_column_count);
    fields.uuid(memory.id.uuid);
    fields.text(memory.content);
    fields.text(memory.network);
    fields.vector(memory.embedding);
    fields.optional(memory.confidence);
    fields.optional(memory.source);
    fields.optional(memory.source_type);
    fields.optional(memory.category);
    fields.texts(memory.entities);
    fields.optional(memory.created_at);
    fields.jsonb(memory.metadata);
    fields.text(memory.legacy_id);
    fields.int2(0);
    for (int i = 0; i < 7; ++i) fields.null();
    fields.text(memory.metadata);
    fields.int2(1);
    fields.null();
    fields.null();
    fields.bytes(hash);
    fields.int2(static_cast<std::int16_t>(Standing::by_itself));
    fields.int8(++seq);
    if (buffer.size() < (1 << 20)) continue;
    must(connection->copy_put(buffer), *connection);
    buffer.clear();
  }
  append_int16(buffer, -1);
  must(connection->copy_put(buffer), *connection);
  must(connection->copy_end().has_value(), *connection);
  must(connection->execute("COMMIT"), *connection);
  return seconds_since(start);
}

void benchmark_load(const std::string& url, std::size_t rows, std::size_t dimension,
                    std::size_t names) {
  const auto memories = make_memories(rows, dimension, names);
  std::printf("load %zu memories x %zu numbers, %zu names each\n", rows, dimension, names);
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const double bare = load_bare(url, memories, dimension);
    const double ours = load_ours(url, memories, dimension);
    const auto count = static_cast<double>(rows);
    std::printf("  bare COPY %.0f rows/s, ours %.0f rows/s, ratio %.2f\n", count / bare,
                count / ours, bare / ours);
    best = std::max(best, bare / ours);
  }
  std::printf("ratio %.2f (target 0.80)\n", best);
}

double median_ms(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] * 1e3;
}

void benchmark_search(const std::string& url, std::size_t rows, std::size_t dimension) {
  const auto bank = fresh_bank(url, dimension);
  {
    const auto memories = make_memories(rows, dimension, 0);
    for (std::size_t from = 0; from < memories.size(); from += 1'000) {
      must(bank->write({.memories = std::span(memories).subspan(
                            from, std::min<std::size_t>(1'000, memories.size() - from)),
                        .fold = false}));
    }
  }
  const auto start = Clock::now();
  must(bank->derive([](const MemorySearch::DerivedStep&) { return true; }));
  std::printf("search in %zu memories x %zu numbers, indexes made in %.1f s\n", rows, dimension,
              seconds_since(start));

  std::mt19937_64 random(11);
  std::vector<std::vector<float>> queries;
  for (int i = 0; i < 100; ++i) queries.push_back(unit_vector(random, dimension));
  const auto connection = connection_to(url);
  Names names = *Names::of_bank(bank_name);
  names.set_vector_schema("public");
  const auto plan = must(bank->nearest(queries[0], 10, {})).plan;
  const Statement bare(
      plan.exact ? names.sql(Search::exact_sql({}))
                 : names.sql(Search::indexed_sql(static_cast<std::int32_t>(dimension), {})));
  const std::size_t limit = plan.exact ? Search::exact_limit(10) : Search::indexed_limit(10);
  must(connection->execute("SET hnsw.ef_search = 100; SET hnsw.iterative_scan = strict_order"),
       *connection);
  std::vector<double> ours;
  std::vector<double> theirs;
  for (const auto& query : queries) {
    auto from = Clock::now();
    must(bank->nearest(query, 10, {}));
    ours.push_back(seconds_since(from));
    from = Clock::now();
    must(connection->run(bare, Params().vector(query).int8(limit_of(limit))).has_value(),
         *connection);
    theirs.push_back(seconds_since(from));
  }
  const double our_ms = median_ms(ours);
  const double their_ms = median_ms(theirs);
  std::printf(
      "nearest (%s) k = 10: p50 %.2f ms, the bare statement %.2f ms, ratio %.2f (target 1.25)\n",
      plan.index.c_str(), our_ms, their_ms, our_ms / their_ms);
  std::vector<double> words;
  for (int i = 0; i < 100; ++i) {
    const std::string text = sentence(random).substr(0, 40);
    const auto from = Clock::now();
    must(bank->keyword(text, 10, {}));
    words.push_back(seconds_since(from));
  }
  std::printf("keyword, 40 characters: p50 %.2f ms\n", median_ms(words));
}

}  // namespace
}  // namespace bb5::postgres

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  using namespace bb5::postgres;  // NOLINT(google-build-using-namespace): our own, in a program of
                                  // one file
  const std::string url = bb5::environment("BB5_TEST_POSTGRES");
  if (url.empty() || argc < 2) {
    std::fprintf(stderr,
                 "set BB5_TEST_POSTGRES; usage: %s load|search [rows] [dimension] [names]\n",
                 argv[0]);
    return 2;
  }
  const auto number = [&](int place, std::size_t otherwise) {
    return argc > place ? static_cast<std::size_t>(std::strtoul(argv[place], nullptr, 10))
                        : otherwise;
  };
  if (std::strcmp(argv[1], "load") == 0) {
    benchmark_load(url, number(2, 10'000), number(3, 1536), number(4, 3));
  } else {
    benchmark_search(url, number(2, 10'000), number(3, 1536));
  }
  drop_bank(url);
  return 0;
}
