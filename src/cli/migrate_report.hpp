#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "operations/graph/compare.hpp"
#include "operations/graph/relay.hpp"
#include "operations/migrate/migration.hpp"
#include "operations/migrate/verification.hpp"

namespace bb5::cli {

/// Everything that a run or a verification has to tell.
struct MigrateOutcome {
  std::string source;
  std::string store;  ///< Without a password.
  std::string bank;
  std::string graph;
  std::optional<MigrationReport> run;
  std::optional<VerificationReport> verification;
  std::optional<RelayReport> relay;
  std::optional<GraphComparison> comparison;  ///< The bank's tables against the graph outside.
  double seconds_relay = 0;
  double seconds_verify = 0;

  /// Everything that was asked for was compared and is equal.
  [[nodiscard]] bool verified() const;
  /// What became of the records, and the remarks by code: of the run, or by its ledger.
  [[nodiscard]] const std::map<LedgerPart, PartCounts>& parts() const;
  [[nodiscard]] const std::map<std::string, std::int64_t>& issues() const;
  [[nodiscard]] int exit_code(bool strict) const;
};

/// The parts of a source in the order in which reports name them.
inline constexpr std::pair<LedgerPart, const char*> part_names[] = {
    {LedgerPart::memories, "memories"},
    {LedgerPart::entities, "entities"},
    {LedgerPart::relationships, "relationships"},
    {LedgerPart::embedding_cache, "embedding_cache"}};
/// `embedded:demo.db`, with ` bank NAME` behind it unless that is the default one.
[[nodiscard]] std::string target_text(const std::string& store, const std::string& bank);
/// `31 nodes, 25 edges, 43 mentions`
[[nodiscard]] std::string graph_text(const GraphCounts& counts);
/// `memories  10 read = 10 loaded + …` with a line end.
[[nodiscard]] std::string counts_line(const char* name, const PartCounts& counts);

/// `memories.json record 4 at byte 123 (id a1)`
[[nodiscard]] std::string rejected_text(const RejectedRecord& record);
[[nodiscard]] nlohmann::ordered_json rejected_document(const std::vector<RejectedRecord>& records);

[[nodiscard]] nlohmann::ordered_json report_document(const MigrateOutcome& outcome);
[[nodiscard]] std::string report_text(const MigrateOutcome& outcome);
[[nodiscard]] nlohmann::ordered_json counts_document(const PartCounts& counts);

}  // namespace bb5::cli
