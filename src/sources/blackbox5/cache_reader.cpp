#include "sources/blackbox5/cache_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sources/blackbox5/vector_text.hpp"

namespace bb5::blackbox5 {
namespace {

bool is_md5(std::string_view key) {
  return key.size() == 32 && std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// The cache names no model; only the old system's two kinds of vectors were ever written to it.
std::string model_of(const std::vector<float>& numbers) {
  if (is_fallback_vector(numbers)) return "blackbox5/fallback-384";
  if (numbers.size() == 1536) return "openai/text-embedding-3-small";
  return fmt::format("unknown/{}", numbers.size());
}

class CacheReader final : public RecordReader {
 public:
  explicit CacheReader(std::size_t window_bytes) : window_(window_bytes) {}

  Result<> open(const std::string& path) { return window_.open(path); }

  Result<std::optional<SourceRecord>> next() override {
    if (done_) return std::optional<SourceRecord>{};
    while (true) {
      json::Cursor cursor(window_.view());
      SourceRecord record;
      std::size_t from = 0;
      const bool got = entry(cursor, record, from);
      // A number that ends with the window might go on behind it.
      if (got && cursor.at_end() && !window_.at_end_of_file()) {
        auto more = window_.grow();
        if (!more) return std::move(more).error();
        if (*more) continue;
      }
      if (got || done_) {
        if (!got) return std::optional<SourceRecord>{};
        record.ordinal = ordinal_++;
        for (LedgerIssue& issue : record.issues) issue.ordinal = record.ordinal;
        record.byte_from = window_.offset() + static_cast<std::int64_t>(from);
        record.byte_to = window_.offset() + static_cast<std::int64_t>(cursor.offset());
        for (LedgerIssue& issue : record.issues) issue.byte_from = record.byte_from;
        window_.consume(cursor.offset());
        begun_ = true;
        return std::optional(std::move(record));
      }
      if (cursor.status() == json::Cursor::Status::incomplete) {
        auto more = window_.grow();
        if (!more) return std::move(more).error();
        if (*more) continue;
      }
      remark(fmt::format("cannot be read on from byte {}: {}",
                         window_.offset() + static_cast<std::int64_t>(cursor.offset()),
                         cursor.message()));
      return std::optional<SourceRecord>{};
    }
  }

  std::vector<LedgerIssue> file_issues() const override { return issues_; }

 private:
  void remark(std::string message) {
    done_ = true;
    issues_.push_back({.kind = LedgerIssue::Kind::warning,
                       .ordinal = -1,
                       .byte_from = window_.offset(),
                       .code = "cache_damaged",
                       .message = std::move(message)});
  }

  /// One `"key": value` with what stands before it; sets done_ at the closing brace.
  bool entry(json::Cursor& cursor, SourceRecord& record, std::size_t& from) {
    if (!begun_) {
      if (!cursor.expect('{')) return false;
    }
    if (cursor.take('}')) {
      done_ = true;
      return false;
    }
    if (begun_ && !cursor.expect(',')) return false;
    cursor.skip_space();
    from = cursor.offset();
    const char* start = cursor.position();
    std::string key;
    VectorText vector;
    if (!cursor.string(key) || !cursor.expect(':') || !read_vector(cursor, vector)) return false;
    if (is_md5(key) && vector.shape == VectorText::Shape::numbers) {
      record.item = EmbeddingCache::Entry{.text_md5 = key,
                                          .model = model_of(vector.numbers),
                                          .embedding = std::move(vector.numbers)};
    } else {
      record.issues.push_back(
          {.kind = LedgerIssue::Kind::quarantined,
           .code = is_md5(key) ? "vector_unusable" : "bad_key",
           .message = is_md5(key) ? "the value is no vector" : "the key is no MD5",
           .raw = std::string(start, cursor.position())});
    }
    return true;
  }

  FileWindow window_;
  bool begun_ = false;
  bool done_ = false;
  std::int64_t ordinal_ = 0;
  std::vector<LedgerIssue> issues_;
};

}  // namespace

Result<std::unique_ptr<RecordReader>> open_cache(const std::string& path,
                                                 std::size_t window_bytes) {
  auto reader = std::make_unique<CacheReader>(window_bytes);
  BB5_TRY(reader->open(path));
  return std::unique_ptr<RecordReader>(std::move(reader));
}

}  // namespace bb5::blackbox5
