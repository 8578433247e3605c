#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/migrate_report.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

struct MigrateFlags {
  std::string from;
  std::string to;
  std::string source_model;
  std::int64_t max_rejects = 0;
  std::int64_t batch_records = 1000;
  bool no_backup = false;
  bool restart = false;
  bool strict = false;
  std::string run;
  bool issues = false;
  std::string export_quarantined;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int exit_number(MigrateExit code) {
  return static_cast<int>(code);
}

/// Errors before anything is written end with 4, those in the middle with 5 where the same command
/// goes on.
int fail(const Error& error, bool json, bool begun) {
  print_error(error, json);
  if (error.code == Errc::locked) return exit_number(MigrateExit::locked);
  const bool resumable = error.code == Errc::unavailable || error.code == Errc::out_of_space ||
                         error.code == Errc::cancelled;
  return exit_number(begun && resumable ? MigrateExit::interrupted : MigrateExit::preflight);
}

/// The source, bank and graph of one call.
struct Opened {
  std::unique_ptr<MemorySource> source;
  std::string source_name;
  std::unique_ptr<Bank> bank;
  std::unique_ptr<GraphProjection> graph;
};

class MigrateCommand {
 public:
  MigrateCommand(const Context& context, const MigrateFlags& flags)
      : context_(context), flags_(flags), addresses_(context.addresses) {
    if (!flags.to.empty()) addresses_.store = flags.to;
  }

  int run() {
    // First of all: from here on Ctrl-C ends a run between two batches.
    ProgressDisplay display(ProgressDisplay::form_for(context_.json, context_.quiet));
    if (auto opened = open(OpenMode::create); !opened)
      return fail(opened.error(), context_.json, false);
    MigrateOutcome outcome = start();
    MigrationOptions options{
        .source_model = flags_.source_model,
        .max_rejects = flags_.max_rejects,
        .batch_records = flags_.batch_records,
        .restart = flags_.restart,
        .tool_version = BB5_VERSION,
        .progress = [&](const MigrationProgress& progress) { return display.show(progress); }};
    if (!flags_.no_backup) options.backup_folder = backup_folder(addresses_);
    auto report = run_migration(*opened_.source, opened_.source_name, *opened_.bank, options);
    display.clear();
    if (!report) return fail(report.error(), context_.json, true);
    outcome.run = std::move(*report);
    if (outcome.run->outcome == MigrationOutcome::loaded) {
      if (auto proved = prove(outcome, display); !proved)
        return fail(proved.error(), context_.json, true);
      const bool final_state = !outcome.relay || !outcome.relay->stopped_by;
      if (final_state) {
        auto marked = opened_.bank->set_run_state(
            outcome.run->run, outcome.verified() ? RunState::verified : RunState::failed, now());
        if (!marked) return fail(marked.error(), context_.json, true);
      }
    }
    return finish(outcome);
  }

  int verify() {
    ProgressDisplay display(ProgressDisplay::form_for(context_.json, context_.quiet));
    if (auto opened = open(OpenMode::existing); !opened)
      return fail(opened.error(), context_.json, false);
    MigrateOutcome outcome = start();
    if (auto proved = prove(outcome, display); !proved)
      return fail(proved.error(), context_.json, false);
    return finish(outcome);
  }

  int plan() {
    auto target = look_at_target();
    if (!target) return fail(target.error(), context_.json, false);
    auto plan = plan_migration(*opened_.source, opened_.source_name, opened_.bank.get(),
                               {.source_model = flags_.source_model});
    if (!plan) return fail(plan.error(), context_.json, false);
    if (context_.json) {
      print_document(plan_document(*plan, *target));
    } else {
      print(plan_text(*plan, *target));
    }
    return exit_number(MigrateExit::good);
  }

  int status() {
    auto bank = open_bank(addresses_, OpenMode::existing);
    if (!bank) return fail(bank.error(), context_.json, false);
    opened_.bank = std::move(*bank);
    auto shown = print_status();
    if (!shown) return fail(shown.error(), context_.json, false);
    return exit_number(MigrateExit::good);
  }

