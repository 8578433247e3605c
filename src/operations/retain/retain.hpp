#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "operations/retain/prepare.hpp"
#include "operations/retain/same_statement.hpp"
#include "ports/bank.hpp"
#include "ports/embedder.hpp"
#include "ports/extractor.hpp"

namespace bb5 {

/// A document taken apart, before anything is written.
struct ExtractedDocument {
  PreparedDocument prepared;
  Extraction extraction;
  std::optional<Error> error;  ///< The extractor's; the extraction is empty then.
};

/// Notices that a service is away for all documents, not for one of them: each would wait for it
/// until its own deadline. Safe to use from several threads at once.
class Outage {
 public:
  /// What a document met; nothing: it was answered. `refused` is for good, `unavailable` may be the
  /// document's own fault, so only several in a row are.
  void saw(const std::optional<Error>& error);
  /// Why further documents are not tried.
  [[nodiscard]] std::optional<Error> over() const;

 private:
  static constexpr int enough = 3;
  mutable std::mutex mutex_;
  int in_a_row_ = 0;  // guarded by mutex_
  Error error_;       // guarded by mutex_
};

/// Of one run over many documents.
struct Outages {
  Outage extractor;
  Outage bank;
};

/// How documents become memories. What it points at outlives it.
struct RetainSettings {
  const Extractor& extractor;
  Embedder* embedder = nullptr;  ///< None: memories are kept and wait for their vectors.
  bool keep_secrets = false;
  /// Memories at least so near to one that is held are counted as it (same_statement.hpp); more
  /// than 1: only equal words are.
  double near_duplicate = near_duplicate_cosine;
  std::size_t jobs = 1;        ///< Documents that are extracted at the same time.
  Outages* outages = nullptr;  ///< Over several calls; none: each call begins anew.
  /// Told of each document that was extracted, in the order given, from the calling thread.
  std::function<void(const ExtractedDocument&)> extracted = {};
};

/// In the order given.
[[nodiscard]] std::vector<ExtractedDocument> extract_documents(
    std::vector<PreparedDocument> documents, const RetainSettings& settings);

/// What became of one document.
struct RetainReport {
  enum class State : std::uint8_t { retained, unchanged, failed };
  std::string source;
  State state = State::retained;
  std::optional<Error> error;        ///< When it failed: nothing of it was written.
  std::int64_t memories = 0;         ///< That it says, each once.
  std::int64_t added = 0;            ///< Of these, new in the bank.
  std::int64_t said_before = 0;      ///< Of these, held word by word.
  std::int64_t near_duplicates = 0;  ///< Of these, held in other words.
  std::int64_t no_longer_said = 0;   ///< That it said when it was last read.
  std::int64_t entities = 0;
  std::int64_t relationships = 0;
  std::int64_t without_vector = 0;  ///< Of those added.
  bool embedder_failed = false;     ///< For that reason; a warning says why.
  std::map<std::string, std::int64_t> secrets;
  std::int64_t recalled_blocks = 0;
  std::vector<std::string> warnings;
  ServiceUsage usage;
};

/// Retains documents, a report for each in the order given. A document that the bank knows as it is
/// is left alone. The others are extracted side by side and embedded in one go; some are written in
/// one transaction together, so that a kill leaves whole documents only. What fails for one leaves
/// the others alone. Documents at once bound the memory used: some dozens are good.
/// The bank's embedder is recorded when it has none yet. Two processes may retain the same
/// document: the second finds it done.
[[nodiscard]] std::vector<RetainReport> retain_documents(Bank& bank,
                                                         std::vector<Document> documents,
                                                         const RetainSettings& settings);

/// Lets a document say nothing any more: it is gone. Nothing when the bank does not know it.
[[nodiscard]] Result<std::optional<RetainReport>> retract_document(Bank& bank,
                                                                   std::string_view source);

}  // namespace bb5
