#include "operations/recall/recall.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "operations/recall/fusion.hpp"
#include "operations/recall/names_of_entities.hpp"

namespace bb5 {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Candidates per arm: enough for fusion to see what only one of them ranks high.
constexpr std::size_t fewest_candidates = 100;
constexpr std::size_t largest_limit = 10'000;
/// Equal weights of the calibrated scores (docs/decisions/2026-11-24-fusion.md).
constexpr double arm_weight = 0.5;

Result<> check(const RecallQuery& query) {
  if (query.limit < 1 || query.limit > largest_limit) {
    return Error{Errc::invalid_argument,
                 fmt::format("limit {} is not between 1 and {}", query.limit, largest_limit),
                 "ask for fewer, and for the next page with offset"};
  }
  if (query.tokens == 0)
    return Error{Errc::invalid_argument, "a budget of 0 tokens holds nothing",
                 "give the number of tokens that the answer may take, or leave it out"};
  BB5_TRY(validate(query.filter));
  if (query.text.find_first_not_of(" \t\r\n") == std::string::npos && query.embedding.empty()) {
    return Error{Errc::invalid_argument, "the question is empty", "give words, or a vector"};
  }
  if (query.strategies.empty())
    return Error{Errc::invalid_argument, "no strategy is named", "name semantic, keyword or both"};
  for (const std::string& strategy : query.strategies) {
    if (strategy != "semantic" && strategy != "keyword") {
      return Error{Errc::invalid_argument, fmt::format("there is no strategy `{}`", strategy),
                   "name semantic, keyword or both"};
    }
  }
  return ok();
}

class Recalling {
 public:
  Recalling(const Bank& bank, const RecallQuery& query, const RecallModels& models)
      : bank_(bank), query_(query), models_(models), filter_(query.filter) {
    filter_.valid_at.reset();
    if (!query.all_times) filter_.valid_at = query.as_of.value_or(now());
  }

  Result<RecallAnswer> run() {
    const auto start = Clock::now();
    BB5_TRY(check(query_));
    auto names = names_of_entities(bank_, query_.filter.entities);
    if (!names) return std::move(names).error();
    filter_.entities = std::move(*names);
    const auto wants = [&](const char* arm) {
      return std::find(query_.strategies.begin(), query_.strategies.end(), arm) !=
             query_.strategies.end();
    };
    if (wants("semantic")) BB5_TRY(semantic());
    if (wants("keyword")) BB5_TRY(keyword());
    BB5_TRY(answer());
    cut_to_budget();
    BB5_TRY(explain());
    answer_.receipt.milliseconds = milliseconds_since(start);
    return std::move(answer_);
  }

 private:
  [[nodiscard]] std::size_t candidates() const {
    return std::max(fewest_candidates, query_.offset + query_.limit);
  }

  void skip(const char* arm, std::string why) {
    answer_.receipt.arms.push_back({.arm = arm, .ran = false, .why = std::move(why)});
  }

  void keep(const char* arm, SearchResult result, Clock::time_point start) {
    ArmReceipt receipt{.arm = arm,
                       .ran = true,
                       .plan = std::move(result.plan),
                       .found = result.hits.size(),
                       .milliseconds = milliseconds_since(start)};
    if (!result.hits.empty()) receipt.best = result.hits.front().score;
    answer_.receipt.arms.push_back(std::move(receipt));
    arms_.push_back({.arm = arm, .weight = arm_weight, .hits = std::move(result.hits)});
  }

  /// Given, seen before, or computed now; empty: there is none, and the receipt says why.
  Result<std::vector<float>> question_vector(const EmbedderInfo& bank_embedder) {
    if (!query_.embedding.empty()) return query_.embedding;
    const std::string text_md5 = to_hex(md5(query_.text));
    auto cached = bank_.cached_embedding(bank_embedder.model, text_md5);
    if (!cached) return std::move(cached).error();
    if (*cached && (*cached)->size() == bank_embedder.dimension && has_direction(**cached)) {
      // A cache that cannot be written to is no reason not to answer.
      if (models_.cache != nullptr)
        static_cast<void>(models_.cache->note_use(bank_embedder.model, text_md5, now()));
      return std::move(**cached);
    }
    if (models_.embedder == nullptr || models_.embedder->info() != bank_embedder) {
      skip("semantic",
           !models_.why_none.empty()
               ? models_.why_none
               : fmt::format("no embedder for {}, and the question's vector is not cached",
                             bank_embedder.model));
      return std::vector<float>();
    }
    const std::string_view text = query_.text;
    auto embedded = models_.embedder->embed({&text, 1});
    if (embedded) {
      const EmbeddingCache::Entry entry{text_md5, bank_embedder.model, embedded->front()};
      if (models_.cache != nullptr)
        static_cast<void>(
            models_.cache->keep_computed(std::span(&entry, 1), now(), question_cache_bytes));
      return std::move(embedded->front());
    }
    // The other arms can still answer.
    skip("semantic", embedded.error().message);
    return std::vector<float>();
  }

