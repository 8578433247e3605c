// How often does the ranking (src/ranking) find what answers a question? (design §7, figure 12)
// Conversations of LoCoMo, a turn is a memory; no language model, no reranker. Each signal's rivals
// are here too: each arm alone, reciprocal ranks, the two arms' scores added.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "benchmarks/support/haystack.hpp"
#include "benchmarks/support/locomo.hpp"
#include "benchmarks/support/measure.hpp"
#include "benchmarks/support/retrieval_metrics.hpp"
#include "benchmarks/support/stored_haystack.hpp"
#include "benchmarks/support/vector_cache.hpp"
#include "benchmarks/support/weight_fit.hpp"
#include "embedders/local/local_embedder.hpp"
#include "engine/open.hpp"
#include "operations/recall/fusion.hpp"

namespace {

using namespace bb5;
using bench::Haystack;
using Order = std::vector<std::size_t>;

struct Mode {
  std::string name;
  std::function<Order(const Haystack&, const bench::AskedQuestion&)> order;
};

Order by_ranks(const Haystack& in, const bench::AskedQuestion& question) {
  const ArmHits arms[] = {{"semantic", in.hits_by_meaning(question)},
                          {"keyword", in.hits_by_words(question)}};
  Order order;
  for (const FusedHit& one : fuse_ranks(arms, 60))
    order.push_back(static_cast<std::size_t>(one.hit.seq));
  return order;
}

/// Half the score of each arm, by its best.
Order by_sums(const Haystack& in, const bench::AskedQuestion& question) {
  std::map<std::size_t, double> sums;
  for (const auto* hits : {&in.hits_by_meaning(question), &in.hits_by_words(question)}) {
    for (const Hit& hit : *hits)
      sums[static_cast<std::size_t>(hit.seq)] +=
          std::max(0.0, hit.score) / std::max(1e-9, hits->front().score);
  }
  Order order;
  for (const auto& [turn, sum] : sums) order.push_back(turn);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  return order;
}

Order of_hits(const std::vector<Hit>& hits) {
  Order order;
  for (const Hit& hit : hits) order.push_back(static_cast<std::size_t>(hit.seq));
  return order;
}

Order of_ranking(const bench::RankedTurns& ranked) {
  Order order;
  for (const auto& one : ranked.ranking.order) order.push_back(ranked.turns[one.passage]);
  return order;
}

std::vector<Mode> modes() {
  using bench::Knowledge;
  const auto ranked = [](Knowledge knowledge) {
    return [knowledge](const Haystack& in, const bench::AskedQuestion& question) {
      return of_ranking(in.rank(question, knowledge));
    };
  };
  return {
      {"words alone (BM25)",
       [](const auto& in, const auto& q) { return of_hits(in.hits_by_words(q)); }},
      {"meaning alone (cosine)",
       [](const auto& in, const auto& q) { return of_hits(in.hits_by_meaning(q)); }},
      {"reciprocal ranks, k = 60", [](const auto& in, const auto& q) { return by_ranks(in, q); }},
      {"½ words + ½ meaning", [](const auto& in, const auto& q) { return by_sums(in, q); }},
      {"GENERIC: no thread, author, date", ranked({.threads = false, .words = true})},
      {"LEAN: no word vectors", ranked({.threads = true, .words = false})},
      {"**FULL**", ranked({.threads = true, .words = true})}};
}

struct Score {
  bench::RetrievalMetrics all;
  std::map<bench::Category, bench::RetrievalMetrics> by_category;
  void add(const bench::AskedQuestion& question, const Order& order) {
    const auto measured = bench::measure_order(order, question.evidence);
    all.add(measured);
    by_category[question.category].add(measured);
  }
};

std::string percent(double share) {
  return fmt::format("{:.1f}", share * 100);
}

std::vector<std::string> cells(std::string name, const Score& score) {
  const auto mean = score.all.mean();
  std::vector<std::string> row = {std::move(name)};
  for (const double share : mean.recall) row.push_back(percent(share));
  row.push_back(percent(mean.ndcg10));
  row.push_back(percent(mean.reciprocal_rank));
  std::string by_category;
  for (const auto& [category, metrics] : score.by_category)
    by_category += (by_category.empty() ? "" : " / ") + percent(metrics.mean().recall10());
  row.push_back(by_category);
  return row;
}

void columns(bench::Report& report) {
  std::vector<std::string> names = {"% of"};
  for (const std::size_t depth : bench::RetrievalMetrics::depths)
    names.push_back(fmt::format("R@{}", depth));
  for (const char* name : {"NDCG@10", "MRR", "R@10 multi-hop / temporal / open / single"})
    names.emplace_back(name);
  report.columns(std::move(names));
}

Score score_mode(const Mode& mode, const std::vector<Haystack>& haystacks) {
  Score score;
  for (const Haystack& haystack : haystacks) {
    for (const auto& question : haystack.questions())
      score.add(question, mode.order(haystack, question));
  }
  return score;
}

/// The same questions, asked of a store as a user asks; each haystack is a bank of its own.
Score score_store(const std::string& store, const std::vector<Haystack>& haystacks,
                  const std::vector<bench::Conversation>& conversations,
                  bench::VectorCache& vectors, const EmbedderInfo& embedder) {
  Score score;
  for (std::size_t i = 0; i < haystacks.size(); ++i) {
    const Addresses addresses{.store = store, .graph = {}, .bank = fmt::format("quality_{}", i)};
    auto bank = open_bank(addresses, OpenMode::create);
    if (bank) {
      if (auto recorded = (*bank)->set_embedder(embedder); !recorded) bank = recorded.error();
    }
    if (!bank) {
      fmt::print(stderr, "{}\n", bank.error().message);
      std::exit(1);
    }
    const auto together =
        haystacks.size() == 1 ? std::span(conversations) : std::span(conversations).subspan(i, 1);
    const bench::StoredHaystack stored(std::move(*bank), together, vectors);
    for (const auto& question : haystacks[i].questions())
      score.add(question, stored.ask(question.text));
  }
  return score;
}

/// Of the median question.
double ranking_seconds(const std::vector<Haystack>& haystacks) {
  std::vector<double> seconds;
  for (const Haystack& haystack : haystacks) {
    for (const auto& question : haystack.questions())
      seconds.push_back(haystack.rank(question, {.threads = true, .words = true}).seconds);
  }
  return bench::percentile(seconds, 0.5);
}

/// Weights chosen on all conversations but the one whose questions are answered with them.
void leave_one_out(const std::vector<Haystack>& haystacks, bench::Report& report) {
  std::map<std::string, std::vector<bench::FitQuestion>> folds;
  for (const Haystack& haystack : haystacks) {
    for (const auto& question : haystack.questions()) {
      folds[haystack.conversation_of(question)].push_back(
          bench::fit_question(haystack.rank(question, {.threads = true, .words = true}), question));
    }
  }
  Score score;
  std::string chosen;
  for (const auto& [left_out, questions] : folds) {
    std::vector<bench::FitQuestion> others;
    for (const auto& [name, theirs] : folds) {
      if (name != left_out) others.insert(others.end(), theirs.begin(), theirs.end());
    }
    const auto weights = bench::fit_weights(others, ranking::talk_weights);
    for (const auto& question : questions)
      score.add({.category = question.category, .evidence = question.evidence},
                bench::order_by(question, weights));
    chosen += fmt::format("{}without {}: {:.3f}", chosen.empty() ? "" : "; ", left_out,
                          fmt::join(weights, " "));
  }
  report.row(cells("FULL, weights fitted to the other conversations", score));
  report.remark("Weights fitted (words, meaning, speaker, answer, time, when, length, question): " +
                chosen + ".");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Recall@k, NDCG@10 and MRR of the ranking on LoCoMo."};
  std::string data = "../shared/data/locomo-dev/locomo-dev.json";
  std::string cache = "build/recall_quality_vectors.bin";
  std::vector<std::string> stores = {"memory:"};
  bool one_bank = false;
  bool fit = false;
  app.add_option("--data", data, "conversations and questions (format: support/locomo.hpp)")
      ->capture_default_str();
  app.add_option("--cache", cache, "file that keeps vectors between runs")->capture_default_str();
  app.add_option("--store", stores,
                 "stores to ask too, in banks quality_0 … that are not there yet (repeatable)")
      ->capture_default_str();
  app.add_flag("--one-bank", one_bank, "all conversations in one bank, not each in its own");
  app.add_flag("--fit", fit, "fit the weights too, leaving out one conversation in turn (minutes)");
  CLI11_PARSE(app, argc, argv);

  const auto conversations = bench::read_locomo(data);
  if (!conversations) {
    fmt::print(stderr, "{}; --data names the file\n", conversations.error().message);
    return conversations.error().code == Errc::not_found ? 77 : 1;  // 77, ctest: skipped
  }
  const auto embedder = new_local_embedder();
  if (!embedder) {
    fmt::print(stderr, "{}: {}\n", embedder.error().message, embedder.error().remedy);
    return 77;
  }
  bench::VectorCache vectors(**embedder, cache);
  std::vector<Haystack> haystacks;
  if (one_bank) {
    haystacks.emplace_back(*conversations, vectors);
  } else {
    for (const auto& one : *conversations) haystacks.emplace_back(std::span(&one, 1), vectors);
  }

  std::size_t questions = 0;
  std::size_t turns = 0;
  for (const Haystack& haystack : haystacks) {
    questions += haystack.questions().size();
    turns += haystack.size();
  }
  bench::Report report(one_bank ? "All conversations in one bank" : "Each conversation a bank",
                       argc, argv);
  report.remark(fmt::format(
      "{} questions of {} conversations with {} turns. A memory is a turn; relevant are the turns "
      "that the data names as evidence. all-MiniLM-L6-v2.",
      questions, conversations->size(), turns));
  columns(report);
  for (const Mode& mode : modes()) report.row(cells(mode.name, score_mode(mode, haystacks)));
  for (const std::string& store : stores) {
    report.row(cells("recall, " + without_password(store),
                     score_store(store, haystacks, *conversations, vectors, (*embedder)->info())));
  }
  report.remark(fmt::format(
      "Ranking what the arms found (FULL, vectors and neighbours of words given) takes {} of CPU "
      "a question.",
      bench::shown_seconds(ranking_seconds(haystacks))));
  if (fit) leave_one_out(haystacks, report);
  report.print();
}
