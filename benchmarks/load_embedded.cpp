// What does the embedded store cost over bare SQLite inserts of the same rows into the same tables
// and full-text index, each transaction on the disk when it is acknowledged on both sides? (design
// §7, figure 2; beside it the way from the file to the proof, figures 4)
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/rivals/bare_sqlite.hpp"
#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/parsed_store.hpp"
#include "stores/embedded/embedded_bank.hpp"

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file
  CLI::App app{"Loading parsed records into the embedded store, beside bare SQLite."};
  StoreShape shape{.records = 5000, .clusters = 50, .entities = 0.1, .relationships = 0.05};
  int rounds = 3;
  std::int64_t batch_bytes = bench::default_batch_bytes();
  std::string folder;
  app.add_option("--records", shape.records)->capture_default_str();
  app.add_option("--dimension", shape.dimension)->capture_default_str();
  app.add_option("--rounds", rounds, "the best of so many rounds counts")->capture_default_str();
  app.add_option("--batch-bytes", batch_bytes, "of JSON in a transaction, at most 1,000 records")
      ->capture_default_str();
  app.add_option("--folder", folder, "where the databases are made; default: temporary files");
  CLI11_PARSE(app, argc, argv);

  bench::Report report(
      fmt::format("Loading {} × {} into the embedded store", shape.records, shape.dimension), argc,
      argv);
  const bench::ScratchFolder scratch(folder);
  const bench::ParsedStore store = bench::parse_store(shape, batch_bytes);
  const std::string ours = scratch.file("ours.db");
  const std::string theirs = scratch.file("bare.db");

  const auto load_ours = [&] {
    const auto bank = bench::must(open_embedded_bank({.file = ours, .create = true}));
    bench::begin_load(*bank, store, shape.dimension);
    const bench::Stopwatch watch;
    bench::load(*bank, store);
    return watch.wall_seconds();
  };

  std::vector<double> our_times;
  std::vector<double> their_times;
  std::string left_out;
  for (int round = 0; round < rounds; ++round) {
    our_times.push_back(load_ours());
    std::vector<std::int64_t> cuts;
    for (const bench::ParsedBatch& batch : store.batches)
      cuts.push_back((cuts.empty() ? 0 : cuts.back()) + std::ssize(batch.memories));
    const auto rows = bench::RowsOfBank::read(ours, cuts);
    left_out = rows.left_out();
    their_times.push_back(rows.insert_into(theirs));
    for (const std::string& file : {ours, theirs}) bench::remove_database(file);
  }
  const double best_ours = bench::percentile(our_times, 0);
  const double best_theirs = bench::percentile(their_times, 0);

  report.remark(fmt::format(
      "Rows parsed beforehand, in transactions of {} records ({:.0f} MiB of JSON), `synchronous = "
      "FULL` "
      "on "
      "both sides. Ours validates, hashes, looks for what is held, writes facts and ledger; the "
      "rival's rows are read back from our database and inserted by prepared statements, the "
      "full-text index included{}. Best of {} rounds in turn.",
      store.batches.front().memories.size(), static_cast<double>(batch_bytes) / (1 << 20),
      left_out.empty() ? "" : " (not inserted by it: " + left_out + ")", rounds));
  report.columns({"what", "time", "records/s", "× bare SQLite"});
  const auto row = [&](const char* what, double seconds) {
    report.row({what, bench::shown_seconds(seconds),
                fmt::format("{:.0f}", static_cast<double>(shape.records) / seconds),
                fmt::format("{:.2f}", best_theirs / seconds)});
  };
  row("bare SQLite inserts", best_theirs);
  row("**ours, from parsed records**", best_ours);
  report.print();

  bench::Report whole(fmt::format("From memories.json to a proved bank: {} × {}, embedded",
                                  shape.records, shape.dimension),
                      argc, argv);
  const std::string file = scratch.file("memories.json");
  bench::must(generate_store_file(shape, file));
  const auto bank =
      bench::must(open_embedded_bank({.file = scratch.file("whole.db"), .create = true}));
  const auto run = bench::migrate_and_verify(file, *bank);
  whole.columns(bench::end_to_end_columns());
  whole.row(bench::end_to_end_row(run));
  whole.print();
  return 0;
}
