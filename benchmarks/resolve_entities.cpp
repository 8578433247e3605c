// How long does RETAIN look for entities that are one, after one small document and after a whole
// bank came? (docs/retain.md; a small document should not take more than 50 ms for it)
#include <random>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/parsed_store.hpp"
#include "operations/graph/resolve.hpp"
#include "stores/embedded/embedded_bank.hpp"

namespace {

using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file

/// Names of one to three words out of five thousand, of four types; none twice.
std::vector<EntityFact> facts(std::int64_t number, std::int64_t first) {
  static const char* const syllables[] = {"ra",  "no",  "ki", "ve",  "sto", "mer",
                                          "lan", "tic", "do", "pul", "gra", "fen",
                                          "os",  "ber", "um", "qui", "sal"};
  static const char* const types[] = {"technology", "person", "concept", "organization"};
  std::mt19937 random(static_cast<unsigned>(first) + 1);
  const auto word = [&] {
    std::mt19937 of_word(static_cast<unsigned>(random() % 5000));
    std::string text;
    for (auto i = 2 + of_word() % 3; i > 0; --i) text += syllables[of_word() % 17];
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
  };
  std::vector<EntityFact> facts;
  for (std::int64_t i = first; i < first + number; ++i) {
    std::string name = word();
    for (auto n = random() % 3; n > 0; --n) name += ' ' + word();
    if (i % 4 != 1) name += fmt::format(" {}", i % 97);
    EntityFact fact;
    fact.id = {Uuid::random()};
    fact.name = std::move(name);
    fact.type = types[i % 4];
    facts.push_back(std::move(fact));
  }
  return facts;
}

void write(Bank& bank, const std::vector<EntityFact>& facts, bool fold) {
  for (std::size_t i = 0; i < facts.size(); i += 1000) {
    const std::size_t size = std::min<std::size_t>(1000, facts.size() - i);
    bench::must(bank.write({.entity_facts = std::span(facts).subspan(i, size), .fold = fold}));
  }
}

void measure(bench::Report& report, std::int64_t size, const std::string& folder) {
  const bench::ScratchFolder scratch(folder);
  const auto bank =
      bench::must(open_embedded_bank({.file = scratch.file("bank.db"), .create = true}));
  write(*bank, facts(size, 0), false);
  if (!bank->fold_graph()) bench::give_up("the fold failed");
  const auto row = [&](const std::string& what, const auto& work) {
    const bench::Stopwatch watch;
    const std::string found = work();
    report.row({fmt::format("{}", bank->graph_counts()->entities), what,
                fmt::format("{:.1f} ms", watch.wall_seconds() * 1e3),
                fmt::format("{:.1f} ms", watch.cpu_seconds() * 1e3), found});
  };
  const auto resolve = [&] {
    return fmt::format("{} merged", bench::must(resolve_changed(*bank, now())).merged.size());
  };
  row("names read", [&] {
    std::size_t letters = 0;
    const auto visited =
        bank->visit_entities(0, [&](const Entity& entity) { letters += entity.name.size(); });
    if (!visited) bench::give_up(visited.error().message);
    return fmt::format("{} letters", letters);
  });
  write(*bank, facts(20, size * 2), true);
  const std::int64_t before_last = bench::must(bank->resolved_mark()).latest;
  write(*bank, facts(20, size * 3), true);
  row("20 are new, the others wait", [&] {
    const Look look =
        bench::must(resolve_changed(*bank, now(), {.at_most = 0, .brought_after = before_last}));
    return fmt::format("{} merged, {} wait", look.merged.size(), look.waiting);
  });
  row("all, as entities resolve",
      [&] { return fmt::format("{} pairs", bench::must(look_at_all(*bank)).pairs.size()); });
  row("all are new", resolve);
  row("what was merged", resolve);
  write(*bank, facts(20, size * 4), true);
  row("20 are new", resolve);
  write(*bank, facts(1000, size * 5), true);
  row("1,000 are new", resolve);
  row("nothing is new", resolve);
}

}  // namespace

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{"Looking for entities that are one."};
  std::vector<std::int64_t> sizes = {10'000, 100'000};
  std::string folder;
  app.add_option("--entities", sizes)->capture_default_str();
  app.add_option("--folder", folder, "where the database is made; default: temporary files");
  CLI11_PARSE(app, argc, argv);
  bench::Report report("Resolving entities", argc, argv);
  report.columns({"entities", "looked at", "wall", "CPU", ""});
  for (const std::int64_t size : sizes) measure(report, size, folder);
  report.print();
  return 0;
}
