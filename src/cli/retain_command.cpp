#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "engine/documents.hpp"
#include "engine/models.hpp"
#include "operations/graph/resolve.hpp"
#include "operations/retain/legacy_output.hpp"
#include "operations/retain/retain.hpp"

namespace bb5::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Documents that are extracted and embedded together, at most: enough for an embedder's batches.
constexpr std::size_t group_documents = 32;
constexpr std::int64_t group_bytes = std::int64_t{1} << 20;

struct RetainFlags {
  std::vector<std::string> sources;
  bool dry_run = false;
  std::string output;
  std::string extractor;
  std::string embedder;
  std::string name;
  bool transcript = false;
  bool keep_secrets = false;
  double near_duplicate = near_duplicate_cosine;
  std::size_t jobs = 0;
  bool prune = false;
  bool no_resolve = false;
};

class RetainRun {
 public:
  RetainRun(const Context& context, const RetainFlags& flags)
      : context_(context),
        flags_(flags),
        progress_(ProgressDisplay::form_for(context.json, context.quiet)) {}

  int run() {
    auto listed = list();
    if (!listed) return fail(listed.error());
    auto extractor = open_extractor(flags_.extractor);
    if (!extractor) return fail(extractor.error());
    extractor_ = *std::move(extractor);
    if (!flags_.dry_run) {
      int code = 0;
      bank_ = context_.open(OpenMode::create, code);
      if (!bank_) return code;
      if (auto opened = open_the_embedder(); !opened) return fail(opened.error());
      auto mark = bank_->resolved_mark();
      if (!mark) return fail(mark.error());
      began_at_rev_ = mark->latest;
    }
    settings_ = std::make_unique<RetainSettings>(RetainSettings{
        .extractor = *extractor_,
        .embedder = embedder_.embedder.get(),
        .keep_secrets = flags_.keep_secrets,
        .near_duplicate = flags_.near_duplicate,
        .jobs = flags_.jobs != 0 ? flags_.jobs : std::max(1U, std::thread::hardware_concurrency()),
        .outages = &outages_,
    });
    if (!output_folder().empty())
      settings_->extracted = [this](const ExtractedDocument& extracted) {
        output_.add(extracted.extraction, extracted.prepared.document, now());
      };
    take_all(*listed);
    if (!stopped_ && flags_.prune) prune();
    if (!stopped_ && bank_ && !flags_.no_resolve) resolve();
    progress_.clear();
    if (!output_folder().empty()) {
      if (auto saved = output_.save(output_folder()); !saved) return fail(saved.error());
    }
    if (bank_) context_.update_graph(*bank_);
    finish();
    if (stopped_) return static_cast<int>(Exit::interrupted);
    return static_cast<int>(totals_.failed == 0 ? Exit::good : Exit::failed);
  }

 private:
  int fail(const Error& error) {
    progress_.clear();
    print_error(error, context_.json);
    return exit_code(error, false);
  }

  [[nodiscard]] std::string output_folder() const {
    return flags_.output.empty() && flags_.dry_run ? "./retain_output" : flags_.output;
  }

  Result<std::vector<DocumentPlace>> list() {
    std::vector<DocumentPlace> all;
    for (const std::string& source : flags_.sources) {
      auto list = list_documents_of(source);
      if (!list) return std::move(list).error();
      if (list->folder && !flags_.name.empty())
        return Error{Errc::invalid_argument,
                     "--name names one document, and " + source + " is a folder of them",
                     "leave --name out"};
      if (list->folder) {
        folders_.push_back(source_name(source));
        if (!context_.json)
          print(fmt::format("Found {}\n", counted(std::ssize(list->documents), "markdown file",
                                                  "markdown files")));
      }
      all.insert(all.end(), list->documents.begin(), list->documents.end());
    }
    for (const DocumentPlace& place : all) bytes_ += place.bytes;
    std::fflush(stdout);
    return all;
  }

  Result<> open_the_embedder() {
    auto recorded = bank_->embedder();
    if (!recorded) return std::move(recorded).error();
    auto opened = open_embedder(*recorded, flags_.embedder);
    if (!opened) return std::move(opened).error();
    embedder_ = *std::move(opened);
    if (!embedder_.embedder && flags_.embedder != "none" && !context_.quiet)
      fmt::print(stderr, "memories will wait for their vectors: {}\n", embedder_.why_none);
    return ok();
  }

