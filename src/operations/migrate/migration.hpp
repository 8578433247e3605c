#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "operations/migrate/manifest.hpp"
#include "ports/bank.hpp"
#include "ports/memory_source.hpp"

namespace bb5 {

/// read = loaded + identical + rejected + quarantined, always.
struct PartCounts {
  std::int64_t read = 0;
  std::int64_t loaded = 0;
  std::int64_t identical = 0;
  std::int64_t rejected = 0;
  std::int64_t quarantined = 0;
  void add(const LedgerBatch& batch);
  [[nodiscard]] bool adds_up() const { return read == loaded + identical + rejected + quarantined; }
};

struct MigrationProgress {
  const char* phase = "";    ///< hash, load, graph, index, verify
  std::int64_t records = 0;  ///< Read so far; in `graph` and `index` it stays.
  std::int64_t done = 0;     ///< Of `total`: bytes of the source, in `index` rows.
  std::int64_t total = 0;    ///< 0: not known.
  /// Of the run so far; nothing in phases that neither reject nor quarantine.
  std::optional<std::int64_t> rejected = {};
  std::optional<std::int64_t> quarantined = {};
};

struct MigrationOptions {
  std::string source_model;  ///< Model of vectors that their file does not name.
  std::int64_t max_rejects = 0;
  std::int64_t batch_bytes = std::int64_t{16} << 20;
  std::int64_t batch_records = 1000;
  std::filesystem::path backup_folder;  ///< Empty: no copy of the source is kept.
  bool restart = false;  ///< Give up an unfinished run of another state of this source.
  std::string tool_version;
  /// Called from the calling thread; returning false stops after the batch in hand (resumable).
  std::function<bool(const MigrationProgress&)> progress;
};

enum class MigrationOutcome : std::uint8_t {
  loaded,            ///< All records are accounted for.
  too_many_rejects,  ///< Stopped before the batch that crosses --max-rejects.
  interrupted,       ///< Stopped on request; the same command resumes.
  source_changed     ///< The source is not what it was when the run began.
};

/// A record that differs from what the bank holds under its id.
struct RejectedRecord {
  std::string file;
  std::int64_t ordinal = 0;
  std::int64_t byte_from = 0;
  std::string id;  ///< Legacy id of a memory, name of an entity, words of a relationship.
};

struct MigrationReport {
  RunId run;
  MigrationOutcome outcome = MigrationOutcome::loaded;
  bool resumed = false;
  std::string reason;  ///< For outcomes other than loaded…
  std::string remedy;  ///< …and what helps.
  /// too_many_rejects: the records of the batch that was not written, the first 100.
  std::vector<RejectedRecord> rejected;
  std::vector<LedgerFile> files;
  std::map<LedgerPart, PartCounts> parts;
  std::map<std::string, std::int64_t>
      issues;  ///< Number of remarks, rejects and quarantined by code.
  std::map<std::size_t, std::int64_t> vectors;  ///< Vectors read, by length.
  std::filesystem::path backup;
  double seconds_hash = 0;
  double seconds_load = 0;
  double seconds_graph = 0;
  double seconds_index = 0;
};

/// Why a run stopped is kept in its ledger as a remark of this code, on no file.
inline constexpr const char* stopped_code = "run_stopped";
[[nodiscard]] bool is_about_source(const LedgerIssue& issue);

/// Takes a source over into a bank: hashes (and copies) the source, writes batch after batch, each
/// with its ledger row, folds the graph, derives, and looks whether the source is still the same. A
/// run that was stopped, by whatever, is gone on with by the same call; a second run over the same
/// source finds everything identical. The source is never written to. Errors: those of the source
/// and the bank; locked when another migration works on the bank; conflict when vectors of another
/// model are in the bank already.
[[nodiscard]] Result<MigrationReport> run_migration(const MemorySource& source,
                                                    const std::string& source_name, Bank& bank,
                                                    const MigrationOptions& options);

/// What a run would do: nothing is written anywhere.
struct MigrationPlan {
  Manifest manifest;
  std::map<LedgerPart, PartCounts> parts;      ///< What would become of the records.
  std::map<std::string, std::int64_t> issues;  ///< Those of the graph come with its fold only.
  std::map<std::size_t, std::int64_t> vectors;
  std::vector<MigrationLedger::FileIssue> quarantined;  ///< The first 100.
  std::vector<RejectedRecord> rejected;                 ///< The first 100.
  std::optional<RunId> unfinished;  ///< A run of this source that would be gone on with…
  bool source_changed = false;      ///< …were the source still what it was.
};
/// bank: where the run would write to; none: an empty one.
[[nodiscard]] Result<MigrationPlan> plan_migration(const MemorySource& source,
                                                   const std::string& source_name, const Bank* bank,
                                                   const MigrationOptions& options);

/// The embedder that a bank without one should record for this source: --source-model with the
/// length of the first vector, or openai/text-embedding-3-small when a vector of 1536 numbers is
/// there; else none.
[[nodiscard]] Result<EmbedderInfo> embedder_of(const MemorySource& source,
                                               const std::string& source_model);

}  // namespace bb5
