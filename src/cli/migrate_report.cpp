#include "cli/migrate_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "base/digest.hpp"
#include "cli/output.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

constexpr std::size_t differences_in_text = 20;

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

const char* name_of(MigrationOutcome outcome) {
  switch (outcome) {
    case MigrationOutcome::loaded:
      return "loaded";
    case MigrationOutcome::too_many_rejects:
      return "too_many_rejects";
    case MigrationOutcome::interrupted:
      return "interrupted";
    case MigrationOutcome::source_changed:
      return "source_changed";
  }
  return "loaded";
}

std::string short_id(const RunId& run) {
  return run.to_string().substr(0, 8);
}

Document differences_document(const MigrateOutcome& outcome) {
  Document list = Document::array();
  if (outcome.verification) {
    for (const Difference& difference : outcome.verification->differences) {
      list.push_back({{"id", difference.id},
                      {"field", difference.field},
                      {"source", difference.source},
                      {"target", difference.target}});
    }
  }
  if (outcome.comparison) {
    for (const GraphDifference& difference : outcome.comparison->differences) {
      list.push_back({{"id", difference.key},
                      {"field", "graph " + difference.field},
                      {"source", difference.left},
                      {"target", difference.right}});
    }
  }
  return list;
}

std::string records_text(const MigrateOutcome& outcome, const RunId& run) {
  std::string text;
  for (const auto& [part, name] : part_names) {
    if (const auto counts = outcome.parts().find(part); counts != outcome.parts().end())
      text += counts_line(name, counts->second);
  }
  if (outcome.run) {
    for (const auto& [length, count] : outcome.run->vectors)
      text += fmt::format("  {:<16} {:>9} of {} numbers\n", "vectors", count, length);
  }
  if (!outcome.issues().empty()) {
    text += "  remarks, rejects and quarantined by code\n";
    for (const auto& [code, count] : outcome.issues())
      text += fmt::format("    {:<28} {:>7}\n", code, count);
    text += fmt::format("    each one: bb5-memory migrate status {} --issues\n", short_id(run));
  }
  if (outcome.run && !outcome.run->backup.empty())
    text += fmt::format("  source copied     {}\n", outcome.run->backup.string());
  return text;
}

std::string verification_text(const MigrateOutcome& outcome) {
  const VerificationReport& verification = *outcome.verification;
  std::string text = fmt::format(
      "  verified          {} by field and vector bit, {}, {}, {}\n",
      counted(verification.memories, "memory", "memories"),
      counted(verification.entity_facts + verification.relationship_facts, "fact", "facts"),
      counted(verification.cached_embeddings, "cached vector", "cached vectors"),
      graph_text(verification.graph));
  if (verification.dropped_vectors > 0)
    text += fmt::format("  not compared      {}: dropped by reembed --drop-old\n",
                        counted(verification.dropped_vectors, "vector", "vectors"));
  if (outcome.comparison) {
    text += fmt::format("  graph             {} compared with {}\n",
                        graph_text(outcome.comparison->right), outcome.graph);
  }
  std::size_t shown = 0;
  const auto line = [&](const std::string& id, const std::string& field, const std::string& source,
                        const std::string& target) {
    if (shown++ < differences_in_text)
      text +=
          fmt::format("  {}  {}\n      source {}\n      target {}\n", id, field, source, target);
  };
  for (const Difference& difference : verification.differences)
    line(difference.id, difference.field, difference.source, difference.target);
  if (outcome.comparison) {
    for (const GraphDifference& difference : outcome.comparison->differences)
      line(difference.key, difference.field, difference.left, difference.right);
  }
  if (shown > differences_in_text)
    text += fmt::format("  … and {} more; --json lists them\n", shown - differences_in_text);
  if (!verification.counts_add_up) text += "  the ledger's counts do not add up\n";
  if (verification.source_changed)
    text += "  the source is no longer what was taken over: run again\n";
  return text;
}

/// What the proof covers: records that stayed out are named, not passed over.
std::string proved_text(const MigrateOutcome& outcome) {
  std::int64_t rejected = 0;
  std::int64_t quarantined = 0;
  for (const auto& [part, counts] : outcome.parts()) {
    rejected += counts.rejected;
    quarantined += counts.quarantined;
  }
  if (rejected == 0 && quarantined == 0) return "source and store are the same";
  return fmt::format(
      "all that was taken over is the same; {} rejected and {} quarantined stayed out", rejected,
      quarantined);
}

}  // namespace

