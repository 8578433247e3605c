#include "operations/transfer/export.hpp"

#include "model/legacy_record.hpp"

namespace bb5 {

namespace {

void count_vector(const Memory& memory, const std::string& model, ExportReport& report) {
  const bool is_written =
      memory.vector_state == VectorState::indexed && (!memory.raw || memory.raw->embedding_at);
  if (!is_written) return;
  const bool is_kept = memory.given && !memory.given->dropped();
  ++report.vectors[is_kept ? memory.given->model : model];
  report.dropped += memory.given && memory.given->dropped() ? 1 : 0;
}

}  // namespace

Result<ExportReport> export_legacy(const MemoryStore& store, const ByteSink& sink) {
  auto embedder = store.embedder();
  if (!embedder) return std::move(embedder).error();
  ExportReport report;
  std::int64_t after = 0;
  std::string text;
  while (true) {
    auto page = store.page({.after_seq = after, .limit = 500});
    if (!page) return std::move(page).error();
    if (page->empty()) break;
    text.clear();
    for (const Memory& memory : *page) {
      text += report.memories++ == 0 ? legacy_array_open : legacy_array_separator;
      write_legacy_record(memory, text);
      count_vector(memory, embedder->model, report);
    }
    after = page->back().seq;
    BB5_TRY(sink(text));
  }
  BB5_TRY(sink(report.memories == 0 ? legacy_array_empty : legacy_array_close));
  return report;
}

}  // namespace bb5
