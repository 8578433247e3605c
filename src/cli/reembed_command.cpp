#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "engine/models.hpp"
#include "operations/reembed/change_model.hpp"
#include "operations/reembed/reembed.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

struct ReembedFlags {
  bool missing = false;
  std::string to;
  bool drop_old = false;
  bool dry_run = false;
  std::string embedder;
  std::size_t batch = ReembedOptions().batch;
};

int fail(const Error& error, bool json) {
  print_error(error, json);
  return exit_code(error, false);
}

/// Here an embedder is what is asked for: none is an error.
Result<std::unique_ptr<Embedder>> embedder_of(const Bank& bank, const std::string& named) {
  auto recorded = bank.embedder();
  if (!recorded) return std::move(recorded).error();
  auto opened = open_embedder(*recorded, named);
  if (!opened) return std::move(opened).error();
  if (opened->embedder) return std::move(opened->embedder);
  return Error{Errc::refused, opened->why_none,
               "set OPENAI_API_KEY or OPENAI_BASE_URL for a service's model, or name another "
               "with --embedder where the bank records none"};
}

void tell(const ReembedReport& report, const Embedder& embedder, const Context& context) {
  if (context.json) {
    print_document({{"embedder", embedder.info().model},
                    {"waiting", report.waiting},
                    {"embedded", report.embedded},
                    {"from_cache", report.from_cache},
                    {"passed_over", report.passed_over},
                    {"stopped", report.stopped}});
    return;
  }
  print(fmt::format("Embedded: {} of {}, by {}\n", report.embedded,
                    counted(report.waiting, "memory", "memories"), embedder.info().model));
  if (report.passed_over > 0)
    print(fmt::format("Passed over: {}, changed meanwhile; the same command takes them up\n",
                      report.passed_over));
  if (report.stopped) print("Interrupted: the same command goes on from here.\n");
}

/// Builds what is derived from vectors. False: the user asked to stop. Another one who is at it is
/// left to it.
Result<bool> derive(Bank& bank, ProgressDisplay& progress) {
  const auto derived = bank.derive([&](const MemorySearch::DerivedStep& step) {
    return progress.show({.phase = "index", .done = step.done, .total = step.total});
  });
  if (!derived && derived.error().code == Errc::cancelled) return false;
  if (!derived && derived.error().code != Errc::locked) return derived.error();
  return true;
}

int embed_those_without(const Context& context, const ReembedFlags& flags) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto embedder = embedder_of(*bank, flags.embedder);
  if (!embedder) return fail(embedder.error(), context.json);
  ProgressDisplay progress(ProgressDisplay::form_for(context.json, context.quiet));
  auto report = embed_missing(
      *bank, **embedder,
      {.batch = flags.batch, .progress = [&](const ReembedProgress& at) {
         return progress.show(
             {.phase = "embed", .records = at.done, .done = at.done, .total = at.total});
       }});
  if (report && report->embedded > 0 && !report->stopped) {
    const auto derived = derive(*bank, progress);
    if (!derived) report = derived.error();
    if (derived) report->stopped = !*derived;
  }
  progress.clear();
  if (!report) return fail(report.error(), context.json);
  tell(*report, **embedder, context);
  return static_cast<int>(report->stopped ? Exit::interrupted : Exit::good);
}

/// The model to change to, and its embedder: none where the bank holds vectors of it and it cannot
/// be opened, as the way back to a service without its key.
struct NextModel {
  EmbedderInfo info;
  std::unique_ptr<Embedder> embedder;
};

Result<NextModel> next_model(const Bank& bank, const std::string& name) {
  if (name == "none")
    return Error{Errc::invalid_argument, "a bank cannot change to no model",
                 "name local, openai or openai/MODEL"};
  auto opened = open_embedder({}, name);
  if (opened) {
    const EmbedderInfo info = opened->embedder->info();
    return NextModel{info, std::move(opened->embedder)};
  }
  auto recorded = bank.embedder();
  if (recorded && recorded->model == name) return NextModel{*recorded, nullptr};
  auto held = bank.held_vectors(name, 0, 1);
  if (!held || held->empty()) return std::move(opened).error();
  return NextModel{{name, held->front().vector.embedding.size()}, nullptr};
}

/// What a change will have embedded, before anybody is asked to: a service may cost.
void announce(const OtherVectors::Lack& lack, const EmbedderInfo& to, const Context& context) {
  if (context.json) {
    const Document line = {{"phase", "plan"},
                           {"memories", lack.memories},
                           {"content_bytes", lack.content_bytes},
                           {"embedder", to.model}};
    fmt::print(stderr, "{}\n", line.dump());
  } else if (!context.quiet) {
    fmt::print(stderr, "To embed: {}, {:.1f} kB of text, by {}\n",
               counted(lack.memories, "memory", "memories"),
               static_cast<double>(lack.content_bytes) / 1000, to.model);
  }
}