 private:
  Result<> open_source() {
    auto source = bb5::open_source(flags_.from);
    if (!source) return std::move(source).error();
    opened_.source = std::move(*source);
    std::error_code error;
    const auto path = std::filesystem::canonical(flags_.from, error);
    opened_.source_name = error ? flags_.from : path.string();
    return ok();
  }

  /// The cheap checks first: nothing is created when the source, or the graph, is not there.
  Result<> open(OpenMode mode) {
    BB5_TRY(check_addresses(addresses_));
    BB5_TRY(open_source());
    auto graph = open_graph(addresses_);
    if (!graph) return std::move(graph).error();
    opened_.graph = std::move(*graph);
    if (opened_.graph) BB5_TRY(opened_.graph->prepare());
    BB5_TRY(readable_source());
    auto bank = open_bank(addresses_, mode);
    if (!bank) return std::move(bank).error();
    opened_.bank = std::move(*bank);
    return ok();
  }

  /// What a run would find at its target. Nothing is made, nothing sent.
  struct Target {
    std::string absent;  ///< Why there is no bank yet; empty: there is one.
    std::int64_t memories = 0;
    std::optional<GraphCounts> graph;
  };
  Result<Target> look_at_target() {
    BB5_TRY(check_addresses(addresses_));
    BB5_TRY(open_source());
    Target target;
    auto graph = open_graph(addresses_);
    if (!graph) return std::move(graph).error();
    if (*graph) {
      auto counts = (*graph)->graph_counts();
      if (!counts) return std::move(counts).error();
      target.graph = *counts;
    }
    auto bank = open_bank(addresses_, OpenMode::existing);
    if (!bank && bank.error().code != Errc::not_found) return std::move(bank).error();
    if (!bank) {
      target.absent = bank.error().message;
      return target;
    }
    opened_.bank = std::move(*bank);
    auto stats = opened_.bank->stats();
    if (!stats) return std::move(stats).error();
    target.memories = stats->memories;
    return target;
  }

  /// A file that is none of the kind is found before a store is made for it.
  Result<> readable_source() {
    auto files = opened_.source->files();
    if (!files) return std::move(files).error();
    for (const MemorySource::File& file : *files) {
      auto reader = opened_.source->open(file, opened_.source->path_of(file.name),
                                         {.source_model = flags_.source_model});
      if (!reader) return std::move(reader).error();
      if (auto first = (*reader)->next(); !first) return std::move(first).error();
    }
    return ok();
  }

  MigrateOutcome start() const {
    MigrateOutcome outcome;
    outcome.source = opened_.source_name;
    outcome.store = without_password(addresses_.store);
    outcome.bank = addresses_.bank;
    outcome.graph = without_password(addresses_.graph);
    return outcome;
  }

  /// Brings the graph outside up to date, then compares everything with everything.
  Result<> prove(MigrateOutcome& outcome, ProgressDisplay& display) {
    if (opened_.graph) {
      const auto relay_start = std::chrono::steady_clock::now();
      RelayOptions options;
      options.progress = [&](const RelayProgress& progress) {
        return display.show({.phase = "neo4j", .records = progress.applied});
      };
      auto relayed = drain_outbox(*opened_.bank, *opened_.graph, options);
      if (!relayed) return std::move(relayed).error();
      outcome.relay = std::move(*relayed);
      outcome.seconds_relay = seconds_since(relay_start);
    }
    const auto start = std::chrono::steady_clock::now();
    auto verification = verify_migration(
        *opened_.source, opened_.source_name, *opened_.bank, flags_.source_model,
        [&](std::int64_t records, std::int64_t bytes, std::int64_t of) {
          return display.show({.phase = "verify", .records = records, .done = bytes, .total = of});
        });
    display.clear();
    if (!verification) return std::move(verification).error();
    outcome.verification = std::move(*verification);
    if (opened_.graph && !outcome.relay->stopped_by) {
      auto comparison = compare_graphs(*opened_.bank, *opened_.graph);
      if (!comparison) return std::move(comparison).error();
      outcome.comparison = std::move(*comparison);
    }
    outcome.seconds_verify = seconds_since(start);
    return ok();
  }

  int finish(const MigrateOutcome& outcome) const {
    if (context_.json) {
      print_document(report_document(outcome));
    } else {
      print(report_text(outcome));
    }
    return outcome.exit_code(flags_.strict);
  }

