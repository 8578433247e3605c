#include "operations/recall/recall.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <unordered_set>

#include <fmt/format.h>

#include "operations/recall/fusion.hpp"
#include "operations/recall/names_of_entities.hpp"
#include "operations/recall/question_vector.hpp"
#include "operations/recall/rank_hits.hpp"

namespace bb5 {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

constexpr std::size_t largest_limit = 10'000;

/// How many hits an arm delivers. Few steps: the pages within one step are of the same ranking.
std::size_t hits_for(std::size_t results) {
  std::size_t hits = ranking::hits_per_arm;
  while (hits < results) hits *= 10;
  return hits;
}

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

/// What an arm came to: hits, or why it was skipped.
struct ArmOutcome {
  ArmReceipt receipt;
  std::vector<Hit> hits;

  static ArmOutcome skipped(const char* arm, std::string why) {
    return {{.arm = arm, .ran = false, .why = std::move(why)}, {}};
  }
  static ArmOutcome of(const char* arm, SearchResult result, Clock::time_point start) {
    ArmReceipt receipt{.arm = arm,
                       .ran = true,
                       .plan = std::move(result.plan),
                       .found = result.hits.size(),
                       .milliseconds = milliseconds_since(start)};
    if (!result.hits.empty()) receipt.best = result.hits.front().score;
    return {std::move(receipt), std::move(result.hits)};
  }
};

class Recalling {
 public:
  Recalling(const Bank& bank, const RecallQuery& query, const RecallModels& models)
      : bank_(bank),
        query_(query),
        models_(models),
        asked_(ranking::asked_words(query.text)),
        filter_(query.filter) {
    filter_.valid_at.reset();
    if (!query.all_times) filter_.valid_at = query.as_of.value_or(now());
  }

  Result<RecallAnswer> run() {
    const auto start = Clock::now();
    BB5_TRY(check(query_));
    auto names = names_of_entities(bank_, query_.filter.entities);
    if (!names) return std::move(names).error();
    filter_.entities = std::move(*names);
    BB5_TRY(find());
    auto order = fuse();
    if (!order) return std::move(order).error();
    BB5_TRY(answer(*order));
    cut_to_budget();
    BB5_TRY(explain());
    answer_.receipt.milliseconds = milliseconds_since(start);
    return std::move(answer_);
  }

 private:
  [[nodiscard]] bool wants(std::string_view arm) const {
    return std::find(query_.strategies.begin(), query_.strategies.end(), arm) !=
           query_.strategies.end();
  }
  [[nodiscard]] std::size_t hits_wanted() const { return hits_for(query_.offset + query_.limit); }

  /// The arms, at once.
  Result<> find() {
    std::future<Result<ArmOutcome>> words;
    if (wants("keyword")) {
      // Where no thread can be had, one after the other.
      const auto how =
          wants("semantic") ? std::launch::async | std::launch::deferred : std::launch::deferred;
      words = std::async(how, [this] { return keyword(); });
    }
    std::optional<Result<ArmOutcome>> meaning;
    if (wants("semantic")) meaning = semantic();
    // Before any error: the other arm must have ended.
    std::optional<Result<ArmOutcome>> by_words;
    if (words.valid()) by_words = words.get();
    for (auto* outcome : {&meaning, &by_words}) {
      if (!*outcome) continue;
      if (!**outcome) return std::move(**outcome).error();
      keep(std::move(***outcome));
    }
    return ok();
  }

  void keep(ArmOutcome outcome) {
    if (outcome.receipt.ran) arms_.push_back({outcome.receipt.arm, std::move(outcome.hits)});
    answer_.receipt.arms.push_back(std::move(outcome.receipt));
  }

  Result<ArmOutcome> semantic() {
    const auto start = Clock::now();
    auto embedder = bank_.embedder();
    if (!embedder) return std::move(embedder).error();
    auto vector = question_vector(bank_, *embedder, query_, models_);
    if (!vector) return std::move(vector).error();
    if (vector->numbers.empty())
      return ArmOutcome::skipped("semantic", std::move(vector->why_none));
    vector_ = std::move(vector->numbers);
    model_ = std::move(embedder->model);
    auto found = bank_.nearest({vector_, model_}, hits_wanted(), filter_);
    // The other arms can still answer; asked again, so can this one.
    if (!found && found.error().code == Errc::conflict) {
      vector_.clear();
      return ArmOutcome::skipped("semantic",
                                 "the bank changed its model: " + found.error().message);
    }
    if (!found) return std::move(found).error();
    return ArmOutcome::of("semantic", std::move(*found), start);
  }

