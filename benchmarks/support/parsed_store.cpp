#include "benchmarks/support/parsed_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "benchmarks/support/measure.hpp"
#include "operations/migrate/migration.hpp"
#include "operations/migrate/verification.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"

namespace bb5::bench {
namespace {

std::string text_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// The model that the benchmarks say their vectors are of.
constexpr const char* model = "bench/model";

}  // namespace

std::int64_t ParsedStore::records() const {
  std::int64_t count = 0;
  for (const ParsedBatch& batch : batches) count += std::ssize(batch.memories);
  return count;
}

std::int64_t default_batch_bytes() {
  return MigrationOptions{}.batch_bytes;
}

ParsedStore parse_store(const StoreShape& shape, std::int64_t batch_bytes) {
  const StoreGenerator generator(shape);
  const auto record_bytes = static_cast<std::int64_t>(29 * shape.dimension + 700);
  const std::int64_t batch_records =
      std::clamp<std::int64_t>(batch_bytes / record_bytes, 1, MigrationOptions{}.batch_records);
  ParsedStore store;
  store.run = {.run = {Uuid::random()},
               .source = "benchmark",
               .manifest_sha256 = text_of(sha256("benchmark")),
               .tool_version = "benchmark",
               .options = "{}",
               .started = now(),
               .files = {{.file = "memories.json",
                          .sha256 = text_of(sha256("benchmark")),
                          .bytes = record_bytes * shape.records}}};
  for (std::int64_t place = 0; place < shape.records;) {
    ParsedBatch& batch = store.batches.emplace_back();
    batch.ledger.run = store.run.run;
    batch.ledger.file = "memories.json";
    batch.ledger.batch_no = std::ssize(store.batches) - 1;
    batch.ledger.first_ordinal = place;
    batch.ledger.content_digest = text_of(sha256("batch"));
    for (; place < shape.records && std::ssize(batch.memories) < batch_records; ++place) {
      batch.memories.push_back(generator.memory(place));
      batch.ledger.places.push_back({place, place * record_bytes});
    }
    batch.ledger.records = std::ssize(batch.memories);
  }
  return store;
}

void begin_load(Bank& bank, const ParsedStore& store, std::size_t dimension) {
  must(bank.set_embedder({model, dimension}));
  must(bank.begin_run(store.run));
}

void load(Bank& bank, const ParsedStore& store) {
  for (const ParsedBatch& batch : store.batches) {
    const WriteOutcome outcome = must(bank.write(batch.to_write()));
    for (const WriteAction action : outcome.memories) {
      if (action != WriteAction::inserted) give_up("a record was there already");
    }
  }
}

EndToEnd migrate_and_verify(const std::string& file, Bank& bank) {
  const auto source = must(open_blackbox5_source(file));
  reset_peak_memory();
  const Stopwatch all;
  const auto report = must(run_migration(*source, file, bank, {.source_model = model}));
  if (report.outcome != MigrationOutcome::loaded) give_up(report.reason);
  EndToEnd run{.hash = report.seconds_hash,
               .load = report.seconds_load,
               .graph = report.seconds_graph,
               .index = report.seconds_index};
  for (const auto& [part, counts] : report.parts) run.records += counts.loaded;
  for (const LedgerFile& read : report.files) run.bytes += read.bytes;
  const Stopwatch verifying;
  const auto verified = must(verify_migration(*source, file, bank, model, {}));
  if (!verified.verified()) give_up("what was loaded is not what was read");
  run.verify = verifying.wall_seconds();
  run.all = all.wall_seconds();
  run.peak_mib = peak_memory_mib();
  return run;
}

std::vector<std::string> end_to_end_columns() {
  return {"records", "MB",     "hash + copy",     "load",   "graph",       "index",
          "verify",  "in all", "records/s, load", "in all", "peak of ours"};
}

std::vector<std::string> end_to_end_row(const EndToEnd& run) {
  const auto rate = [&](double seconds) {
    return fmt::format("{:.0f}", static_cast<double>(run.records) / seconds);
  };
  return {std::to_string(run.records),
          fmt::format("{:.0f}", static_cast<double>(run.bytes) / 1e6),
          shown_seconds(run.hash),
          shown_seconds(run.load),
          shown_seconds(run.graph),
          shown_seconds(run.index),
          shown_seconds(run.verify),
          shown_seconds(run.all),
          rate(run.load),
          rate(run.all),
          fmt::format("{:.0f} MiB", run.peak_mib)};
}

ScratchFolder::ScratchFolder(const std::string& in) {
  const std::filesystem::path folder =
      in.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(in);
  path_ = (folder / "bb5-bench-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) give_up("cannot make a folder in " + folder.string());
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::file(std::string_view name) const {
  return path_ + '/' + std::string(name);
}

}  // namespace bb5::bench
