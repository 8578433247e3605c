// What does loading into PostgreSQL cost over one bare COPY of the same parsed rows? (design §7,
// figure 1; beside it the way from the file to the proof, figure 4)

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/environment.hpp"
#include "benchmarks/rivals/bare_copy.hpp"
#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/parsed_store.hpp"
#include "stores/postgres/postgres_bank.hpp"

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file
  using Indexes = bench::BareCopy::Indexes;
  CLI::App app{
      "Loading parsed records into PostgreSQL, beside one bare COPY BINARY. The server is the one\n"
      "that BB5_TEST_POSTGRES names; without it nothing is measured (exit code 77)."};
  StoreShape shape{.records = 10'000, .clusters = 100, .entities = 0.1, .relationships = 0.05};
  int rounds = 3;
  std::int64_t batch_bytes = bench::default_batch_bytes();
  std::string folder;
  app.add_option("--records", shape.records)->capture_default_str();
  app.add_option("--dimension", shape.dimension)->capture_default_str();
  app.add_option("--rounds", rounds, "the best of so many rounds counts")->capture_default_str();
  app.add_option("--batch-bytes", batch_bytes, "of JSON in a transaction, at most 1,000 records")
      ->capture_default_str();
  app.add_option("--folder", folder, "where memories.json is made; default: temporary files");
  CLI11_PARSE(app, argc, argv);
  const std::string url = environment("BB5_TEST_POSTGRES");
  if (url.empty()) {
    fmt::print("BB5_TEST_POSTGRES names no server: nothing is measured\n");
    return 77;
  }

  bench::Report report(
      fmt::format("Loading {} × {} into PostgreSQL", shape.records, shape.dimension), argc, argv);
  const bench::ParsedStore store = bench::parse_store(shape, batch_bytes);
  const std::string bank_name = fmt::format("bench_{}", getpid());
  const std::string schema = "bb5_" + bank_name;
  const PostgresOptions options{.url = url, .bank = bank_name, .create = true};
  bench::BareCopy bare(url, schema);

  std::vector<double> ours;
  double our_cpu = 0;
  std::vector<double> bare_times;
  std::vector<double> indexed_times;
  for (int round = 0; round < rounds; ++round) {
    const auto bank = bench::must(open_postgres_bank(options));
    bench::begin_load(*bank, store, shape.dimension);
    bare.checkpoint();
    const bench::Stopwatch watch;
    bench::load(*bank, store);
    ours.push_back(watch.wall_seconds());
    our_cpu = watch.cpu_seconds();
    bare_times.push_back(bare.copy(store, Indexes::none));
    indexed_times.push_back(bare.copy(store, Indexes::as_the_bank));
    bare.drop_schema(schema);
  }
  const double rival = bench::percentile(bare_times, 0);

  report.remark(fmt::format(
      "Rows parsed beforehand. The rival is one COPY BINARY by libpq alone, one transaction, "
      "hashes "
      "given, into a table of the same columns, checks, storage and generated tsvector: without "
      "any "
      "index, and with those that ours has while it is loaded (primary key, order, legacy id, "
      "thread). Ours validates, hashes, looks for what is held, writes mentions, facts and the "
      "ledger, and commits every {} records ({:.0f} MiB of JSON). Server settings as "
      "scripts/services "
      "makes them, fsync on. Our process itself needed {} of CPU. Best of {} rounds in turn.",
      store.batches.front().memories.size(), static_cast<double>(batch_bytes) / (1 << 20),
      bench::shown_seconds(our_cpu), rounds));
  report.columns({"what", "time", "records/s", "× bare COPY"});
  const auto row = [&](const char* what, std::vector<double>& times) {
    const double seconds = bench::percentile(times, 0);
    report.row({what, bench::shown_seconds(seconds),
                fmt::format("{:.0f}", static_cast<double>(shape.records) / seconds),
                fmt::format("{:.2f}", rival / seconds)});
  };
  row("bare COPY, no index", bare_times);
  row("bare COPY, ours' indexes", indexed_times);
  row("**ours, from parsed records**", ours);
  report.print();

  bench::Report whole(fmt::format("From memories.json to a proved bank: {} × {}, PostgreSQL",
                                  shape.records, shape.dimension),
                      argc, argv);
  const bench::ScratchFolder scratch(folder);
  const std::string file = scratch.file("memories.json");
  bench::must(generate_store_file(shape, file));
  {
    const auto bank = bench::must(open_postgres_bank(options));
    const auto run = bench::migrate_and_verify(file, *bank);
    whole.remark(
        "Index: GIN over the words, statistics, and HNSW when there are more than 20,000 vectors.");
    whole.columns(bench::end_to_end_columns());
    whole.row(bench::end_to_end_row(run));
    whole.print();
  }
  bare.drop_schema(schema);
  return 0;
}
