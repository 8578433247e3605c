#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "engine/models.hpp"
#include "operations/reembed/reembed.hpp"

namespace bb5::cli {
namespace {

struct ReembedFlags {
  bool missing = false;
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
    const auto derived = bank->derive([&](const MemorySearch::DerivedStep& step) {
      return progress.show({.phase = "index", .done = step.done, .total = step.total});
    });
    if (!derived && derived.error().code == Errc::cancelled) {
      report->stopped = true;
    } else if (!derived && derived.error().code != Errc::locked) {  // else another one builds them
      report = derived.error();
    }
  }
  progress.clear();
  if (!report) return fail(report.error(), context.json);
  tell(*report, **embedder, context);
  return static_cast<int>(report->stopped ? Exit::interrupted : Exit::good);
}

}  // namespace

void add_reembed_command(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<ReembedFlags>();
  CLI::App* command = app.add_subcommand("reembed", "Make the vectors that memories wait for");
  command->fallthrough();
  command->add_flag("--missing", flags->missing, "Embed every memory that has no usable vector")
      ->required();
  add_embedder_option(*command, flags->embedder);
  command
      ->add_option("--batch", flags->batch,
                   "Memories embedded together and written at once, 1 to 10000")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->callback([&context, &action, flags] {
    action = [&context, flags] { return embed_those_without(context, *flags); };
  });
}

}  // namespace bb5::cli
