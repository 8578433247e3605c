#include "operations/reembed/reembed.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.hpp"

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

/// Vectors for the memories, in their order: those that were seen before, the rest computed.
Result<std::vector<MadeVector>> make_vectors(const Bank& bank, Embedder& embedder,
                                             const std::vector<Memory>& memories,
                                             std::int64_t& from_cache) {
  const std::string model = embedder.info().model;
  std::vector<MadeVector> made;
  std::vector<std::size_t> unseen;
  std::vector<std::string_view> texts;
  for (const Memory& memory : memories) {
    auto cached = bank.cached_embedding(model, to_hex(md5(memory.content)));
    if (!cached) return std::move(cached).error();
    // Another length: of a service that once was asked for other dimensions.
    const bool usable = *cached && (*cached)->size() == embedder.info().dimension;
    if (!usable) {
      unseen.push_back(made.size());
      texts.push_back(memory.content);
    }
    made.push_back({memory.id, content_sha256_of(memory.content),
                    usable ? std::move(**cached) : std::vector<float>{}});
  }
  from_cache = std::ssize(memories) - std::ssize(unseen);
  if (texts.empty()) return made;
  auto vectors = embedder.embed(texts);
  if (!vectors) return std::move(vectors).error();
  for (std::size_t i = 0; i < unseen.size(); ++i)
    made[unseen[i]].embedding = std::move((*vectors)[i]);
  return made;
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
