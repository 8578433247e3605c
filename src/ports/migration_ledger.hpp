#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace bb5 {

/// What a file's records become.
enum class LedgerPart : std::uint8_t {
  memories = 0,
  entities = 1,
  relationships = 2,
  embedding_cache = 3
};

/// A record that was kept out (quarantined, rejected), or kept with a remark (warning).
struct LedgerIssue {
  enum class Kind : std::uint8_t { quarantined = 0, rejected = 1, warning = 2 };
  Kind kind = Kind::warning;
  std::int64_t ordinal = 0;    ///< Place of the record in its file, from 0; -1: the file itself.
  std::int64_t byte_from = 0;  ///< Where it starts in its file.
  std::string pointer;  ///< JSON pointer within the record, `/embedding/3`; empty: all of it.
  std::string code;     ///< `vector_fallback`, `duplicate_id`, … (docs/damage.md)
  std::string message;
  std::string raw;  ///< Quarantined: the record's bytes, any bytes. Else empty.
  bool operator==(const LedgerIssue&) const = default;
};

/// One transaction of a run over consecutive records of one file.
struct LedgerBatch {
  RunId run;
  std::string file;  ///< Relative to the source folder, `/` between parts.
  LedgerPart part = LedgerPart::memories;
  std::int64_t batch_no = 0;       ///< From 0, without gaps, per file.
  std::int64_t first_ordinal = 0;  ///< Ordinal of its first record.
  std::int64_t records = 0;        ///< = loaded + identical + rejected + quarantined (a CHECK too).
  std::int64_t byte_from = 0;
  std::int64_t byte_to = 0;
  std::int64_t loaded = 0;  ///< Filled by the store…
  std::int64_t identical =
      0;  ///< …within the transaction; on entry the number known before (records
          ///< that repeat an earlier one of the run); the store adds to it.
  std::int64_t rejected = 0;  ///< As identical.
  std::int64_t quarantined = 0;
  std::string content_digest;  ///< SHA-256 over the record hashes in order; 32 bytes.
  std::vector<LedgerIssue> issues;

  /// Where the written items (memories or facts, in the order of the WriteBatch) come from: the
  /// store names a conflict by it, as an issue {rejected, `conflict`}.
  struct Place {
    std::int64_t ordinal = 0;
    std::int64_t byte_from = 0;
  };
  std::vector<Place> places;
  /// More conflicts than this in the batch: nothing is written, the error is `conflict`.
  std::int64_t conflicts_allowed = std::numeric_limits<std::int64_t>::max();
};

struct LedgerFile {
  std::string file;
  LedgerPart part = LedgerPart::memories;
  std::string sha256;  ///< 32 bytes.
  std::int64_t bytes = 0;
  std::int64_t records = -1;  ///< -1 until the file has been read to its end.
  bool operator==(const LedgerFile&) const = default;
};

enum class RunState : std::uint8_t { running = 0, loaded = 1, verified = 2, failed = 3 };

struct LedgerRun {
  RunId run;
  std::string source;           ///< As given on the command line, made absolute.
  std::string manifest_sha256;  ///< 32 bytes: over the files' names, sizes and digests.
  std::string tool_version;
  std::string options;  ///< JSON text of those that change the outcome.
  RunState state = RunState::running;
  Timestamp started;
  std::optional<Timestamp> ended;
  std::vector<LedgerFile> files;
};

/// Held while a migration writes to the bank; released by the destructor and by the death of the
/// process.
class MigrationLock {
 public:
  virtual ~MigrationLock() = default;
};

/// The memory of migrations, in the same place and the same transactions as what they load.
/// Threads as MemoryStore. Batches are written by MemoryStore::write.
class MigrationLedger {
 public:
  virtual ~MigrationLedger() = default;

  /// Errors: locked, when another process migrates into this bank.
  virtual Result<std::unique_ptr<MigrationLock>> lock_migration() = 0;

  virtual Result<> begin_run(const LedgerRun& run) = 0;
  /// Writes a run as it is, with its files, batches, their counts and issues, in one transaction:
  /// for restoring a backup. Errors: conflict when the ledger has this run already.
  virtual Result<> restore_run(const LedgerRun& run, std::span<const LedgerBatch> batches) = 0;
  /// Newest first; batches and issues are not read.
  virtual Result<std::vector<LedgerRun>> runs() const = 0;
  /// Sets the number of records of a file that was read to its end.
  virtual Result<> finish_file(const RunId& run, std::string_view file, std::int64_t records) = 0;
  virtual Result<> set_run_state(const RunId& run, RunState state,
                                 std::optional<Timestamp> ended) = 0;
  /// In order of file and batch_no, `issues` left empty.
  virtual Result<std::vector<LedgerBatch>> batches(const RunId& run) const = 0;
  /// In order of file and ordinal; at most `limit`.
  struct FileIssue {
    std::string file;
    LedgerIssue issue;
  };
  virtual Result<std::vector<FileIssue>> issues(const RunId& run, std::size_t limit) const = 0;
};

}  // namespace bb5
