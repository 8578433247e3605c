#include "sources/blackbox5/blackbox5_source.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "sources/blackbox5/cache_reader.hpp"
#include "sources/blackbox5/records.hpp"

namespace bb5 {
namespace {

namespace fs = std::filesystem;
using blackbox5::ArrayReader;
using blackbox5::Parts;

class ArrayRecordReader final : public RecordReader {
 public:
  ArrayRecordReader(LedgerPart part, MemorySource::ReadOptions options)
      : part_(part), options_(std::move(options)) {}

  Result<> open(const std::string& path) { return array_.open(path); }

  Result<std::optional<SourceRecord>> next() override {
    auto element =
        array_.next([&](json::Cursor& cursor) { return blackbox5::read_parts(cursor, parts_); });
    if (!element) return std::move(element).error();
    if (!*element) return std::optional<SourceRecord>{};
    return std::optional(record(**element));
  }

  std::vector<LedgerIssue> file_issues() const override { return array_.file_issues(); }

 private:
  SourceRecord record(const ArrayReader::Element& element) {
    if (!element.problem.empty())
      return blackbox5::quarantined(element, element.code, element.problem);
    switch (part_) {
      case LedgerPart::entities:
        return blackbox5::entity_record(element, parts_);
      case LedgerPart::relationships:
        return blackbox5::relationship_record(element, parts_);
      case LedgerPart::memories:
      case LedgerPart::embedding_cache:
        break;
    }
    return blackbox5::memory_record(element, parts_, options_);
  }

  LedgerPart part_;
  MemorySource::ReadOptions options_;
  ArrayReader array_;
  Parts parts_;
};

/// What a file of this name holds; nothing: it is none of ours.
std::optional<LedgerPart> part_of(std::string_view name) {
  if (name == ".embedding_cache.json") return LedgerPart::embedding_cache;
  if (name == "entities.json") return LedgerPart::entities;
  if (name == "relationships.json") return LedgerPart::relationships;
  if (name == "memories.json" || name.ends_with("_memories.json")) return LedgerPart::memories;
  return std::nullopt;
}

class Blackbox5Source final : public MemorySource {
 public:
  Blackbox5Source(fs::path folder, std::vector<File> files)
      : folder_(std::move(folder)), files_(std::move(files)) {}

  Result<std::vector<File>> files() const override { return files_; }
  std::string path_of(std::string_view file) const override { return (folder_ / file).string(); }

  Result<std::unique_ptr<RecordReader>> open(const File& file, const std::string& path,
                                             const ReadOptions& options) const override {
    if (file.part == LedgerPart::embedding_cache) return blackbox5::open_cache(path);
    auto reader = std::make_unique<ArrayRecordReader>(file.part, options);
    BB5_TRY(reader->open(path));
    return std::unique_ptr<RecordReader>(std::move(reader));
  }

 private:
  fs::path folder_;
  std::vector<File> files_;
};

/// Memories first (the whole before its parts, so that those are the repetitions), then what hangs
/// on them.
int reading_order(const MemorySource::File& file) {
  if (file.name == "memories.json") return 0;
  if (file.name == "all_memories.json") return 1;
  return 2 + static_cast<int>(file.part);
}

}  // namespace

Result<std::unique_ptr<MemorySource>> open_blackbox5_source(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    return Error{Errc::not_found, fmt::format("there is no {}", path),
                 "name the folder that holds memories.json, or the file itself"};
  if (fs::is_regular_file(status)) {
    const fs::path file = fs::absolute(path);
    const std::string name = file.filename().string();
    std::vector<MemorySource::File> files = {{name, part_of(name).value_or(LedgerPart::memories)}};
    return std::unique_ptr<MemorySource>(
        std::make_unique<Blackbox5Source>(file.parent_path(), std::move(files)));
  }
  if (!fs::is_directory(status))
    return Error{Errc::invalid_argument, fmt::format("{} is neither a folder nor a file", path)};

  std::vector<MemorySource::File> files;
  fs::directory_iterator entries(path, error);
  if (error) return Error{Errc::refused, fmt::format("cannot list {}: {}", path, error.message())};
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (const auto part = part_of(name); part && entry.is_regular_file(error))
      files.push_back({name, *part});
  }
  std::sort(files.begin(), files.end(),
            [](const MemorySource::File& a, const MemorySource::File& b) {
              return std::pair(reading_order(a), a.name) < std::pair(reading_order(b), b.name);
            });
  if (files.empty()) {
    return Error{
        Errc::invalid_argument,
        fmt::format(
            "{} holds no memories.json, entities.json, relationships.json or *_memories.json",
            path),
        "name the folder that holds memories.json, or the file itself"};
  }
  return std::unique_ptr<MemorySource>(
      std::make_unique<Blackbox5Source>(fs::absolute(path), std::move(files)));
}

}  // namespace bb5
