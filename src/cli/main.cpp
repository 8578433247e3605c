#include <algorithm>
#include <exception>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "base/environment.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"

namespace bb5::cli {
namespace {

/// Defaults of the global options that neither a flag, the environment nor the configuration gives.
void set_defaults(Context& context) {
  if (context.addresses.store.empty()) context.addresses.store = default_store();
}

/// Of the command line only: an environment variable or a file can be kept from others.
Result<> refuse_passwords(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) BB5_TRY(refuse_password_in(argv[i]));
  return ok();
}

bool asked_for_json(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

/// What to say of a command line that begins with a word that is no verb.
std::optional<std::string> unknown_verb(int argc, char** argv) {
  constexpr std::string_view verbs[] = {
      "init",   "stats",  "doctor",  "migrate", "add",    "get",    "list",    "update",   "forget",
      "retain", "recall", "reembed", "export",  "import", "backup", "restore", "entities", "index"};
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  if (std::find(std::begin(verbs), std::end(verbs), argv[1]) != std::end(verbs))
    return std::nullopt;
  return std::string("there is no verb ") + argv[1];
}

int run(int argc, char** argv) {
  CLI::App app{"Memory for agents: keeps, migrates and recalls what they learn.", "bb5-memory"};
  app.set_version_flag("--version", BB5_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.formatter(new_help_layout());
  app.set_config(
         "--config", environment("BB5_CONFIG"),
         "Options as NAME=VALUE lines, without the dashes (or BB5_CONFIG in the environment)")
      ->type_name("FILE");
  Context context;
  app.add_option("--store", context.addresses.store,
                 "embedded:PATH, postgresql://user@host:port/database or memory: (default "
                 "embedded: and memories.db in BB5_HOME)")
      ->type_name("URL")
      ->envname("BB5_STORE");
  app.add_option("--graph", context.addresses.graph,
                 "A Neo4j beside the store: neo4j+http://user@host:port/database, neo4j+https://… "
                 "or none")
      ->type_name("URL")
      ->envname("BB5_GRAPH");
  app.add_option("--bank", context.addresses.bank, "An isolated set of memories: a-z, 0-9, _")
      ->type_name("NAME")
      ->envname("BB5_BANK")
      ->capture_default_str();
  app.add_flag("--json", context.json, "Print one JSON document on standard output");
  app.add_flag("--quiet", context.quiet, "No progress on standard error");

  app.footer(
      "Global options (--store, --graph, --bank, --config, --json, --quiet): bb5-memory --help");
  Action action;
  add_store_commands(app, context, action);
  add_migrate_commands(app, context, action);
  add_memory_commands(app, context, action);
  add_retain_command(app, context, action);
  add_recall_command(app, context, action);
  add_reembed_command(app, context, action);
  add_entity_commands(app, context, action);
  add_index_commands(app, context, action);
  add_transfer_commands(app, context, action);
  app.footer("Global options stand before or after the verb. More: bb5-memory VERB --help");

  const bool migrate = argc > 1 && std::any_of(argv + 1, argv + argc, [](const char* word) {
                         return std::string_view(word) == "migrate";
                       });
  const int usage = migrate ? static_cast<int>(MigrateExit::usage) : static_cast<int>(Exit::usage);
  if (auto clean = refuse_passwords(argc, argv); !clean) {
    print_error(clean.error(), asked_for_json(argc, argv));
    return usage;
  }
  if (argc == 1) {
    print(app.help());
    return static_cast<int>(Exit::failed);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    print_error({Errc::invalid_argument, unknown_verb(argc, argv).value_or(error.what()),
                 "bb5-memory --help, or bb5-memory VERB --help"},
                asked_for_json(argc, argv));
    return usage;
  }
  set_defaults(context);
  return action();
}

}  // namespace
}  // namespace bb5::cli

int main(int argc, char** argv) {
  try {
    return bb5::cli::run(argc, argv);
  } catch (const std::exception& exception) {
    bb5::cli::print_error({bb5::Errc::internal, std::string("unexpected: ") + exception.what(),
                           "please report this with the command that led here"},
                          false);
    return static_cast<int>(bb5::cli::Exit::failed);
  }
}