  std::string plan_text(const MigrationPlan& plan, const Target& target) const {
    std::string text =
        fmt::format("Plan for {} → {}: {}, {:.1f} MB; nothing is written\n", opened_.source_name,
                    target_text(without_password(addresses_.store), addresses_.bank),
                    counted(std::ssize(plan.manifest.files), "file", "files"),
                    static_cast<double>(plan.manifest.bytes) / 1e6);
    text +=
        target.absent.empty()
            ? fmt::format("  store holds      {}\n", counted(target.memories, "memory", "memories"))
            : fmt::format("  store            {}: all is new to it\n", target.absent);
    if (target.graph) text += fmt::format("  graph holds      {}\n", graph_text(*target.graph));
    for (const LedgerFile& file : plan.manifest.files)
      text += fmt::format("  {:<24} {:>12} bytes  {:>8} {}\n", file.file, file.bytes, file.records,
                          file.records == 1 ? "record" : "records");
    for (const auto& [part, name] : part_names) {
      if (const auto counts = plan.parts.find(part); counts != plan.parts.end())
        text += fmt::format(
            "  {:<16} {} read = {} to load + {} identical + {} rejected + {} quarantined\n", name,
            counts->second.read, counts->second.loaded, counts->second.identical,
            counts->second.rejected, counts->second.quarantined);
    }
    for (const auto& [length, count] : plan.vectors)
      text += fmt::format("  vectors          {} of {} numbers\n", count, length);
    if (!plan.issues.empty()) text += "  remarks and quarantined by code\n";
    for (const auto& [code, count] : plan.issues)
      text += fmt::format("    {:<28} {:>7}\n", code, count);
    for (const auto& [file, issue] : plan.quarantined)
      text += fmt::format("  quarantined: {} record {} at byte {}: {}\n", file, issue.ordinal,
                          issue.byte_from, issue.message);
    return text + obstacles_text(plan);
  }

  /// What would keep a run from its end.
  static std::string obstacles_text(const MigrationPlan& plan) {
    std::string text;
    for (const RejectedRecord& record : plan.rejected)
      text += fmt::format("  rejected: {}: the bank holds another record under this id\n",
                          rejected_text(record));
    std::int64_t rejected = 0;
    for (const auto& [part, counts] : plan.parts) rejected += counts.rejected;
    if (rejected > 0)
      text += fmt::format(
          "A run would stop before the first of them; --max-rejects {} would keep what the bank "
          "holds\n",
          rejected);
    if (plan.unfinished && plan.source_changed) {
      text += fmt::format(
          "A run would end at once: the source is not what it was when the unfinished run {:.8} "
          "began; --restart begins a new one\n",
          plan.unfinished->to_string());
    } else if (plan.unfinished) {
      text += fmt::format("A run would go on with the unfinished run {:.8}\n",
                          plan.unfinished->to_string());
    }
    return text;
  }

  Document plan_document(const MigrationPlan& plan, const Target& target) const {
    Document document = {
        {"source", opened_.source_name},
        {"store", without_password(addresses_.store)},
        {"bank", addresses_.bank},
        {"held", target.absent.empty() ? Document(target.memories) : Document(nullptr)},
        {"bytes", plan.manifest.bytes},
        {"files", Document::array()}};
    for (const LedgerFile& file : plan.manifest.files)
      document["files"].push_back(
          {{"file", file.file}, {"bytes", file.bytes}, {"records", file.records}});
    for (const auto& [part, name] : part_names) {
      const auto counts = plan.parts.find(part);
      document[name] = counts_document(counts == plan.parts.end() ? PartCounts{} : counts->second);
    }
    document["vectors"] = Document::object();
    for (const auto& [length, count] : plan.vectors)
      document["vectors"][std::to_string(length)] = count;
    document["issues"] = plan.issues;
    document["rejected_records"] = rejected_document(plan.rejected);
    document["unfinished_run"] =
        plan.unfinished ? Document(plan.unfinished->to_string()) : Document(nullptr);
    document["source_changed"] = plan.source_changed;
    if (target.graph)
      document["graph"] = {{"url", without_password(addresses_.graph)},
                           {"nodes", target.graph->entities},
                           {"edges", target.graph->relationships},
                           {"mentions", target.graph->mentions}};
    return document;
  }