  void take_all(const std::vector<DocumentPlace>& places) {
    std::vector<OpenedDocument> group;
    std::int64_t size = 0;
    const auto flush = [&] {
      take(std::exchange(group, {}));
      done_bytes_ += std::exchange(size, 0);
      stopped_ = !progress_.show(
          {.phase = "retain", .records = totals_.memories, .done = done_bytes_, .total = bytes_});
    };
    for (const DocumentPlace& place : places) {
      auto opened =
          open_document(place, {.name = flags_.name, .transcript = flags_.transcript}, std::cin);
      size += place.bytes;
      if (opened) {
        group.push_back(*std::move(opened));
      } else {
        flush();  // what is told comes in the order of the files
        failed(place.path.string(), opened.error());
      }
      if (group.size() >= group_documents || size >= group_bytes) flush();
      if (stopped_) return;
    }
    flush();
  }

  void take(std::vector<OpenedDocument> opened) {
    if (opened.empty()) return;
    std::vector<Document> documents;
    for (OpenedDocument& one : opened) documents.push_back(std::move(one.document));
    std::vector<RetainReport> reports =
        flags_.dry_run ? try_out(std::move(documents))
                       : retain_documents(*bank_, std::move(documents), *settings_);
    give_up_on_vectors(reports);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      reports[i].warnings.insert(reports[i].warnings.begin(), opened[i].warnings.begin(),
                                 opened[i].warnings.end());
      tell(reports[i]);
    }
  }

  /// An embedder that failed once has tried long enough: it is not waited for at every group.
  void give_up_on_vectors(const std::vector<RetainReport>& reports) {
    if (settings_->embedder == nullptr) return;
    for (const RetainReport& report : reports) {
      if (report.without_vector > 0) settings_->embedder = nullptr;
    }
  }

  /// Takes apart and writes nothing.
  std::vector<RetainReport> try_out(std::vector<Document> documents) {
    std::vector<PreparedDocument> prepared;
    for (Document& document : documents)
      prepared.push_back(
          prepare_document(std::move(document), extractor_->name(), flags_.keep_secrets));
    std::vector<RetainReport> reports;
    for (const ExtractedDocument& extracted : extract_documents(std::move(prepared), *settings_)) {
      const Document& document = extracted.prepared.document;
      RetainReport report{.source = document.source,
                          .memories = std::ssize(extracted.extraction.memories),
                          .entities = std::ssize(extracted.extraction.entities),
                          .relationships = std::ssize(extracted.extraction.relationships),
                          .secrets = extracted.prepared.secrets,
                          .recalled_blocks = extracted.prepared.recalled_blocks,
                          .warnings = extracted.extraction.warnings,
                          .usage = extracted.extraction.usage};
      if (extracted.error) {
        report.state = RetainReport::State::failed;
        report.error = extracted.error;
      }
      reports.push_back(std::move(report));
    }
    return reports;
  }

  /// Merges what is one under two names; the documents stand whatever comes of it, and the next
  /// run catches up.
  void resolve() {
    auto look = resolve_changed(*bank_, now(), {.brought_after = began_at_rev_});
    if (!look) return failed("entities that may be one", look.error());
    resolved_ = *std::move(look);
  }

  /// What the bank knows of the folders and is no longer there.
  void prune() {
    std::string after;
    while (true) {
      auto page = bank_->documents(after, 100);
      if (!page) return failed("documents of the bank", page.error());
      if (page->empty()) return;
      after = page->back().source;
      for (const RetainedDocument& document : *page) {
        std::error_code unknown;  // a folder that may not be looked into: then it is not gone
        if (!in_a_folder(document.source) || fs::exists(document.source, unknown) || unknown)
          continue;
        auto report = retract_document(*bank_, document.source);
        if (!report) {
          failed(document.source, report.error());
        } else if (*report) {
          tell(**report);
        }
      }
    }
  }

  [[nodiscard]] bool in_a_folder(const std::string& source) const {
    return std::any_of(folders_.begin(), folders_.end(),
                       [&](const std::string& folder) { return source.starts_with(folder + "/"); });
  }

  void failed(const std::string& source, const Error& error) {
    RetainReport report{.source = source};
    report.state = RetainReport::State::failed;
    report.error = error;
    tell(report);
  }

  void tell(const RetainReport& report) {
    count(report);
    if (context_.json) {
      documents_.push_back(document_of(report));
      return;
    }
    progress_.clear();
    if (report.error) {
      std::fflush(stdout);
      fmt::print(stderr, "  Error processing {}: {}{}\n", report.source, report.error->message,
                 report.error->remedy.empty() ? "" : "\n    fix: " + report.error->remedy);
      return;
    }
    print(fmt::format("{}\n{}", report.source, text_of(report)));
    std::fflush(stdout);
    if (context_.quiet) return;
    for (const std::string& warning : report.warnings)
      fmt::print(stderr, "  warning: {}\n", warning);
  }

  [[nodiscard]] std::string text_of(const RetainReport& report) const {
    if (report.state == RetainReport::State::unchanged)
      return fmt::format("  Unchanged: {}\n", counted(report.memories, "memory", "memories"));
    std::string text =
        fmt::format("  Extracted: {}, {}, {}\n", counted(report.memories, "memory", "memories"),
                    counted(report.entities, "entity", "entities"),
                    counted(report.relationships, "relationship", "relationships"));
    if (!flags_.dry_run) {
      text += fmt::format("  Kept: {} new", report.added);
      if (report.said_before > 0) text += fmt::format(", {} known", report.said_before);
      if (report.near_duplicates > 0)
        text += fmt::format(", {} known in other words", report.near_duplicates);
      if (report.no_longer_said > 0)
        text += fmt::format(", {} no longer said", report.no_longer_said);
      text += '\n';
    }
    for (const auto& [kind, number] : report.secrets)
      text += fmt::format("  Masked: {} × {}\n", number, kind);
    if (report.recalled_blocks > 0)
      text += fmt::format("  Left out: {} of recalled memories\n",
                          counted(report.recalled_blocks, "block", "blocks"));
    return text;
  }

  static const char* name_of(RetainReport::State state) {
    switch (state) {
      case RetainReport::State::retained:
        return "retained";
      case RetainReport::State::unchanged:
        return "unchanged";
      case RetainReport::State::failed:
        return "failed";
    }
    return "failed";
  }

  static Json document_of(const RetainReport& report) {
    Json document = {{"source", report.source},
                     {"state", name_of(report.state)},
                     {"memories", report.memories},
                     {"added", report.added},
                     {"known", report.said_before},
                     {"near_duplicates", report.near_duplicates},
                     {"no_longer_said", report.no_longer_said},
                     {"entities", report.entities},
                     {"relationships", report.relationships},
                     {"without_vector", report.without_vector},
                     {"secrets_masked", report.secrets},
                     {"recalled_blocks", report.recalled_blocks},
                     {"warnings", report.warnings}};
    document["error"] = report.error ? error_document(*report.error) : Json(nullptr);
    return document;
  }

  void count(const RetainReport& report) {
    ++totals_.documents;
    if (report.state == RetainReport::State::failed) ++totals_.failed;
    if (report.state == RetainReport::State::unchanged) ++totals_.unchanged;
    totals_.memories += report.memories;
    totals_.added += report.added;
    totals_.known += report.said_before;
    totals_.near_duplicates += report.near_duplicates;
    totals_.no_longer_said += report.no_longer_said;
    totals_.without_vector += report.without_vector;
    usage_.calls += report.usage.calls;
    usage_.prompt_tokens += report.usage.prompt_tokens;
    usage_.completion_tokens += report.usage.completion_tokens;
  }

  [[nodiscard]] Json merged_documents() const {
    Json merged = Json::array();
    for (const EntityMerge& merge : resolved_.merged) merged.push_back(merge_document(merge));
    return merged;
  }

  /// Few by name, many by their number.
  void tell_what_was_merged() const {
    constexpr std::size_t shown = 10;
    const std::vector<EntityMerge>& merged = resolved_.merged;
    for (std::size_t i = 0; i < std::min(shown, merged.size()); ++i)
      print(fmt::format("Merged {} into {} ({})\n", merged[i].from_key, merged[i].into_key,
                        merged[i].reason));
    if (merged.size() > shown) print(fmt::format("… and {} more\n", merged.size() - shown));
    if (!merged.empty()) print("Undo one: bb5-memory entities split KEY\n");
    if (resolved_.waiting > 0)
      print(
          fmt::format("{} entities of earlier writes are not compared yet: bb5-memory entities "
                      "resolve --apply\n",
                      resolved_.waiting));
  }

  void finish() const {
    if (context_.json) {
      print_document(
          {{"dry_run", flags_.dry_run},
           {"extractor", extractor_->name()},
           {"embedder", embedder_.embedder ? Json(embedder_.embedder->info().model) : Json()},
           {"totals",
            {{"documents", totals_.documents},
             {"unchanged", totals_.unchanged},
             {"failed", totals_.failed},
             {"memories", totals_.memories},
             {"added", totals_.added},
             {"known", totals_.known},
             {"near_duplicates", totals_.near_duplicates},
             {"no_longer_said", totals_.no_longer_said},
             {"without_vector", totals_.without_vector}}},
           {"usage",
            {{"calls", usage_.calls},
             {"prompt_tokens", usage_.prompt_tokens},
             {"completion_tokens", usage_.completion_tokens}}},
           {"merged", merged_documents()},
           {"not_compared", resolved_.waiting},
           {"output", output_folder().empty() ? Json() : Json(output_folder())},
           {"documents", documents_}});
      return;
    }
    if (!output_folder().empty())
      print(fmt::format("\nSaved to {}:\n  Memories: {}\n  Entities: {}\n  Relationships: {}\n",
                        output_folder(), output_.memories, output_.entities,
                        output_.relationships));
    if (totals_.documents > 1)
      print(fmt::format("\n{}: {} unchanged, {} failed; {} added, {} known\n",
                        counted(totals_.documents, "document", "documents"), totals_.unchanged,
                        totals_.failed, counted(totals_.added, "memory", "memories"),
                        totals_.known + totals_.near_duplicates));
    tell_what_was_merged();
    if (usage_.calls > 0)
      print(fmt::format("Model service: {}, {} tokens read, {} written\n",
                        counted(usage_.calls, "call", "calls"), usage_.prompt_tokens,
                        usage_.completion_tokens));
    print(stopped_ ? "Interrupted: the same command goes on from here.\n" : "RETAIN complete.\n");
  }

  struct Totals {
    std::int64_t documents = 0;
    std::int64_t unchanged = 0;
    std::int64_t failed = 0;
    std::int64_t memories = 0;
    std::int64_t added = 0;
    std::int64_t known = 0;
    std::int64_t near_duplicates = 0;
    std::int64_t no_longer_said = 0;
    std::int64_t without_vector = 0;
  };

  const Context& context_;
  const RetainFlags& flags_;
  ProgressDisplay progress_;
  std::unique_ptr<Extractor> extractor_;
  std::unique_ptr<Bank> bank_;
  OpenedEmbedder embedder_;
  Outages outages_;
  std::unique_ptr<RetainSettings> settings_;
  std::vector<std::string> folders_;
  LegacyOutput output_;
  Json documents_ = Json::array();
  std::int64_t began_at_rev_ = 0;
  Look resolved_;
  Totals totals_;
  ServiceUsage usage_;
  std::int64_t bytes_ = 0;
  std::int64_t done_bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace

