#pragma once

#include <functional>
#include <string>

#include "cli/context.hpp"

namespace CLI {
class App;
}

namespace bb5::cli {

/// What main() runs once the command line is read: a verb that was named sets it.
using Action = std::function<int()>;

/// `--embedder`, also BB5_EMBEDDER, of verbs that need vectors.
void add_embedder_option(CLI::App& command, std::string& name);

/// Each adds its verbs to the command line; `context` and `action` outlive the parsing and the
/// action.
void add_migrate_commands(CLI::App& app, Context& context, Action& action);
void add_memory_commands(CLI::App& app, Context& context,
                         Action& action);  // add get list update forget
void add_recall_command(CLI::App& app, Context& context, Action& action);   // recall
void add_retain_command(CLI::App& app, Context& context, Action& action);   // retain
void add_reembed_command(CLI::App& app, Context& context, Action& action);  // reembed
void add_transfer_commands(CLI::App& app, Context& context,
                           Action& action);  // export import backup restore
void add_entity_commands(CLI::App& app, Context& context, Action& action);  // entities
void add_index_commands(CLI::App& app, Context& context, Action& action);   // index
void add_store_commands(CLI::App& app, Context& context, Action& action);   // init stats doctor

}  // namespace bb5::cli
