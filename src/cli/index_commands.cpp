#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "operations/index/tune_index.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

struct IndexFlags {
  double recall = TuneOptions{}.recall;
  std::size_t queries = TuneOptions{}.queries;
  std::string kind = "automatic";
  std::int32_t m = 0;
  std::int32_t lists = 0;
};

int fail(const Error& error, const Context& context) {
  print_error(error, context.json);
  return error.code == Errc::cancelled ? static_cast<int>(Exit::interrupted)
                                       : exit_code(error, false);
}

const char* effort_name(VectorIndexKind kind) {
  return kind == VectorIndexKind::ivfflat ? "probes" : "ef_search";
}

/// What was chosen; `none` is one, and no choice at all is `automatic`.
std::string chosen_name(const VectorIndex::Status& status) {
  if (!status.chosen) return "automatic";
  return *status.chosen == VectorIndexKind::none ? "none" : std::string(name_of(*status.chosen));
}

Document number_or_null(std::int64_t number) {
  return number == 0 ? Document(nullptr) : Document(number);
}

Document status_document(const VectorIndex::Status& status) {
  const bool hnsw = status.kind == VectorIndexKind::hnsw;
  return {{"kind", name_of(status.kind)},
          {"chosen", chosen_name(status)},
          {"m", number_or_null(status.m)},
          {"ef_construction", number_or_null(status.ef_construction)},
          {"ef_search", number_or_null(hnsw ? status.effort : 0)},
          {"lists", number_or_null(status.lists)},
          {"probes", number_or_null(hnsw ? 0 : status.effort)},
          {"bytes", status.bytes},
          {"vectors", status.vectors},
          {"built_for", status.built_for},
          {"tail", status.tail},
          {"recall_at_10", status.recall ? Document(*status.recall) : Document(nullptr)}};
}

std::string parameters(const VectorIndex::Status& status) {
  switch (status.kind) {
    case VectorIndexKind::hnsw:
      return fmt::format(", m {}, ef_construction {}, ef_search {}", status.m,
                         status.ef_construction, status.effort);
    case VectorIndexKind::ivfflat:
      return fmt::format(", lists {}, probes {}", status.lists, status.effort);
    case VectorIndexKind::none:
      break;
  }
  return {};
}

void print_status(const VectorIndex::Status& status) {
  print(fmt::format("Index: {}{}; chosen: {}\n", name_of(status.kind), parameters(status),
                    chosen_name(status)));
  if (status.kind == VectorIndexKind::none) return;
  print(fmt::format("Built for {}; {} searched besides\n",
                    counted(status.built_for, "vector", "vectors"), status.tail));
  print(fmt::format("Size: {:.1f} MB\n", static_cast<double>(status.bytes) / 1e6));
  print(status.recall ? fmt::format("Recall@10: {:.3f} when it was measured last\n", *status.recall)
                      : "Recall@10: not measured; bb5-memory index tune\n");
}

int status(const Context& context, Bank& bank, const IndexFlags&) {
  const auto status = bank.vector_index();
  if (!status) return fail(status.error(), context);
  const auto stats = bank.stats();
  if (!stats) return fail(stats.error(), context);
  if (context.json) {
    Document document = {{"rows", stats->memories}};
    document.update(status_document(*status));
    print_document(document);
    return static_cast<int>(Exit::good);
  }
  print(fmt::format("Memories {}, with vectors {}\n", stats->memories, status->vectors));
  print_status(*status);
  return static_cast<int>(Exit::good);
}

void print_steps(const TuneReport& report) {
  const char* name = effort_name(report.index.kind);
  print(fmt::format("{} of the bank's own vectors asked; exact p50 {:.2f} ms\n", report.queries,
                    report.exact_p50_ms));
  print(fmt::format("  {:>9}  recall@10  p50\n", name));
  for (const TuneStep& step : report.steps)
    print(fmt::format("  {:>9}  {:.4f}     {:.2f} ms{}\n", step.effort, step.recall, step.p50_ms,
                      report.chosen == step.effort ? "  set" : ""));
}

/// No effort reaches it: a denser index may.
Error out_of_reach(const TuneReport& report, double recall) {
  const bool hnsw = report.index.kind == VectorIndexKind::hnsw;
  return {Errc::not_found,
          fmt::format("no {} reaches a recall of {}; the bank searches as before",
                      effort_name(report.index.kind), recall),
          fmt::format("ask for less with --recall, or {}",
                      hnsw ? fmt::format("bb5-memory index rebuild --kind hnsw --m {}",
                                         std::min(64, 2 * report.index.m))
                           : "bb5-memory index rebuild --kind hnsw")};
}