void add_retain_command(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<RetainFlags>();
  CLI::App* command =
      app.add_subcommand("retain", "Learn from documents: files, folders of *.md, transcripts");
  command->fallthrough();
  command
      ->add_option("source", flags->sources,
                   "Files and folders, - for standard input; *.jsonl are transcripts")
      ->required();
  command->add_flag("--dry-run", flags->dry_run,
                    "Take apart and write to --output only; no store is needed");
  command
      ->add_option("--output", flags->output,
                   "Folder for what was extracted, as JSON files of the old system (default of "
                   "--dry-run ./retain_output)")
      ->type_name("DIR");
  command
      ->add_option("--extractor", flags->extractor,
                   "rules (offline), llm or llm/MODEL (default llm where OPENAI_API_KEY or "
                   "OPENAI_BASE_URL is set, else rules)")
      ->type_name("NAME");
  add_embedder_option(*command, flags->embedder);
  command
      ->add_option(
          "--name", flags->name,
          "The document's name in the bank (default its path; of standard input stdin: and "
          "letters made of the text)")
      ->type_name("NAME");
  command->add_flag("--transcript", flags->transcript,
                    "Read JSON messages, whatever the file is called");
  command->add_flag("--prune", flags->prune,
                    "Let files of the folders that are gone say nothing any more");
  command->add_flag("--no-resolve", flags->no_resolve,
                    "Do not merge entities that are one under two names");
  command->add_flag("--keep-secrets", flags->keep_secrets,
                    "Do not mask keys, tokens and passwords");
  command
      ->add_option("--near-duplicate", flags->near_duplicate,
                   "Cosine from which a memory counts as one that is held; 2: only equal words do")
      ->type_name("NUMBER")
      ->check(CLI::Range(0.5, 2.0))
      ->capture_default_str();
  command
      ->add_option("--jobs", flags->jobs,
                   "Documents taken apart at the same time, 1 to 64 (default one a core)")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  command->callback([&context, &action, flags] {
    if (!flags->name.empty() && flags->sources.size() != 1)
      throw CLI::ValidationError("--name", "goes with one source");
    action = [&context, flags] { return RetainRun(context, *flags).run(); };
  });
}

}  // namespace bb5::cli
