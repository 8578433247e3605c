// What does the embedded store's search cost: the exact one over a bare scan of the same matrix in
// memory, the one by its index over hnswlib, both at recall@10 >= 0.99? How many memories a second
// are added durably? (design §7, figure 6)
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/rivals/hnsw.hpp"
#include "benchmarks/rivals/int8_scan.hpp"
#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/parsed_store.hpp"
#include "stores/embedded/embedded_bank.hpp"

namespace {

using namespace bb5;  // NOLINT(google-build-using-namespace): our own, in a program of one file
using Rows = std::vector<std::size_t>;

/// Share of the true nearest rows that were found.
double recall(const std::vector<Rows>& found, const std::vector<Rows>& truth) {
  std::size_t hit = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    all += truth[i].size();
    for (const std::size_t row : truth[i])
      hit += std::find(found[i].begin(), found[i].end(), row) == found[i].end() ? 0 : 1;
  }
  return static_cast<double>(hit) / static_cast<double>(all);
}

struct Contender {
  std::string name;
  std::string rival;  // of another contender, to be compared with
  std::function<Rows(std::span<const float>)> search;
  std::vector<double> seconds = {};
  std::vector<Rows> found = {};
};

Rows rows_of(const SearchResult& result) {
  Rows rows;
  for (const Hit& hit : result.hits) rows.push_back(static_cast<std::size_t>(hit.seq) - 1);
  return rows;
}

