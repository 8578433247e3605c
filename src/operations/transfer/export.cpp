#include "operations/transfer/export.hpp"

#include "model/legacy_record.hpp"

namespace bb5 {

Result<std::int64_t> export_legacy(const MemoryStore& store, const ByteSink& sink) {
  std::int64_t count = 0;
  std::int64_t after = 0;
  std::string text;
  while (true) {
    auto page = store.page({.after_seq = after, .limit = 500});
    if (!page) return std::move(page).error();
    if (page->empty()) break;
    text.clear();
    for (const Memory& memory : *page) {
      text += count++ == 0 ? legacy_array_open : legacy_array_separator;
      write_legacy_record(memory, text);
    }
    after = page->back().seq;
    BB5_TRY(sink(text));
  }
  BB5_TRY(sink(count == 0 ? legacy_array_empty : legacy_array_close));
  return count;
}

}  // namespace bb5
