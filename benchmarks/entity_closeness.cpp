// Could the vectors of two names decide where the rules say `perhaps` (model/entity_resolution)?

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/support/measure.hpp"
#include "embedders/local/local_embedder.hpp"
#include "model/cosine.hpp"
#include "model/entity_resolution.hpp"
#include "tests/support/entity_pairs.hpp"

namespace {

using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file

/// A pair, what the rules say of it, and the cosine of its names' vectors.
struct Judged {
  EntityPair pair;
  NameMatch match;
  double by_name = 0;
  double by_name_and_type = 0;

  [[nodiscard]] double cosine(bool with_type) const {
    return with_type ? by_name_and_type : by_name;
  }
  [[nodiscard]] bool asked() const { return match.sameness == Sameness::perhaps; }
};

std::vector<double> cosines_of(const std::vector<EntityPair>& pairs, bool with_type,
                               Embedder& embedder) {
  std::vector<std::string> texts;
  for (const EntityPair& pair : pairs) {
    for (const NamedEntity& named : {pair.a, pair.b})
      texts.push_back(with_type ? fmt::format("{} ({})", named.name, named.type) : named.name);
  }
  const auto vectors =
      bench::must(embedder.embed(std::vector<std::string_view>(texts.begin(), texts.end())));
  std::vector<double> cosines;
  for (std::size_t i = 0; i < vectors.size(); i += 2)
    cosines.push_back(cosine(vectors[i], vectors[i + 1]));
  return cosines;
}

std::vector<Judged> judge(const std::vector<EntityPair>& pairs, Embedder& embedder) {
  const auto by_name = cosines_of(pairs, false, embedder);
  const auto by_name_and_type = cosines_of(pairs, true, embedder);
  std::vector<Judged> judged;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    judged.push_back(
        {pairs[i], match_names(pairs[i].a, pairs[i].b), by_name[i], by_name_and_type[i]});
  return judged;
}

std::vector<Judged> part_of(const std::vector<Judged>& all, bool held_out) {
  std::vector<Judged> part;
  std::copy_if(all.begin(), all.end(), std::back_inserter(part),
               [&](const Judged& each) { return each.pair.held_out == held_out; });
  return part;
}

/// What becomes of a part when a cosine of at least `threshold` lifts `perhaps` to `same`.
struct Counts {
  int right = 0;         // same, and merged
  int wrong = 0;         // apart, and merged
  int missed = 0;        // same, and not merged
  int lifted_right = 0;  // those of them that the vectors merged
  int lifted_wrong = 0;

