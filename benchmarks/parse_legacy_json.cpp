// How fast is the old system's memories.json read, beside simdjson's On-Demand walk of the same
// file? (design §7, figure 3)
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/rivals/simdjson_walk.hpp"
#include "benchmarks/support/measure.hpp"
#include "sources/blackbox5/array_reader.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"
#include "sources/blackbox5/records.hpp"
#include "tools/store_generator.hpp"

namespace {

using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file

/// What every reader must agree about.
struct Seen {
  std::int64_t records = 0;
  std::int64_t numbers = 0;  ///< Of vectors.
  double sum = 0;
};

/// Every field of every record, as a migration gets it.
Seen map_records(const std::string& path, std::size_t dimension) {
  const auto source = bench::must(open_blackbox5_source(path));
  const auto files = bench::must(source->files());
  const MemorySource::ReadOptions options{.embedder = {"bench", dimension},
                                          .source_model = "bench"};
  const auto reader = bench::must(source->open(files.front(), path, options));
  Seen seen;
  while (auto record = bench::must(reader->next())) {
    ++seen.records;
    const auto* memory = std::get_if<Memory>(&record->item);
    if (memory == nullptr) continue;
    seen.numbers += std::ssize(memory->embedding);
    if (!memory->embedding.empty()) seen.sum += static_cast<double>(memory->embedding.front());
  }
  return seen;
}

/// Only the array, its records' members and the vectors.
Seen walk_array(const std::string& path) {
  blackbox5::ArrayReader reader;
  if (!reader.open(path)) bench::give_up("cannot open " + path);
  blackbox5::Parts parts;
  Seen seen;
  while (bench::must(
      reader.next([&](json::Cursor& cursor) { return blackbox5::read_parts(cursor, parts); }))) {
    ++seen.records;
    seen.numbers += std::ssize(parts.vector.numbers);
    if (!parts.vector.numbers.empty())
      seen.sum += static_cast<double>(parts.vector.numbers.front());
  }
  return seen;
}

}  // namespace

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{"Reading memories.json, beside simdjson's On-Demand walk of the same file."};
  StoreShape shape{.records = 2500, .entities = 0.1, .relationships = 0.05};
  std::string file;
  int rounds = 5;
  app.add_option("--records", shape.records, "records of the generated file")
      ->capture_default_str();
  app.add_option("--dimension", shape.dimension, "numbers in each vector")->capture_default_str();
  app.add_option("--file", file, "read this file instead of a generated one");
  app.add_option("--rounds", rounds, "the best of so many rounds counts")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  bench::Report report("Parsing the legacy JSON", argc, argv);
  const bool made = file.empty();
  if (made) {
    file = (std::filesystem::temp_directory_path() /
            fmt::format("bb5-parse-{}x{}-{}.json", shape.records, shape.dimension, getpid()))
               .string();
    (void)bench::must(generate_store_file(shape, file));
  }
  const auto bytes = static_cast<double>(std::filesystem::file_size(file));

  bench::SimdjsonWalk simdjson;
  bench::WalkedFile walked{};
  Seen mapped;
  Seen arrays;
  simdjson.load(file);
  const auto times =
      bench::best_of(rounds, {[&] { walked = simdjson.walk(); }, [&] { simdjson.load(file); },
                              [&] { arrays = walk_array(file); },
                              [&] { mapped = map_records(file, shape.dimension); }});
  if (made) std::filesystem::remove(file);
  if (walked.records != mapped.records || walked.records != arrays.records ||
      walked.numbers != arrays.numbers || (made && walked.numbers != mapped.numbers))
    bench::give_up(fmt::format("the readers disagree: {}/{}/{} records, {}/{}/{} numbers",
                               walked.records, arrays.records, mapped.records, walked.numbers,
                               arrays.numbers, mapped.numbers));

  report.remark(fmt::format(
      "{} records, {} numbers in vectors, {:.0f} MB, in the page cache. simdjson {} ({} kernel) "
      "walks the text in memory, every string unescaped, every number by get_double; its row with "
      "reading the file adds padded_string::load. Ours reads the file through its window, rounds "
      "to "
      "binary32 and compares each number with the writer's spelling; the whole mapping also makes "
      "ids, times, columns and metadata. Best of {} rounds in turn.",
      walked.records, walked.numbers, bytes / 1e6, bench::SimdjsonWalk::version(),
      bench::SimdjsonWalk::kernel(), rounds));
  report.columns(
      {"what", "wall", "MB/s", "ns per number", "× simdjson in memory", "× simdjson with reading"});
  const double rival = times[0].wall;
  const double rival_with_reading = times[0].wall + times[1].wall;
  const auto row = [&](const char* what, double seconds) {
    report.row({what, bench::shown_seconds(seconds), fmt::format("{:.0f}", bytes / seconds / 1e6),
                fmt::format("{:.1f}", seconds * 1e9 / static_cast<double>(walked.numbers)),
                fmt::format("{:.2f}", rival / seconds),
                fmt::format("{:.2f}", rival_with_reading / seconds)});
  };
  row("simdjson On-Demand, in memory", rival);
  row("simdjson On-Demand, with reading the file", rival_with_reading);
  row("ours: array walk with vectors", times[2].wall);
  row("**ours: whole record mapping**", times[3].wall);
  report.print();
  return 0;
}