std::string target_text(const std::string& store, const std::string& bank) {
  return bank == "default" ? store : store + " bank " + bank;
}

std::string graph_text(const GraphCounts& counts) {
  return fmt::format("{}, {}, {}", counted(counts.entities, "node", "nodes"),
                     counted(counts.relationships, "edge", "edges"),
                     counted(counts.mentions, "mention", "mentions"));
}

std::string counts_line(const char* name, const PartCounts& counts) {
  return fmt::format(
      "  {:<16} {:>9} read = {} loaded + {} identical + {} rejected + {} quarantined\n", name,
      counts.read, counts.loaded, counts.identical, counts.rejected, counts.quarantined);
}

Document counts_document(const PartCounts& counts) {
  return {{"read", counts.read},
          {"loaded", counts.loaded},
          {"identical", counts.identical},
          {"rejected", counts.rejected},
          {"quarantined", counts.quarantined}};
}

std::string rejected_text(const RejectedRecord& record) {
  return fmt::format("{} record {} at byte {} (id {})", record.file, record.ordinal,
                     record.byte_from, record.id);
}

Document rejected_document(const std::vector<RejectedRecord>& records) {
  Document list = Document::array();
  for (const RejectedRecord& record : records) {
    list.push_back({{"file", record.file},
                    {"record", record.ordinal},
                    {"byte", record.byte_from},
                    {"id", record.id}});
  }
  return list;
}

const std::map<LedgerPart, PartCounts>& MigrateOutcome::parts() const {
  return run ? run->parts : verification->parts;
}

const std::map<std::string, std::int64_t>& MigrateOutcome::issues() const {
  return run ? run->issues : verification->issues;
}

bool MigrateOutcome::verified() const {
  if (!verification || !verification->verified()) return false;
  if (run && run->outcome != MigrationOutcome::loaded) return false;
  if (relay && relay->stopped_by) return false;
  return !comparison || comparison->equal();
}

int MigrateOutcome::exit_code(bool strict) const {
  const auto code = [&] {
    if (run) {
      if (run->outcome == MigrationOutcome::too_many_rejects) return MigrateExit::too_many_rejects;
      if (run->outcome == MigrationOutcome::interrupted) return MigrateExit::interrupted;
      if (run->outcome == MigrationOutcome::source_changed) return MigrateExit::source_changed;
      if (relay && relay->stopped_by) return MigrateExit::interrupted;
      const bool quarantined =
          std::any_of(run->parts.begin(), run->parts.end(),
                      [](const auto& part) { return part.second.quarantined > 0; });
      if (verification && verified() && strict && quarantined) return MigrateExit::too_many_rejects;
    }
    if (verification && verification->source_changed) return MigrateExit::source_changed;
    return verified() ? MigrateExit::good : MigrateExit::mismatch;
  }();
  return static_cast<int>(code);
}

