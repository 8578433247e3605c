#include "cli/context.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "operations/graph/relay.hpp"

namespace bb5::cli {
namespace {

/// Errors: why changes are left in the outbox. Another relay at work takes ours along.
Result<> relay_changes(const Addresses& addresses, Bank& bank) {
  auto graph = open_graph(addresses);
  if (!graph) return std::move(graph).error();
  if (!*graph) return ok();
  BB5_TRY((*graph)->prepare());
  // A verb that one waits for does not wait for a server that is away.
  auto report = drain_outbox(bank, **graph, {.give_up_after = std::chrono::milliseconds(0)});
  if (!report) return report.error().code == Errc::locked ? ok() : Result<>(report.error());
  return report->stopped_by ? Result<>(*report->stopped_by) : ok();
}

}  // namespace

std::unique_ptr<Bank> Context::open(OpenMode mode, int& code) const {
  auto bank = open_bank(addresses, mode);
  if (bank) return std::move(*bank);
  Error error = std::move(bank).error();
  if (error.code == Errc::not_found && error.remedy.empty())
    error.remedy = "bb5-memory init, or migrate run, makes one";
  print_error(error, json);
  code = exit_code(error, true);
  return nullptr;
}

void add_embedder_option(CLI::App& command, std::string& name) {
  command
      .add_option("--embedder", name,
                  "local, openai, openai/MODEL or none (default the bank's own; of a new bank "
                  "openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else local)")
      ->type_name("NAME")
      ->envname("BB5_EMBEDDER");
}

void Context::update_graph(Bank& bank) const {
  const auto relayed = relay_changes(addresses, bank);
  if (relayed || quiet) return;
  const auto stats = bank.stats();
  std::fflush(stdout);
  fmt::print(
      stderr, "graph: {}; {}, nothing is lost\n", relayed.error().message,
      stats ? counted(stats->outbox_pending, "change waits", "changes wait") : "its changes wait");
}

}  // namespace bb5::cli