  static const char* name_of(RunState state) {
    switch (state) {
      case RunState::running:
        return "unfinished";
      case RunState::loaded:
        return "loaded";
      case RunState::verified:
        return "verified";
      case RunState::failed:
        return "failed";
    }
    return "unfinished";
  }

  Result<> print_status() {
    auto runs = opened_.bank->runs();
    if (!runs) return std::move(runs).error();
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(nullptr, &std::fclose);
    if (!flags_.export_quarantined.empty()) {
      out.reset(std::fopen(flags_.export_quarantined.c_str(), "wb"));
      if (!out)
        return Error{Errc::refused, fmt::format("cannot write {}", flags_.export_quarantined),
                     "name a file in a folder that may be written to"};
    }
    std::int64_t exported = 0;
    Document list = Document::array();
    for (const LedgerRun& run : *runs) {
      const std::string id = run.run.to_string();
      if (!flags_.run.empty() && !id.starts_with(flags_.run)) continue;
      auto batches = opened_.bank->batches(run.run);
      if (!batches) return std::move(batches).error();
      std::map<LedgerPart, PartCounts> parts;
      for (const LedgerBatch& batch : *batches) {
        if (!batch.file.empty()) parts[batch.part].add(batch);
      }
      auto stopped = why_stopped(run);
      if (!stopped) return std::move(stopped).error();
      Document document = {{"run", id},
                           {"source", run.source},
                           {"state", name_of(run.state)},
                           {"started", to_rfc3339(run.started)},
                           {"batches", batches->size()},
                           {"stopped", stopped->empty() ? Document(nullptr) : Document(*stopped)}};
      for (const auto& [part, name] : part_names)
        document[name] = counts_document(parts.contains(part) ? parts.at(part) : PartCounts{});
      if (!context_.json) {
        print(fmt::format("{}  {:<10}  {}  {}  in {}\n", id.substr(0, 8), name_of(run.state),
                          to_rfc3339(run.started), run.source,
                          counted(std::ssize(*batches), "batch", "batches")));
        for (const auto& [part, name] : part_names) {
          if (parts.contains(part)) print(counts_line(name, parts.at(part)));
        }
        if (!stopped->empty()) print(fmt::format("  stopped: {}\n", *stopped));
        if (stopped->empty() && run.state == RunState::running)
          print("  still at work, or killed: the same command goes on\n");
      }
      if (flags_.issues) BB5_TRY(print_issues(run.run, document));
      if (out) BB5_TRY(export_quarantined(run.run, out.get(), exported));
      list.push_back(std::move(document));
    }
    if (!flags_.run.empty() && list.empty())
      return Error{Errc::not_found, fmt::format("no run begins with {}", flags_.run),
                   "`bb5-memory migrate status` lists them"};
    if (out && !context_.json)
      print(fmt::format("Wrote {} to {}\n",
                        counted(exported, "quarantined record", "quarantined records"),
                        flags_.export_quarantined));
    if (context_.json) print_document({{"runs", list}});
    if (!context_.json && list.empty()) print("No migration into this bank yet.\n");
    return ok();
  }

  /// Why an unfinished run stopped last; empty: it had no time to say.
  Result<std::string> why_stopped(const LedgerRun& run) const {
    if (run.state != RunState::running) return std::string{};
    auto issues = opened_.bank->issues(run.run, 1000);  // those on no file come first
    if (!issues) return std::move(issues).error();
    std::string why;
    for (const auto& [file, issue] : *issues) {
      if (!is_about_source(issue)) why = issue.message;
    }
    return why;
  }

  static const char* name_of(LedgerIssue::Kind kind) {
    return kind == LedgerIssue::Kind::quarantined ? "quarantined"
           : kind == LedgerIssue::Kind::rejected  ? "rejected"
                                                  : "remark";
  }

