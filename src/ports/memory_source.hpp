#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "model/graph.hpp"
#include "model/memory.hpp"
#include "ports/memory_search.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5 {

/// One record as a source gives it.
struct SourceRecord {
  /// Nothing can be made of it; the bytes and the reason are in `issues`.
  struct Quarantined {};

  std::int64_t ordinal = 0;  ///< From 0, quarantined records included.
  std::int64_t byte_from = 0;
  std::int64_t byte_to = 0;
  std::variant<Quarantined, Memory, EntityFact, RelationshipFact, EmbeddingCache::Entry> item;
  /// For memories: the legacy id as JSON text, from which ids are made. `id` is set for
  /// occurrence 1.
  std::string legacy_id_json;
  /// For memories: the record named no id, so its content is its identity: one that is held
  /// already, whatever its other fields say, is the same memory.
  bool identity_by_content = false;
  std::size_t vector_length = 0;    ///< Numbers in the memory's vector, indexed or not; 0: none.
  std::vector<LedgerIssue> issues;  ///< Warnings, or why it is quarantined.
};

/// Reads one file from its start, record by record, in bounded memory (some times the largest
/// record). Not thread-safe.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// The next record; nothing at the end. Errors: not_found, refused, unavailable when the file
  /// cannot be read; corrupt when it is no file of this kind at all (nothing of it was a record).
  virtual Result<std::optional<SourceRecord>> next() = 0;
  /// After the end: remarks on the file as a whole (cut off, bytes after the end), ordinal −1.
  [[nodiscard]] virtual std::vector<LedgerIssue> file_issues() const = 0;
};

/// Where memories are taken over from. Opened read-only; never written to.
class MemorySource {
 public:
  virtual ~MemorySource() = default;

  struct File {
    std::string name;  ///< Relative to the source, `/` between parts.
    LedgerPart part = LedgerPart::memories;
  };
  /// In the order in which they are to be read. Errors: not_found, invalid_argument (nothing to
  /// take over).
  virtual Result<std::vector<File>> files() const = 0;
  /// Absolute path of a file of the source.
  [[nodiscard]] virtual std::string path_of(std::string_view file) const = 0;
  /// What a reader needs to know to tell the model of a vector.
  struct ReadOptions {
    EmbedderInfo embedder;     ///< The bank's: vectors of this model are indexed.
    std::string source_model;  ///< Model of vectors whose file names none; empty: unknown, but 1536
                               ///< numbers are openai/text-embedding-3-small.
  };
  /// `path`: the file itself or a copy of it.
  virtual Result<std::unique_ptr<RecordReader>> open(const File& file, const std::string& path,
                                                     const ReadOptions& options) const = 0;
};

}  // namespace bb5