  Result<ArmOutcome> keyword() const {
    if (asked_.terms.empty())
      return ArmOutcome::skipped("keyword", "the question has no words to look for");
    const auto start = Clock::now();
    auto found = bank_.keyword(query_.text, hits_wanted(), filter_);
    if (!found) return std::move(found).error();
    return ArmOutcome::of("keyword", std::move(*found), start);
  }

  [[nodiscard]] std::span<const Hit> hits_of(std::string_view arm) const {
    for (const ArmHits& one : arms_) {
      if (one.arm == arm) return one.hits;
    }
    return {};
  }

  /// One arm that was asked for alone keeps its order, and so does one that alone has a question.
  Result<std::vector<FusedHit>> fuse() {
    const bool one_alone = query_.strategies.size() == 1 || asked_.terms.empty();
    std::string& fusion = answer_.receipt.fusion;
    std::vector<FusedHit> order;
    if (arms_.empty()) return order;
    if (one_alone && arms_.size() == 1) {
      fusion = arms_.front().arm;
      order = fuse_one(arms_.front());
    } else if (query_.reciprocal_ranks) {
      fusion = "rrf";
      order = fuse_ranks(arms_, query_.rrf_k);
      BB5_TRY(drop_unmet(order));
    } else {
      fusion = "weighted";
      auto ranked = rank();
      if (!ranked) return std::move(ranked).error();
      order = std::move(*ranked);
    }
    note_strategy_scores(arms_, order);
    return order;
  }

  /// What the semantic arm found knows nothing of the question's conditions.
  Result<> drop_unmet(std::vector<FusedHit>& order) const {
    if (!asked_.has_conditions()) return ok();
    std::vector<MemoryId> ids;
    for (const FusedHit& one : order) ids.push_back(one.hit.id);
    auto memories = bank_.get(ids, false);
    if (!memories) return std::move(memories).error();
    std::unordered_set<MemoryId> met;
    for (const Memory& memory : *memories) {
      if (ranking::meets_conditions(asked_, memory.content + '\n' + memory.author.value_or("")))
        met.insert(memory.id);
    }
    std::erase_if(order, [&](const FusedHit& one) { return !met.contains(one.hit.id); });
    return ok();
  }

  Result<std::vector<FusedHit>> rank() {
    const auto start = Clock::now();
    const QueryVector vector(vector_, model_);
    Found found{.question = query_.text,
                .asked = asked_,
                .words = hits_of("keyword"),
                .meaning = hits_of("semantic"),
                .vector = vector_.empty() ? nullptr : &vector};
    auto ranked = rank_hits(bank_, found, filter_);
    if (!ranked && ranked.error().code == Errc::conflict) {  // of another model by now
      found.vector = nullptr;
      ranked = rank_hits(bank_, found, filter_);
    }
    if (!ranked) return std::move(ranked).error();
    answer_.receipt.ranking = RankingReceipt{.candidates = ranked->candidates,
                                             .context = ranked->context,
                                             .milliseconds = milliseconds_since(start)};
    return std::move(ranked->order);
  }

  Result<> answer(std::vector<FusedHit>& order) {
    const std::size_t first = std::min(query_.offset, order.size());
    const std::size_t last = std::min(first + query_.limit, order.size());
    std::vector<MemoryId> ids;
    for (std::size_t i = first; i < last; ++i) ids.push_back(order[i].hit.id);
    auto memories = bank_.get(ids, false);
    if (!memories) return std::move(memories).error();
    std::size_t at = first;
    for (Memory& memory : *memories) {
      while (at < last && order[at].hit.id != memory.id)
        ++at;  // a memory may be erased between search and reading
      if (at == last) break;
      answer_.results.push_back({.memory = std::move(memory),
                                 .rank = at + 1,
                                 .score = order[at].hit.score,
                                 .strategy_scores = std::move(order[at].strategy_scores),
                                 .signals = std::move(order[at].signals)});
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
    auto held = bank_.count();
    if (!held) return std::move(held).error();
    receipt.held = *held;
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
  const ranking::AskedWords asked_;
  MemoryFilter filter_;
  std::vector<float> vector_;  // of the question; empty: none
  std::string model_;          // that it is of
  std::vector<ArmHits> arms_;
  RecallAnswer answer_;
};

}  // namespace

Result<RecallAnswer> recall(const Bank& bank, const RecallQuery& query,
                            const RecallModels& models) {
  return Recalling(bank, query, models).run();
}

}  // namespace bb5