  Result<> print_issues(const RunId& run, Document& document) {
    auto issues = opened_.bank->issues(run, 100'000);
    if (!issues) return std::move(issues).error();
    document["issues"] = Document::array();
    for (const auto& [file, issue] : *issues) {
      if (context_.json) {
        document["issues"].push_back({{"kind", name_of(issue.kind)},
                                      {"file", file},
                                      {"record", issue.ordinal},
                                      {"byte", issue.byte_from},
                                      {"pointer", issue.pointer},
                                      {"code", issue.code},
                                      {"message", issue.message}});
      } else if (!is_about_source(issue)) {
        print(fmt::format("  {:<11} {} ({})\n", name_of(issue.kind), issue.message, issue.code));
      } else {
        print(fmt::format("  {:<11} {} record {} at byte {}{}{}: {} ({})\n", name_of(issue.kind),
                          file, issue.ordinal, issue.byte_from, issue.pointer.empty() ? "" : " ",
                          issue.pointer, issue.message, issue.code));
      }
    }
    return ok();
  }

  /// One JSON line a record: where it was, why, and its bytes (text where they are UTF-8, else
  /// \u00XX a byte).
  Result<> export_quarantined(const RunId& run, std::FILE* out, std::int64_t& exported) {
    auto issues = opened_.bank->issues(run, 10'000'000);
    if (!issues) return std::move(issues).error();
    for (const auto& [file, issue] : *issues) {
      if (issue.kind != LedgerIssue::Kind::quarantined) continue;
      const bool text = !find_invalid_utf8(issue.raw);
      std::string latin1;
      for (const char c : issue.raw) append_utf8(latin1, static_cast<unsigned char>(c));
      const Document line = {{"file", file},
                             {"record", issue.ordinal},
                             {"byte", issue.byte_from},
                             {"code", issue.code},
                             {"message", issue.message},
                             {"encoding", text ? "utf-8" : "latin-1"},
                             {"raw", text ? issue.raw : latin1}};
      fmt::print(out, "{}\n", line.dump());
      ++exported;
    }
    return ok();
  }

  const Context& context_;
  const MigrateFlags& flags_;
  Addresses addresses_;
  Opened opened_;
};

}  // namespace

void add_migrate_commands(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<MigrateFlags>();
  CLI::App* migrate = app.add_subcommand("migrate", "Take an old store over, with proof");
  migrate->require_subcommand(1);
  migrate->fallthrough();
  const auto verb = [&, flags](const char* name, const char* text, int (MigrateCommand::*run)()) {
    CLI::App* command = migrate->add_subcommand(name, text);
    command->fallthrough();
    command->add_option("--to", flags->to, "The store that is migrated into, instead of --store")
        ->type_name("URL");
    command->callback([&context, &action, flags, run] {
      action = [&context, flags, run] {
        if (!flags->to.empty()) context.addresses.store = flags->to;
        return (MigrateCommand(context, *flags).*run)();
      };
    });
    return command;
  };
  const auto with_source = [&](CLI::App* command) {
    command->add_option("--from", flags->from, "Folder or file of the old system")
        ->type_name("PATH")
        ->required();
    command
        ->add_option("--source-model", flags->source_model,
                     "Model of vectors whose file names none, as provider/name")
        ->type_name("MODEL");
    return command;
  };
  with_source(verb("plan", "Read source and store and say what a run would do; writes nothing",
                   &MigrateCommand::plan));
  CLI::App* run = with_source(verb(
      "run", "Take the source over and prove it; resumes an unfinished run", &MigrateCommand::run));
  run->add_option("--max-rejects", flags->max_rejects,
                  "Records that may stay out because the bank holds others under their ids")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  run->add_option("--batch-records", flags->batch_records,
                  "Records in one transaction, at most; 1 to 100000")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  run->add_flag("--no-backup", flags->no_backup, "Keep no read-only copy of the source");
  run->add_flag("--restart", flags->restart,
                "Give up an unfinished run of an earlier state of this source");
  run->add_flag("--strict", flags->strict, "End with 2 when a record was quarantined");
  with_source(verb("verify", "Compare source, store and graph, record by record and bit by bit",
                   &MigrateCommand::verify));
  CLI::App* status = verb("status", "List the migrations of a bank", &MigrateCommand::status);
  status->add_option("run", flags->run, "First characters of a run's id; without it all runs");
  status->add_flag("--issues", flags->issues, "List every remark, reject and quarantined record");
  status
      ->add_option("--export-quarantined", flags->export_quarantined,
                   "Write the bytes of quarantined records to this file, as JSON lines")
      ->type_name("FILE");
}

}  // namespace bb5::cli
