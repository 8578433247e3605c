#include "operations/reembed/change_model.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/fail_point.hpp"
#include "operations/reembed/make_vectors.hpp"

namespace bb5 {
namespace {

class ModelChange {
 public:
  ModelChange(Bank& bank, const EmbedderInfo& to, Embedder* embedder,
              const ChangeModelOptions& options)
      : bank_(bank), embedder_(embedder), options_(options) {
    report_.to = to;
  }

  Result<ChangeModelReport> run() {
    auto from = bank_.embedder();
    if (!from) return std::move(from).error();
    report_.from = *from;
    if (*from == report_.to) return report_;
    auto lack = bank_.lack_of(report_.to.model);
    if (!lack) return std::move(lack).error();
    report_.lacking = lack->memories;
    if (lack->memories > 0 && embedder_ == nullptr) return without_embedder();
    report_.stopped = lack->memories > 0 && options_.before && !options_.before(*lack);
    while (!report_.stopped && !report_.changed) {
      BB5_TRY(collect());
      if (!report_.stopped) BB5_TRY(exchange());
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] Error without_embedder() const {
    return {Errc::refused,
            counted() + " no vector of " + report_.to.model + ", and there is no embedder for it",
            "name one that can be used: bb5-memory reembed --to MODEL"};
  }
  [[nodiscard]] std::string counted() const {
    return std::to_string(report_.lacking) +
           (report_.lacking == 1 ? " memory has" : " memories have");
  }

  /// One pass over the memories that have no vector of the next model.
  Result<> collect() {
    for (std::int64_t after = 0;;) {
      auto memories = bank_.lacking(report_.to.model, after, options_.batch);
      if (!memories) return std::move(memories).error();
      if (memories->empty()) return ok();
      if (embedder_ == nullptr) return without_embedder();
      after = memories->back().seq;
      std::int64_t from_cache = 0;
      auto vectors = make_vectors(bank_, *embedder_, *memories, from_cache);
      if (!vectors) return std::move(vectors).error();
      fail_point("change_model.before_batch");
      auto held = bank_.hold_vectors(report_.to, *vectors);
      if (!held) return std::move(held).error();
      report_.embedded += *held;
      report_.from_cache += from_cache;
      report_.passed_over += std::ssize(*memories) - *held;
      const std::int64_t done = report_.embedded + report_.passed_over;
      report_.stopped =
          options_.progress && !options_.progress({done, std::max(done, report_.lacking)});
      if (report_.stopped) return ok();
    }
  }

  /// Leaves all as it is when others wrote memories since the last pass: then there is another one.
  Result<> exchange() {
    auto lock = bank_.lock_migration();
    if (!lock) return std::move(lock).error();
    fail_point("change_model.before_exchange");
    auto lacking = bank_.change_model(report_.to);
    if (!lacking) return std::move(lacking).error();
    fail_point("change_model.exchanged");
    report_.changed = *lacking == 0;
    return ok();
  }

  Bank& bank_;
  Embedder* embedder_;
  const ChangeModelOptions& options_;
  ChangeModelReport report_;
};

}  // namespace

Result<ChangeModelReport> foresee_change(const Bank& bank, const EmbedderInfo& to) {
  auto from = bank.embedder();
  if (!from) return std::move(from).error();
  ChangeModelReport report{.from = *from, .to = to};
  if (*from == to) return report;
  auto lack = bank.lack_of(to.model);
  if (!lack) return std::move(lack).error();
  report.lacking = lack->memories;
  report.stopped = true;
  return report;
}

Result<ChangeModelReport> change_model(Bank& bank, const EmbedderInfo& to, Embedder* embedder,
                                       const ChangeModelOptions& options) {
  return ModelChange(bank, to, embedder, options).run();
}

}  // namespace bb5
