#include "operations/reembed/reembed.hpp"

#include <algorithm>
#include <utility>

#include "operations/reembed/make_vectors.hpp"

namespace bb5 {
namespace {

PageRequest waiting_after(std::int64_t seq, std::size_t limit) {
  return {.after_seq = seq,
          .limit = limit,
          .filter = {.kinds = {MemoryKind::memory}},
          .with_embeddings = false,
          .without_vector = true};
}

Result<std::int64_t> count_waiting(const Bank& bank) {
  constexpr std::size_t limit = 1000;
  std::int64_t count = 0;
  for (std::int64_t after = 0;;) {
    auto page = bank.page(waiting_after(after, limit));
    if (!page) return std::move(page).error();
    count += std::ssize(*page);
    if (page->size() < limit) return count;
    after = page->back().seq;
  }
}

}  // namespace

Result<ReembedReport> embed_missing(Bank& bank, Embedder& embedder, const ReembedOptions& options) {
  BB5_TRY(bank.set_embedder(embedder.info()));
  ReembedReport report;
  auto waiting = count_waiting(bank);
  if (!waiting) return std::move(waiting).error();
  report.waiting = *waiting;
  for (std::int64_t after = 0;;) {
    auto memories = bank.page(waiting_after(after, options.batch));
    if (!memories) return std::move(memories).error();
    if (memories->empty()) return report;
    after = memories->back().seq;
    std::int64_t from_cache = 0;
    auto vectors = make_vectors(bank, embedder, *memories, from_cache);
    if (!vectors) return std::move(vectors).error();
    auto given = bank.give_vectors(embedder.info(), *vectors);
    if (!given) return std::move(given).error();
    report.embedded += *given;
    report.from_cache += from_cache;
    report.passed_over += std::ssize(*memories) - *given;
    const std::int64_t done = report.embedded + report.passed_over;
    report.stopped = options.progress && !options.progress({done, std::max(done, report.waiting)});
    if (report.stopped) return report;
  }
}

}  // namespace bb5