  Counts(const std::vector<Judged>& part, bool with_type, double threshold) {
    for (const Judged& each : part) {
      const bool lifted = each.asked() && each.cosine(with_type) >= threshold;
      const bool merged = lifted || each.match.sameness == Sameness::same;
      if (lifted) ++(each.pair.same ? lifted_right : lifted_wrong);
      if (merged) ++(each.pair.same ? right : wrong);
      if (!merged && each.pair.same) ++missed;
    }
  }
  [[nodiscard]] double precision() const { return right / static_cast<double>(right + wrong); }
  [[nodiscard]] double recall() const { return right / static_cast<double>(right + missed); }
};

/// The pairs of which the rules say this.
std::vector<Judged> of_sameness(const std::vector<Judged>& part, Sameness sameness) {
  std::vector<Judged> found;
  std::copy_if(part.begin(), part.end(), std::back_inserter(found),
               [&](const Judged& each) { return each.match.sameness == sameness; });
  return found;
}

/// How often a pair that is the same is closer than one that is not: 0.5 is a guess.
std::string order(const std::vector<Judged>& pairs, bool with_type) {
  double right = 0;
  int same = 0;
  int apart = 0;
  for (const Judged& one : pairs) {
    ++(one.pair.same ? same : apart);
    for (const Judged& other : pairs) {
      if (!one.pair.same || other.pair.same) continue;
      const double ahead = one.cosine(with_type) - other.cosine(with_type);
      right += ahead > 0 ? 1 : (ahead == 0 ? 0.5 : 0);
    }
  }
  if (same == 0 || apart == 0) return "nothing to tell apart";
  return fmt::format("{} same and {} apart, in the right order {:.2f}", same, apart,
                     right / (same * apart));
}

/// The threshold of the best recall on dev, of those that lift anything rightly and keep to a
/// precision of 0.98.
std::string best_threshold(const std::vector<Judged>& dev, bool with_type) {
  double best = 0;
  double recall = 0;
  for (const Judged& each : of_sameness(dev, Sameness::perhaps)) {
    const Counts counts(dev, with_type, each.cosine(with_type));
    if (counts.precision() < 0.98 || counts.lifted_right == 0) continue;
    if (counts.recall() <= recall) continue;
    best = each.cosine(with_type);
    recall = counts.recall();
  }
  return recall == 0 ? "none" : fmt::format("{:.3f}, recall {:.3f}", best, recall);
}

void by_threshold(const std::vector<Judged>& all, bool with_type, int argc, char** argv) {
  const auto dev = part_of(all, false);
  const auto held = part_of(all, true);
  bench::Report report(fmt::format("Vectors of `{}` where the rules say perhaps",
                                   with_type ? "NAME (TYPE)" : "NAME"),
                       argc, argv);
  const std::pair<const char*, Sameness> sorts[] = {{"perhaps", Sameness::perhaps},
                                                    {"different", Sameness::different}};
  for (const auto& [said, sameness] : sorts) {
    report.remark(fmt::format("What the rules call {}: {} (dev); {} (held).", said,
                              order(of_sameness(dev, sameness), with_type),
                              order(of_sameness(held, sameness), with_type)));
  }
  report.remark(
      fmt::format("Threshold that lifts recall on dev at a precision of at least 0.98, of all "
                  "cosines there: {}.",
                  best_threshold(dev, with_type)));
  report.columns({"cosine ≥", "dev: lifted rightly", "wrongly", "precision", "recall",
                  "held: lifted rightly", "wrongly", "precision", "recall"});
  constexpr double none = 2;  // above any cosine
  for (const double threshold : {0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, none}) {
    std::vector<std::string> cells = {threshold == none ? "names alone"
                                                        : fmt::format("{:.2f}", threshold)};
    for (const auto* part : {&dev, &held}) {
      const Counts counts(*part, with_type, threshold);
      cells.push_back(fmt::to_string(counts.lifted_right));
      cells.push_back(fmt::to_string(counts.lifted_wrong));
      cells.push_back(fmt::format("{:.3f}", counts.precision()));
      cells.push_back(fmt::format("{:.3f}", counts.recall()));
    }
    report.row(std::move(cells));
  }
  report.print();
}

/// The pairs that the rules leave open, closest first: those of dev, for they may have a say.
void list(const std::vector<Judged>& all) {
  auto dev = of_sameness(part_of(all, false), Sameness::perhaps);
  std::stable_sort(dev.begin(), dev.end(),
                   [](const Judged& a, const Judged& b) { return a.by_name > b.by_name; });
  for (const Judged& each : dev) {
    fmt::print("- {:.3f}, {:.3f} with types, {}: {} ({}) / {} ({}), {}\n", each.by_name,
               each.by_name_and_type, each.pair.same ? "same" : "apart", each.pair.a.name,
               each.pair.a.type, each.pair.b.name, each.pair.b.type, each.match.reason);
  }
}

}  // namespace

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{"Whether vectors of names tell which pairs are one that the rules leave open."};
  std::string file = BB5_ENTITY_PAIRS;
  bool open_pairs = false;
  app.add_option("--pairs", file, "a file like tests/data/entity_pairs.tsv");
  app.add_flag("--list", open_pairs, "list the development pairs that the rules leave open, too");
  CLI11_PARSE(app, argc, argv);

  const auto embedder = new_local_embedder();
  if (!embedder) {
    fmt::print(stderr, "{}: {}\n", embedder.error().message, embedder.error().remedy);
    return 77;  // ctest: skipped
  }
  const auto all = judge(bench::must(read_entity_pairs(file)), **embedder);
  for (const bool with_type : {false, true}) by_threshold(all, with_type, argc, argv);
  if (open_pairs) list(all);
}