/// The least effort that finds 99 in 100.
template <class Search>
std::size_t least_effort(const std::vector<std::vector<float>>& asked,
                         const std::vector<Rows>& truth, std::size_t k, Search search) {
  for (std::size_t effort = k;; effort = effort * 9 / 8 + 1) {
    std::vector<Rows> found;
    for (const auto& query : asked) found.push_back(search(query, effort));
    if (recall(found, truth) >= 0.99 || effort > 4000) return effort;
  }
}

}  // namespace

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{"Searching the embedded store, beside a bare scan and hnswlib."};
  StoreShape shape{.records = 100'000, .dimension = 384, .clusters = 1000};
  std::size_t k = 10;
  std::int64_t queries = 200;
  bool hnsw = true;
  std::int32_t m = 16;
  std::string folder;
  std::string plan;
  std::size_t bare_effort = 0;
  app.add_option("--records", shape.records)->capture_default_str();
  app.add_option("--dimension", shape.dimension)->capture_default_str();
  app.add_option("--clusters", shape.clusters, "0: random directions")->capture_default_str();
  app.add_option("--k", k)->capture_default_str();
  app.add_option("--queries", queries)->capture_default_str();
  app.add_flag("--hnsw,!--no-hnsw", hnsw, "measure hnswlib too: its index takes a minute to build");
  app.add_option("--m", m, "of the store's own index")->capture_default_str();
  app.add_option("--folder", folder, "where the database is made; default: temporary files");
  CLI11_PARSE(app, argc, argv);

  bench::Report report(fmt::format("Searching {} × {}, k = {}", shape.records, shape.dimension, k),
                       argc, argv);
  const StoreGenerator generator(shape);
  std::vector<float> matrix(static_cast<std::size_t>(shape.records) * shape.dimension);
  const auto row_of = [&](std::int64_t place) {
    return std::span(matrix).subspan(static_cast<std::size_t>(place) * shape.dimension,
                                     shape.dimension);
  };
  for (std::int64_t place = 0; place < shape.records; ++place)
    generator.vector(place, row_of(place));
  std::vector<std::vector<float>> asked;
  std::vector<Rows> truth;
  for (std::int64_t i = 0; i < queries; ++i) {
    asked.emplace_back(shape.dimension);
    generator.vector(shape.records + i, asked.back());
    truth.push_back(bench::brute_force(matrix, asked.back(), k));
  }

  const bench::ScratchFolder scratch(folder);
  const std::string file = scratch.file("bank.db");
  double filled = 0;
  double built = 0;
  {
    const auto bank = bench::must(open_embedded_bank({.file = file, .create = true}));
    bench::must(bank->set_embedder({"bench/model", shape.dimension}));
    bench::Stopwatch watch;
    std::vector<Memory> batch;
    for (std::int64_t place = 0; place < shape.records; ++place) {
      batch.push_back(generator.memory(place));
      if (batch.size() < 1000 && place + 1 < shape.records) continue;
      bench::must(bank->write({.memories = batch, .fold = false}));
      batch.clear();
    }
    bench::must(bank->fold_graph());
    filled = watch.wall_seconds();
    const bench::Stopwatch building;
    bench::must(bank->rebuild_index({.kind = VectorIndexKind::hnsw, .m = m},
                                    [](const auto&) { return true; }));
    built = building.wall_seconds();
  }
  const bench::Stopwatch opening;
  const auto bank = bench::must(open_embedded_bank({.file = file}));
  const double opened = opening.wall_seconds();
  bench::must(bank->nearest(asked.front(), k, {}));
  const double answered = opening.wall_seconds();
  const auto status = bench::must(bank->vector_index());

  const bench::Int8Scan scan(matrix, shape.dimension);
  const std::string bare_scan =
      fmt::format("bare int8 → float scan ({})", bench::Int8Scan::kernel());
  std::vector<Contender> contenders;
  contenders.push_back(
      {bare_scan, {}, [&](std::span<const float> query) { return scan.nearest(query, k); }});
  contenders.push_back({"**ours, exact**", bare_scan, [&](std::span<const float> query) {
                          return rows_of(bench::must(bank->nearest_exact(query, k)));
                        }});
  std::unique_ptr<bench::Hnsw> index;
  double built_bare = 0;
  const std::string bare_index = "bare hnswlib";
  if (hnsw) {
    const bench::Stopwatch watch;
    index = std::make_unique<bench::Hnsw>(matrix, shape.dimension);
    built_bare = watch.wall_seconds();
    const std::size_t ef =
        least_effort(asked, truth, k, [&](const auto& query, std::size_t effort) {
          index->set_ef(effort);
          return index->nearest(query, k);
        });
    contenders.push_back({bare_index, {}, [&, ef](std::span<const float> query) {
                            index->set_ef(ef);
                            return index->nearest(query, k);
                          }});
    contenders.back().name = bare_index;
    bare_effort = ef;
  }
  const std::size_t ef = least_effort(asked, truth, k, [&](const auto& query, std::size_t effort) {
    return rows_of(bench::must(bank->nearest_with(static_cast<std::int32_t>(effort), query, k)));
  });
  contenders.push_back({"**ours, index**", bare_index, [&, ef](std::span<const float> query) {
                          auto result = bench::must(
                              bank->nearest_with(static_cast<std::int32_t>(ef), query, k));
                          plan = result.plan.index;
                          return rows_of(result);
                        }});
  for (const auto& query : asked) {  // in turn, so that what disturbs one disturbs all
    for (Contender& contender : contenders) {
      const bench::Stopwatch watch;
      Rows rows = contender.search(query);
      contender.seconds.push_back(watch.wall_seconds());
      contender.found.push_back(std::move(rows));
    }
  }

  report.remark(fmt::format(
      "Unit vectors, {}; {} held-out queries, each asked of all in turn. The exact search reads "
      "codes "
      "that all processes share and proves that nothing nearer was left out; the bare scan keeps "
      "40 "
      "candidates of a matrix in its own memory and hopes. The index is a graph over the same "
      "codes "
      "({}, m = {}), each side with the least ef that finds 99 in 100; ours gives ids and float64 "
      "cosines. Built in {} on all cores, {:.1f} MB{}. Opening the bank took {}, the first answer, "
      "by "
      "the index, {} more; filling it {}.",
      shape.clusters == 0 ? "random directions" : fmt::format("{} clusters", shape.clusters),
      queries, plan, status.m, bench::shown_seconds(built), static_cast<double>(status.bytes) / 1e6,
      hnsw ? fmt::format(" (hnswlib: {}, M = 16, ef = {})", bench::shown_seconds(built_bare),
                         bare_effort)
           : "",
      bench::shown_seconds(opened), bench::shown_seconds(answered - opened),
      bench::shown_seconds(filled)));
  report.columns({"what", "p50", "p95", fmt::format("recall@{}", k), "÷ its bare rival, p50"});
  for (Contender& contender : contenders) {
    const double median = bench::percentile(contender.seconds, 0.5);
    const auto rival = std::find_if(contenders.begin(), contenders.end(), [&](const auto& other) {
      return !contender.rival.empty() && other.name == contender.rival;
    });
    report.row({contender.name, bench::shown_seconds(median),
                bench::shown_seconds(bench::percentile(contender.seconds, 0.95)),
                fmt::format("{:.4f}", recall(contender.found, truth)),
                rival == contenders.end()
                    ? ""
                    : fmt::format("{:.2f}", median / bench::percentile(rival->seconds, 0.5))});
  }
  report.print();

  bench::Report adding(fmt::format("Durable adds to {} × {}", shape.records, shape.dimension), argc,
                       argv);
  adding.remark(
      "Each batch is one transaction that is on the disk when it is acknowledged, with its facts, "
      "mentions, full text and graph up to date.");
  adding.columns({"batch", "p50", "p95", "memories/s"});
  std::int64_t place = shape.records + queries;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{10}, std::size_t{100}, std::size_t{1000}}) {
    std::vector<double> seconds;
    const bench::Stopwatch budget;
    while (seconds.size() < 100 && (seconds.size() < 5 || budget.wall_seconds() < 5)) {
      std::vector<Memory> batch;
      while (batch.size() < size) batch.push_back(generator.memory(place++));
      const bench::Stopwatch watch;
      bench::must(bank->write({.memories = batch}));
      seconds.push_back(watch.wall_seconds());
    }
    const double median = bench::percentile(seconds, 0.5);
    adding.row({std::to_string(size), bench::shown_seconds(median),
                bench::shown_seconds(bench::percentile(seconds, 0.95)),
                fmt::format("{:.0f}", static_cast<double>(size) / median)});
  }
  adding.print();
  return 0;
}
