#include "operations/index/tune_index.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <set>
#include <span>

namespace bb5 {
namespace {

constexpr std::int32_t hnsw_efforts[] = {16,  20,  25,  32,  40,  50,  64,  80,  100,
                                         128, 160, 200, 256, 320, 400, 512, 720, 1000};
constexpr std::int32_t ivfflat_efforts[] = {1,  2,  3,  4,   6,   8,   11,  16,  23,  32,
                                            45, 64, 91, 128, 181, 256, 362, 512, 724, 1000};

struct Query {
  MemoryId itself;
  std::vector<float> vector;
  std::vector<Hit> truth;
};

Result<std::vector<Memory>> next_after(const MemoryStore& memories, std::int64_t seq,
                                       bool with_embeddings) {
  return memories.page(
      {.after_seq = seq, .limit = 1, .filter = {}, .with_embeddings = with_embeddings});
}

/// The greatest seq in use: there is no asking for it, but for what comes after.
Result<std::int64_t> last_seq(const MemoryStore& memories) {
  std::int64_t below = 0;  // 0, or something is behind it
  std::int64_t above = 1;
  for (bool searching_end = true; searching_end || above - below > 1;) {
    const std::int64_t at = searching_end ? above : below + (above - below) / 2;
    auto next = next_after(memories, at - 1, false);
    if (!next) return std::move(next).error();
    if (next->empty()) {
      searching_end = false;
      above = at;
    } else {
      below = next->front().seq;
      above = searching_end ? std::max(above * 2, below + 1) : std::max(above, below + 1);
    }
  }
  return below;
}

Result<std::vector<Query>> sample(const MemoryStore& memories, const TuneOptions& options) {
  auto last = last_seq(memories);
  if (!last) return std::move(last).error();
  std::vector<Query> queries;
  if (*last == 0) return queries;
  std::mt19937_64 random(options.seed);
  std::set<MemoryId> drawn;
  for (std::size_t tries = 0; tries < options.queries * 4 && queries.size() < options.queries;
       ++tries) {
    const auto after = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(*last));
    auto next = next_after(memories, after, true);
    if (!next) return std::move(next).error();
    if (next->empty() || next->front().embedding.empty()) continue;
    Memory& memory = next->front();
    if (memory.vector_state != VectorState::indexed || !drawn.insert(memory.id).second) continue;
    queries.push_back({memory.id, std::move(memory.embedding), {}});
  }
  return queries;
}

/// The k best others.
std::vector<Hit> without_itself(std::vector<Hit> hits, const MemoryId& itself) {
  std::erase_if(hits, [&](const Hit& hit) { return hit.id == itself; });
  if (hits.size() > TuneReport::k) hits.resize(TuneReport::k);
  return hits;
}

double found_of(const Query& query, const std::vector<Hit>& hits) {
  if (query.truth.empty()) return 1;
  const double last = query.truth.back().score;
  const auto found =
      std::count_if(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.score >= last; });
  return static_cast<double>(found) / static_cast<double>(query.truth.size());
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Asks all queries; `take` gets each one's hits. The median time in milliseconds.
template <class Search, class Take>
Result<double> ask_all(std::span<Query> queries, Search search, Take take) {
  std::vector<double> milliseconds;
  for (Query& query : queries) {
    const auto begun = std::chrono::steady_clock::now();
    auto result = search(query);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - begun;
    if (!result) return std::move(result).error();
    milliseconds.push_back(taken.count());
    if (!take(query, without_itself(std::move(result->hits), query.itself)))
      return Error{Errc::cancelled, "tuning was stopped; the bank searches as before"};
  }
  return median(std::move(milliseconds));
}

std::span<const std::int32_t> efforts_of(VectorIndexKind kind) {
  switch (kind) {
    case VectorIndexKind::hnsw:
      return hnsw_efforts;
    case VectorIndexKind::ivfflat:
      return ivfflat_efforts;
    case VectorIndexKind::none:
      break;
  }
  return {};
}

}  // namespace

Result<TuneReport> tune_index(const MemoryStore& memories, VectorIndex& index,
                              const TuneOptions& options) {
  TuneReport report;
  auto status = index.vector_index();
  if (!status) return std::move(status).error();
  report.index = *status;
  const auto efforts = efforts_of(status->kind);
  if (efforts.empty()) return report;
  auto sampled = sample(memories, options);
  if (!sampled) return std::move(sampled).error();
  std::vector<Query>& queries = *sampled;
  report.queries = queries.size();
  if (queries.empty()) return report;

  const auto total = std::ssize(queries) * (1 + std::ssize(efforts));
  std::int64_t done = 0;
  const auto goes_on = [&] { return !options.progress || options.progress(++done, total); };
  auto exact = ask_all(
      queries,
      [&](const Query& query) { return index.nearest_exact(query.vector, TuneReport::k + 1); },
      [&](Query& query, std::vector<Hit> hits) {
        query.truth = std::move(hits);
        return goes_on();
      });
  if (!exact) return std::move(exact).error();
  report.exact_p50_ms = *exact;

  for (const std::int32_t effort : efforts) {
    const bool one_more = report.chosen.has_value();
    double found = 0;
    auto taken = ask_all(
        queries,
        [&](const Query& query) {
          return index.nearest_with(effort, query.vector, TuneReport::k + 1);
        },
        [&](const Query& query, const std::vector<Hit>& hits) {
          found += found_of(query, hits);
          return goes_on();
        });
    if (!taken) return std::move(taken).error();
    const double recall = std::min(1.0, found / static_cast<double>(queries.size()));
    report.steps.push_back({.effort = effort, .recall = recall, .p50_ms = *taken});
    if (one_more) break;
    if (recall < options.recall) continue;
    report.chosen = effort;
    BB5_TRY(index.set_effort(effort, recall));
    if (recall == 1) break;
  }
  return report;
}

}  // namespace bb5