void tell(const ChangeModelReport& report, std::int64_t dropped, const ReembedFlags& flags,
          const Context& context) {
  const std::string& to = report.to.model;
  if (context.json) {
    print_document({{"from", report.from.model.empty() ? Document() : Document(report.from.model)},
                    {"to", to},
                    {"dimension", report.to.dimension},
                    {"lacking", report.lacking},
                    {"embedded", report.embedded},
                    {"from_cache", report.from_cache},
                    {"passed_over", report.passed_over},
                    {"changed", report.changed},
                    {"dropped", dropped},
                    {"stopped", report.stopped && !flags.dry_run}});
    return;
  }
  if (report.embedded > 0)
    print(fmt::format("Embedded: {}, by {}\n", counted(report.embedded, "memory", "memories"), to));
  if (report.changed) {
    print(fmt::format("Changed: the bank's model is {}\n", to));
    if (!report.from.model.empty() && !flags.drop_old)
      print(
          fmt::format("Kept: the vectors of {}; reembed --to {} goes back to them, reembed "
                      "--drop-old drops them\n",
                      report.from.model, report.from.model));
  } else if (report.from == report.to) {
    print(fmt::format("Nothing to do: the bank's model is {} already\n", to));
  }
  if (flags.drop_old && !flags.dry_run && !report.stopped)
    print(fmt::format("Dropped: {} of other models\n", counted(dropped, "vector", "vectors")));
  if (flags.dry_run) {
    print(fmt::format("Dry run: {} to embed; nothing was done\n",
                      counted(report.lacking, "memory", "memories")));
  } else if (report.stopped) {
    print("Interrupted: the same command goes on from here.\n");
  }
}

int change_the_model(const Context& context, const ReembedFlags& flags) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto next = next_model(*bank, flags.to);
  if (!next) return fail(next.error(), context.json);
  ProgressDisplay progress(ProgressDisplay::form_for(context.json, context.quiet));
  ChangeModelOptions options{.batch = flags.batch};
  options.before = [&](const OtherVectors::Lack& lack) {
    announce(lack, next->info, context);
    return true;
  };
  options.progress = [&](const ReembedProgress& at) {
    return progress.show(
        {.phase = "embed", .records = at.done, .done = at.done, .total = at.total});
  };
  auto report = flags.dry_run ? foresee_change(*bank, next->info)
                              : change_model(*bank, next->info, next->embedder.get(), options);
  std::int64_t dropped = 0;
  if (report && !report->stopped) {
    const auto derived = derive(*bank, progress);
    if (!derived) report = derived.error();
    if (derived) report->stopped = !*derived;
  }
  progress.clear();
  if (!report) return fail(report.error(), context.json);
  if (flags.drop_old && !flags.dry_run && !report->stopped) {
    const auto gone = bank->drop_other_vectors();
    if (!gone) return fail(gone.error(), context.json);
    dropped = *gone;
  }
  tell(*report, dropped, flags, context);
  const bool interrupted = report->stopped && !flags.dry_run;
  return static_cast<int>(interrupted ? Exit::interrupted : Exit::good);
}

int drop_other_vectors(const Context& context) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto dropped = bank->drop_other_vectors();
  if (!dropped) return fail(dropped.error(), context.json);
  if (context.json) {
    print_document({{"dropped", *dropped}});
  } else {
    print(fmt::format("Dropped: {} of other models\n", counted(*dropped, "vector", "vectors")));
  }
  return static_cast<int>(Exit::good);
}

int reembed(const Context& context, const ReembedFlags& flags) {
  if (flags.missing) return embed_those_without(context, flags);
  return flags.to.empty() ? drop_other_vectors(context) : change_the_model(context, flags);
}

}  // namespace

void add_reembed_command(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<ReembedFlags>();
  CLI::App* command =
      app.add_subcommand("reembed", "Make vectors that are missing, or change the bank's model");
  command->fallthrough();
  CLI::App* what = command->add_option_group("What", "One of these, or --to with --drop-old");
  what->require_option(1, 2);
  CLI::Option* missing =
      what->add_flag("--missing", flags->missing, "Embed every memory that has no usable vector");
  what->add_option("--to", flags->to,
                   "Change the bank's model: local, openai, openai/MODEL, or one it had")
      ->type_name("MODEL")
      ->excludes(missing);
  what->add_flag("--drop-old", flags->drop_old,
                 "Drop the vectors of all models but the bank's; with --to, once it is changed")
      ->excludes(missing);
  command->add_flag("--dry-run", flags->dry_run, "With --to: say what would be embedded, and stop")
      ->needs(what->get_option("--to"));
  add_embedder_option(*command, flags->embedder);
  command
      ->add_option("--batch", flags->batch,
                   "Memories embedded together and written at once, 1 to 10000")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->callback([&context, &action, flags] {
    action = [&context, flags] { return reembed(context, *flags); };
  });
}

}  // namespace bb5::cli