int tune(const Context& context, Bank& bank, const IndexFlags& flags) {
  ProgressDisplay progress(ProgressDisplay::form_for(context.json, context.quiet));
  const auto report =
      tune_index(bank, bank,
                 {.recall = flags.recall,
                  .queries = flags.queries,
                  .progress = [&](std::int64_t done, std::int64_t total) {
                    return progress.show({.phase = "tune", .done = done, .total = total});
                  }});
  progress.clear();
  if (!report) return fail(report.error(), context);
  const bool reached = report->chosen || report->steps.empty();
  if (context.json) {
    Document steps = Document::array();
    for (const TuneStep& step : report->steps)
      steps.push_back({{effort_name(report->index.kind), step.effort},
                       {"recall_at_10", step.recall},
                       {"p50_ms", step.p50_ms}});
    print_document({{"kind", name_of(report->index.kind)},
                    {"m", number_or_null(report->index.m)},
                    {"lists", number_or_null(report->index.lists)},
                    {"recall", flags.recall},
                    {"queries", report->queries},
                    {"exact_p50_ms", report->exact_p50_ms},
                    {"steps", std::move(steps)},
                    {"set", report->chosen ? Document(*report->chosen) : Document(nullptr)}});
  } else if (report->index.kind == VectorIndexKind::none) {
    print("Searches are exact: there is nothing to tune.\n");
  } else if (report->steps.empty()) {
    print("There are no vectors to measure with.\n");
  } else {
    print(fmt::format("Index: {}{}\n", name_of(report->index.kind), parameters(report->index)));
    print_steps(*report);
  }
  if (!reached && !context.json) print_error(out_of_reach(*report, flags.recall), false);
  return static_cast<int>(reached ? Exit::good : Exit::failed);
}

Result<VectorIndex::Choice> choice_of(const IndexFlags& flags) {
  VectorIndex::Choice choice{.m = flags.m, .lists = flags.lists};
  if (flags.kind == "none") choice.kind = VectorIndexKind::none;
  if (flags.kind == "hnsw") choice.kind = VectorIndexKind::hnsw;
  if (flags.kind == "ivfflat") choice.kind = VectorIndexKind::ivfflat;
  if (flags.m != 0 && choice.kind == VectorIndexKind::ivfflat)
    return Error{Errc::invalid_argument, "an ivfflat index has no m", "give --lists"};
  if (flags.lists != 0 && choice.kind == VectorIndexKind::hnsw)
    return Error{Errc::invalid_argument, "an hnsw index has no lists", "give --m"};
  return choice;
}

int rebuild(const Context& context, Bank& bank, const IndexFlags& flags) {
  const auto choice = choice_of(flags);
  if (!choice) {
    print_error(choice.error(), context.json);
    return static_cast<int>(Exit::usage);
  }
  ProgressDisplay progress(ProgressDisplay::form_for(context.json, context.quiet));
  const auto built = bank.rebuild_index(*choice, [&](const MemorySearch::DerivedStep& step) {
    return progress.show({.phase = "index", .done = step.done, .total = step.total});
  });
  progress.clear();
  if (!built) return fail(built.error(), context);
  const auto status = bank.vector_index();
  if (!status) return fail(status.error(), context);
  if (context.json) {
    print_document(status_document(*status));
  } else {
    print_status(*status);
  }
  return static_cast<int>(Exit::good);
}

using Work = int (*)(const Context&, Bank&, const IndexFlags&);

}  // namespace

void add_index_commands(CLI::App& app, Context& context, Action& action) {
  CLI::App* index = app.add_subcommand(
      "index", "Look at the index that finds nearest vectors, tune it or build it anew");
  index->require_subcommand(1);
  index->fallthrough();
  const auto verb = [&](const char* name, const char* text, Work work) {
    auto flags = std::make_shared<IndexFlags>();
    CLI::App* command = index->add_subcommand(name, text);
    command->fallthrough();
    command->callback([&context, &action, flags, work] {
      action = [&context, flags, work] {
        int code = 0;
        const auto bank = context.open(OpenMode::existing, code);
        return bank ? work(context, *bank, *flags) : code;
      };
    });
    return std::pair(command, flags);
  };
  verb("status", "Show its kind, parameters, size, and how much it holds", status);

  auto [tune_command, tune_flags] =
      verb("tune", "Measure what it finds, and set the least effort that finds enough", tune);
  tune_command
      ->add_option("--recall", tune_flags->recall,
                   "Share of the ten nearest that are to be found, up to 1")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
  tune_command
      ->add_option("--queries", tune_flags->queries, "Vectors of the bank to ask with, 1 to 10000")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();

  auto [rebuild_command, rebuild_flags] =
      verb("rebuild", "Build it anew, as another kind, or remove it", rebuild);
  rebuild_command
      ->add_option("--kind", rebuild_flags->kind,
                   "automatic, none, hnsw, or ivfflat (PostgreSQL only)")
      ->type_name("KIND")
      ->check(CLI::IsMember({"automatic", "none", "hnsw", "ivfflat"}))
      ->capture_default_str();
  rebuild_command
      ->add_option("--m", rebuild_flags->m, "hnsw: neighbours of a node, 4 to 64; without it 16")
      ->check(CLI::Range(4, 64));
  rebuild_command
      ->add_option("--lists", rebuild_flags->lists,
                   "ivfflat: lists, 1 to 32768; without it by the number of vectors")
      ->check(CLI::Range(1, 32'768));
}

}  // namespace bb5::cli