  Result<> semantic() {
    auto embedder = bank_.embedder();
    if (!embedder) return std::move(embedder).error();
    if (embedder->dimension == 0 && query_.embedding.empty())
      return skip("semantic", "no memory of this bank has a vector"), ok();
    auto vector = question_vector(*embedder);
    if (!vector) return std::move(vector).error();
    if (vector->empty()) return ok();
    const auto start = Clock::now();
    auto found = bank_.nearest({*vector, embedder->model}, candidates(), filter_);
    // The other arms can still answer; asked again, so can this one.
    if (!found && found.error().code == Errc::conflict)
      return skip("semantic", "the bank changed its model: " + found.error().message), ok();
    if (!found) return std::move(found).error();
    keep("semantic", std::move(*found), start);
    return ok();
  }

  Result<> keyword() {
    const auto start = Clock::now();
    auto found = bank_.keyword(query_.text, candidates(), filter_);
    if (!found) return std::move(found).error();
    keep("keyword", std::move(*found), start);
    return ok();
  }

  Result<> answer() {
    const auto fused =
        query_.reciprocal_ranks ? fuse_ranks(arms_, query_.rrf_k) : fuse_weighted(arms_);
    answer_.receipt.fusion = arms_.size() == 1         ? arms_.front().arm
                             : query_.reciprocal_ranks ? "rrf"
                                                       : "weighted";
    const std::size_t first = std::min(query_.offset, fused.size());
    const std::size_t last = std::min(first + query_.limit, fused.size());
    std::vector<MemoryId> ids;
    for (std::size_t i = first; i < last; ++i) ids.push_back(fused[i].hit.id);
    auto memories = bank_.get(ids, false);
    if (!memories) return std::move(memories).error();
    std::size_t at = first;
    for (Memory& memory : *memories) {
      while (at < last && fused[at].hit.id != memory.id)
        ++at;  // a memory may be erased between search and reading
      if (at == last) break;
      answer_.results.push_back({.memory = std::move(memory),
                                 .rank = at + 1,
                                 .score = fused[at].hit.score,
                                 .strategy_scores = fused[at].strategy_scores});
    }
    return ok();
  }

  void cut_to_budget() {
    if (!query_.tokens) return;
    std::vector<std::string_view> contents;
    for (const RecalledMemory& result : answer_.results) contents.push_back(result.memory.content);
    const TokenBudget fitted = fit_into(*query_.tokens, contents);
    answer_.results.resize(answer_.results.size() - fitted.left_out);
    answer_.receipt.tokens = fitted;
  }

  Result<> explain() {
    RecallReceipt& receipt = answer_.receipt;
    receipt.asked = query_.limit;
    receipt.valid_at = filter_.valid_at;
    receipt.returned = answer_.results.size();
    auto page = bank_.stats();
    if (!page) return std::move(page).error();
    receipt.held = page->memories;
    const std::size_t left_out = receipt.tokens ? receipt.tokens->left_out : 0;
    if (left_out > 0)
      receipt.short_of = fmt::format("the budget of tokens ({}) holds {} of {}, the next takes {}",
                                     receipt.tokens->budget, receipt.returned,
                                     receipt.returned + left_out, receipt.tokens->next);
    if (receipt.returned + left_out < receipt.asked) {
      std::string why = receipt.short_of;
      for (const ArmReceipt& arm : receipt.arms) {
        if (!why.empty()) why += "; ";
        if (!arm.ran) {
          why += fmt::format("{}: skipped, {}", arm.arm, arm.why);
        } else if (arm.plan.looked_at < 0) {  // not known
          why += fmt::format("{}: {} match", arm.arm, arm.found);
        } else {
          why += fmt::format("{}: {} of {} match", arm.arm, arm.found, arm.plan.looked_at);
        }
      }
      receipt.short_of = std::move(why);
    }
    auto steps = bank_.derived_steps();
    if (!steps) return std::move(steps).error();
    for (auto& step : *steps) {
      if (step.state != "ready") receipt.unfinished.push_back(std::move(step));
    }
    return ok();
  }

  const Bank& bank_;
  const RecallQuery& query_;
  const RecallModels& models_;
  MemoryFilter filter_;
  std::vector<ArmHits> arms_;
  RecallAnswer answer_;
};

}  // namespace

Result<RecallAnswer> recall(const Bank& bank, const RecallQuery& query,
                            const RecallModels& models) {
  return Recalling(bank, query, models).run();
}

}  // namespace bb5
