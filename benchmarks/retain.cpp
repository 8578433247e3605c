// How many memories a second does RETAIN keep, vectors and extractions given? (design §5; peers
// lose most of their time in models, so those are left out here: this is the engine alone.)
#include "operations/retain/retain.hpp"

#include <random>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/environment.hpp"
#include "benchmarks/rivals/bare_copy.hpp"
#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/parsed_store.hpp"
#include "stores/embedded/embedded_bank.hpp"
#include "stores/postgres/postgres_bank.hpp"

namespace {

using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file

struct Shape {
  std::int64_t documents = 1000;
  std::int64_t memories = 10;  ///< Of each document.
  std::size_t dimension = 384;
};

/// Gives what a text would have given: ready-made, so that only keeping it takes time.
class GivenExtractor final : public Extractor {
 public:
  explicit GivenExtractor(const Shape& shape) : shape_(shape) {}
  [[nodiscard]] std::string name() const override { return "given/1"; }
  [[nodiscard]] Result<Extraction> extract(const Document& document) const override {
    const std::int64_t number = std::stoll(document.source);
    Extraction extraction;
    for (std::int64_t i = 0; i < shape_.memories; ++i) {
      const std::int64_t place = number * shape_.memories + i;
      const std::string one = fmt::format("Service {}", place % 997);
      const std::string other = fmt::format("Library {}", place % 499);
      extraction.memories.push_back(
          {.content = fmt::format("{} depends on {} since change {}, which the team of room {} "
                                  "reviewed before the release",
                                  one, other, place, place % 83),
           .network = place % 3 == 0 ? "experience" : "world",
           .category = "decision",
           .entities = {one, other},
           .position = i});
      extraction.entities.push_back({.name = one, .type = "technology"});
      extraction.entities.push_back({.name = other, .type = "technology"});
      extraction.relationships.push_back(
          {.subject = one, .predicate = "depends_on", .object = other});
    }
    return extraction;
  }

 private:
  Shape shape_;
};

/// Random directions: none is near another, and every memory is looked for among all that are held.
class GivenEmbedder final : public Embedder {
 public:
  explicit GivenEmbedder(std::size_t dimension) : dimension_(dimension) {}
  [[nodiscard]] EmbedderInfo info() const override { return {"bench/given", dimension_}; }
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    std::vector<std::vector<float>> vectors(texts.size(), std::vector<float>(dimension_));
    for (auto& vector : vectors) {
      for (float& number : vector) number = direction_(random_);
    }
    return vectors;
  }

 private:
  std::size_t dimension_;
  std::mt19937 random_{1};  // NOLINT: the same vectors in every run
  std::normal_distribution<float> direction_;
};

void measure(bench::Report& report, const std::string& store, Bank& bank, const Shape& shape) {
  const GivenExtractor extractor(shape);
  GivenEmbedder embedder(shape.dimension);
  const std::int64_t steps = 4;
  std::int64_t number = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const bench::Stopwatch watch;
    std::int64_t added = 0;
    while (number < shape.documents * (step + 1) / steps) {
      std::vector<Document> group;
      while (group.size() < 32 && number < shape.documents * (step + 1) / steps) {
        const std::string name = std::to_string(number++);
        group.push_back({.source = name, .turns = {{.text = "document " + name}}});
      }
      for (const RetainReport& one : retain_documents(
               bank, std::move(group), {.extractor = extractor, .embedder = &embedder})) {
        if (one.error) bench::give_up(one.error->message);
        added += one.added;
      }
    }
    const double seconds = watch.wall_seconds();
    const std::int64_t held = bench::must(bank.stats()).memories;
    report.row({store, fmt::format("{} to {}", held - added, held), bench::shown_seconds(seconds),
                fmt::format("{:.0f}", static_cast<double>(added) / seconds),
                fmt::format("{:.0f}", watch.cpu_seconds() / static_cast<double>(added) * 1e6)});
  }
}

}  // namespace

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{"Retaining documents, with extraction and vectors given."};
  Shape shape;
  std::string folder;
  app.add_option("--documents", shape.documents)->capture_default_str();
  app.add_option("--memories", shape.memories, "of each document")->capture_default_str();
  app.add_option("--dimension", shape.dimension)->capture_default_str();
  app.add_option("--folder", folder, "where the database is made; default: temporary files");
  CLI11_PARSE(app, argc, argv);

  bench::Report report(fmt::format("Retaining {} documents of {} memories, {} numbers",
                                   shape.documents, shape.memories, shape.dimension),
                       argc, argv);
  report.remark(
      "32 documents are read at a time and are one durable transaction with their memories, "
      "vectors, full text, entities, relationships, mentions and outbox; for each memory the bank "
      "is asked whether it holds it word by word or in other words (none is). Our process' CPU "
      "time "
      "beside; the server's is not in it.");
  report.columns({"store", "memories held", "time", "memories/s", "CPU µs a memory"});
  {
    const bench::ScratchFolder scratch(folder);
    const auto bank =
        bench::must(open_embedded_bank({.file = scratch.file("bank.db"), .create = true}));
    measure(report, "embedded", *bank, shape);
  }
  if (const std::string url = environment("BB5_TEST_POSTGRES"); !url.empty()) {
    const std::string name = fmt::format("bench_{}", getpid());
    {
      const auto bank = bench::must(open_postgres_bank({.url = url, .bank = name, .create = true}));
      measure(report, "PostgreSQL", *bank, shape);
    }
    bench::BareCopy(url, "bb5_" + name).drop_schema("bb5_" + name);
  }
  report.print();
  return 0;
}
