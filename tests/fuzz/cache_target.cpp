// Any bytes as .embedding_cache.json: never an error, entries are well-formed, and the size of the
// window changes nothing.
#include <cmath>
#include <vector>

#include "sources/blackbox5/cache_reader.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

struct Reading {
  std::vector<SourceRecord> records;
  std::vector<LedgerIssue> file_issues;
};

Reading read(const std::string& path, std::size_t window_bytes, std::size_t size) {
  Reading reading;
  auto reader = blackbox5::open_cache(path, window_bytes);
  require(reader.has_value(), "the file can be opened");
  std::int64_t last = 0;
  while (true) {
    auto record = (*reader)->next();
    require(record.has_value(), "a damaged cache is no error");
    if (!*record) break;
    SourceRecord& found = **record;
    require(found.ordinal == std::ssize(reading.records), "ordinals go up by one");
    require(found.byte_from >= last && found.byte_to >= found.byte_from &&
                found.byte_to <= static_cast<std::int64_t>(size),
            "ranges follow each other within the file");
    last = found.byte_to;
    if (const auto* entry = std::get_if<EmbeddingCache::Entry>(&found.item)) {
      require(entry->text_md5.size() == 32 && !entry->model.empty() && !entry->embedding.empty(),
              "an entry is whole");
      for (const float number : entry->embedding)
        require(std::isfinite(number), "a vector is finite");
    } else {
      require(std::holds_alternative<SourceRecord::Quarantined>(found.item) &&
                  found.issues.size() == 1 &&
                  std::ssize(found.issues[0].raw) == found.byte_to - found.byte_from,
              "what is kept out keeps its bytes and says why");
    }
    reading.records.push_back(std::move(found));
  }
  reading.file_issues = (*reader)->file_issues();
  return reading;
}

}  // namespace

void cache(Input input) {
  const MemoryFile file(text_of(input));
  const Reading whole = read(file.path(), input.size() + 64, input.size());
  const Reading pieces = read(file.path(), 1 + input.size() % 61, input.size());
  require(whole.records.size() == pieces.records.size() && whole.file_issues == pieces.file_issues,
          "a small window finds the same entries");
  for (std::size_t i = 0; i < whole.records.size(); ++i) {
    const SourceRecord& a = whole.records[i];
    const SourceRecord& b = pieces.records[i];
    const auto* entry = std::get_if<EmbeddingCache::Entry>(&a.item);
    require(a.issues == b.issues && a.item.index() == b.item.index() &&
                (entry == nullptr || *entry == std::get<EmbeddingCache::Entry>(b.item)),
            "a small window reads the same entry");
  }
}

}  // namespace bb5::fuzz
