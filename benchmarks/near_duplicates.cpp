// How well cosine and words tell whether two memories say the same (operations/retain).

#include <algorithm>
#include <set>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/support/measure.hpp"
#include "embedders/local/local_embedder.hpp"
#include "operations/retain/same_statement.hpp"
#include "tools/near_duplicate_pairs.hpp"

namespace {

using namespace bb5;

struct Measured {
  std::vector<StatementPair> pairs;
  std::vector<double> cosines;

  [[nodiscard]] MergeCounts by_cosine_alone(bool held_out, double threshold) const {
    MergeCounts counts;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].held_out == held_out) counts.add(pairs[i], cosines[i] >= threshold);
    }
    return counts;
  }
  [[nodiscard]] MergeCounts of_kind(const std::string& kind, bool same, bool held_out) const {
    MergeCounts counts;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].held_out == held_out && pairs[i].kind == kind && pairs[i].same == same)
        counts.add(pairs[i], would_merge(pairs[i], cosines[i], near_duplicate_cosine));
    }
    return counts;
  }
};

/// Seconds that the words of one pair take.
double seconds_a_pair(const Measured& measured) {
  std::size_t agree = 0;
  const auto timings = bench::best_of(9, {[&] {
                                        for (const StatementPair& pair : measured.pairs)
                                          agree += may_say_the_same(pair.left, pair.right) ? 1 : 0;
                                      }});
  return agree == 0 ? 0 : timings[0].wall / static_cast<double>(measured.pairs.size());
}

std::string shown(double share) {
  return fmt::format("{:.3f}", share);
}

void by_threshold(const Measured& measured, int argc, char** argv) {
  bench::Report report("Near duplicates, by threshold", argc, argv);
  const auto of = [&](bool held_out, bool same) {
    return std::count_if(measured.pairs.begin(), measured.pairs.end(), [&](const auto& pair) {
      return pair.held_out == held_out && pair.same == same;
    });
  };
  report.remark(fmt::format(
      "Development: {} pairs that say the same, {} that do not; held out: {} and {}. Comparing the "
      "words of a pair takes {}.",
      of(false, true), of(false, false), of(true, true), of(true, false),
      bench::shown_seconds(seconds_a_pair(measured))));
  report.columns({"cosine ≥", "development: precision", "recall", "wrong merges",
                  "held out: precision", "recall", "wrong merges",
                  "held out, cosine alone: precision", "recall"});
  for (int hundredths = 80; hundredths <= 99; ++hundredths) {
    const double threshold = hundredths / 100.0;
    std::vector<std::string> cells = {fmt::format("{:.2f}", threshold)};
    for (const bool held_out : {false, true}) {
      const auto counts = count_merges(measured.pairs, measured.cosines, held_out, threshold);
      cells.push_back(shown(counts.precision()));
      cells.push_back(shown(counts.recall()));
      cells.push_back(fmt::to_string(counts.wrong));
    }
    const auto alone = measured.by_cosine_alone(true, threshold);
    cells.push_back(shown(alone.precision()));
    cells.push_back(shown(alone.recall()));
    if (threshold == near_duplicate_cosine) cells.front() = "**" + cells.front() + "**";
    report.row(std::move(cells));
  }
  report.print();
}

void by_kind(const Measured& measured, int argc, char** argv) {
  bench::Report report(
      fmt::format("Near duplicates at cosine ≥ {}, by kind", near_duplicate_cosine), argc, argv);
  report.columns({"label", "kind", "development: merged", "held out: merged"});
  std::set<std::pair<bool, std::string>> kinds;
  for (const StatementPair& pair : measured.pairs) kinds.emplace(!pair.same, pair.kind);
  for (const auto& [different, kind] : kinds) {
    std::vector<std::string> cells = {different ? "different" : "same", kind};
    for (const bool held_out : {false, true}) {
      const auto counts = measured.of_kind(kind, !different, held_out);
      std::size_t all = 0;
      for (const StatementPair& pair : measured.pairs)
        all += pair.held_out == held_out && pair.kind == kind && pair.same != different ? 1 : 0;
      cells.push_back(fmt::format("{} of {}", counts.right + counts.wrong, all));
    }
    report.row(std::move(cells));
  }
  report.print();
}

/// Wrong merges of both halves or, of the development half alone, same pairs that stay apart.
void list_faults(const Measured& measured, bool wrong_merges) {
  fmt::print("{} at cosine ≥ {}:\n\n", wrong_merges ? "Wrong merges" : "Missed (development)",
             near_duplicate_cosine);
  int faults = 0;
  for (std::size_t i = 0; i < measured.pairs.size(); ++i) {
    const StatementPair& pair = measured.pairs[i];
    const bool merged = would_merge(pair, measured.cosines[i], near_duplicate_cosine);
    if (merged == pair.same || merged != wrong_merges) continue;
    if (!wrong_merges && pair.held_out) continue;
    ++faults;
    fmt::print("- {}, {}, {:.3f}: {} / {}\n", pair.held_out ? "held out" : "development", pair.kind,
               measured.cosines[i], pair.left, pair.right);
  }
  fmt::print("{}\n", faults == 0 ? "- none\n" : "");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Precision and recall of near duplicates, on pairs labelled by hand."};
  std::string file = near_duplicates_file;
  bool missed = false;
  app.add_option("--pairs", file, "a file like tests/data/near_duplicates.tsv");
  app.add_flag("--missed", missed, "list the development pairs that stayed apart wrongly, too");
  CLI11_PARSE(app, argc, argv);

  const auto embedder = new_local_embedder();
  if (!embedder) {
    fmt::print(stderr, "{}: {}\n", embedder.error().message, embedder.error().remedy);
    return 77;  // ctest: skipped
  }
  Measured measured{.pairs = bench::must(read_statement_pairs(file)), .cosines = {}};
  measured.cosines = bench::must(cosines_of(measured.pairs, **embedder));
  by_threshold(measured, argc, argv);
  by_kind(measured, argc, argv);
  list_faults(measured, true);
  if (missed) list_faults(measured, false);
}