Document report_document(const MigrateOutcome& outcome) {
  Document document = Document::object();
  const RunId id = outcome.run ? outcome.run->run : outcome.verification->run;
  document["run"] = id.to_string();
  document["source"] = outcome.source;
  document["store"] = outcome.store;
  document["bank"] = outcome.bank;
  if (outcome.run) {
    const MigrationReport& run = *outcome.run;
    document["outcome"] = name_of(run.outcome);
    if (!run.reason.empty()) document["reason"] = run.reason;
    if (!run.remedy.empty()) document["fix"] = run.remedy;
    if (!run.rejected.empty()) document["rejected_records"] = rejected_document(run.rejected);
    document["resumed"] = run.resumed;
  }
  for (const auto& [part, name] : part_names) {
    const auto counts = outcome.parts().find(part);
    document[name] =
        counts_document(counts == outcome.parts().end() ? PartCounts{} : counts->second);
  }
  document["issues"] = outcome.issues();
  if (outcome.run) {
    const MigrationReport& run = *outcome.run;
    document["vectors"] = Document::object();
    for (const auto& [length, count] : run.vectors)
      document["vectors"][std::to_string(length)] = count;
    document["files"] = Document::array();
    for (const LedgerFile& file : run.files) {
      document["files"].push_back(
          {{"file", file.file},
           {"bytes", file.bytes},
           {"records", file.records},
           {"sha256", to_hex({reinterpret_cast<const std::uint8_t*>(file.sha256.data()),
                              file.sha256.size()})}});
    }
    document["backup"] = run.backup.empty() ? Document(nullptr) : Document(run.backup.string());
  }
  if (outcome.verification) {
    const VerificationReport& verification = *outcome.verification;
    document["compared"] = {{"memories", verification.memories},
                            {"dropped_vectors", verification.dropped_vectors},
                            {"facts", verification.entity_facts + verification.relationship_facts},
                            {"cached_embeddings", verification.cached_embeddings}};
    document["graph"] = {{"nodes", verification.graph.entities},
                         {"edges", verification.graph.relationships},
                         {"mentions", verification.graph.mentions}};
    if (outcome.comparison) {
      document["graph"]["projection"] = {{"url", outcome.graph},
                                         {"nodes", outcome.comparison->right.entities},
                                         {"edges", outcome.comparison->right.relationships},
                                         {"mentions", outcome.comparison->right.mentions},
                                         {"differing", outcome.comparison->found}};
    }
    document["source_changed"] = verification.source_changed;
  }
  if (outcome.relay) {
    document["relay"] = {{"applied", outcome.relay->applied},
                         {"refused", outcome.relay->poison.size()}};
    if (outcome.relay->stopped_by)
      document["relay"]["stopped_by"] = error_document(*outcome.relay->stopped_by);
  }
  document["differences"] = differences_document(outcome);
  document["verified"] = outcome.verified();
  Document seconds = Document::object();
  if (outcome.run) {
    seconds["hash"] = outcome.run->seconds_hash;
    seconds["load"] = outcome.run->seconds_load;
    seconds["graph"] = outcome.run->seconds_graph;
    seconds["index"] = outcome.run->seconds_index;
  }
  if (outcome.relay) seconds["relay"] = outcome.seconds_relay;
  if (outcome.verification) seconds["verify"] = outcome.seconds_verify;
  document["seconds"] = std::move(seconds);
  document["peak_rss_mb"] = peak_megabytes();
  return document;
}

std::string report_text(const MigrateOutcome& outcome) {
  const RunId id = outcome.run ? outcome.run->run : outcome.verification->run;
  std::string text = fmt::format(
      "Run {}  {} → {}{}\n", short_id(id), outcome.source, target_text(outcome.store, outcome.bank),
      outcome.run && outcome.run->resumed ? "  (resumed; nothing done twice)" : "");
  text += records_text(outcome, id);
  if (outcome.relay) {
    text += fmt::format("  graph             {} applied to {}\n",
                        counted(outcome.relay->applied, "change", "changes"), outcome.graph);
    for (const PoisonRow& row : outcome.relay->poison)
      text += fmt::format("    refused: {} ({})\n", row.key, row.error.message);
    if (outcome.relay->stopped_by)
      text += fmt::format("    stopped: {}; nothing is lost, the same command goes on\n",
                          outcome.relay->stopped_by->message);
  }
  if (outcome.verification) text += verification_text(outcome);
  double seconds = outcome.seconds_relay + outcome.seconds_verify;
  if (outcome.run)
    seconds += outcome.run->seconds_hash + outcome.run->seconds_load + outcome.run->seconds_graph +
               outcome.run->seconds_index;
  if (outcome.run && outcome.run->outcome != MigrationOutcome::loaded) {
    text += fmt::format("STOPPED: {}\n", outcome.run->reason);
    if (!outcome.run->remedy.empty()) text += fmt::format("  fix: {}\n", outcome.run->remedy);
  } else if (outcome.verified()) {
    text += fmt::format("VERIFIED: {}.  {:.1f} s, peak {:.0f} MB\n", proved_text(outcome), seconds,
                        peak_megabytes());
  } else if (outcome.verification) {
    const std::int64_t found =
        outcome.verification->differing + (outcome.comparison ? outcome.comparison->found : 0);
    text += fmt::format("FAILED: {} (exit {})\n", counted(found, "difference", "differences"),
                        outcome.exit_code(false));
  }
  return text;
}

}  // namespace bb5::cli
