#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/migrate_report.hpp"
#include "cli/output.hpp"
#include "operations/graph/compare.hpp"
#include "operations/graph/relay.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

const std::string rule(70, '=');

struct InitFlags {
  std::string embedder;
  std::size_t dimension = 0;
};

/// Lengths of the models that people name without one.
std::size_t known_dimension(const std::string& model) {
  if (model == "openai/text-embedding-3-small") return 1536;
  if (model == "openai/text-embedding-3-large") return 3072;
  if (model == "local/all-MiniLM-L6-v2") return 384;
  return 0;
}

int init(const Context& context, const InitFlags& flags) {
  const std::size_t dimension =
      flags.dimension != 0 ? flags.dimension : known_dimension(flags.embedder);
  if (!flags.embedder.empty() && dimension == 0) {
    const Error error{Errc::invalid_argument,
                      fmt::format("the length of the vectors of {} is not known", flags.embedder),
                      "give it as --dimension N"};
    print_error(error, context.json);
    return static_cast<int>(Exit::usage);
  }
  int code = 0;
  const auto bank = context.open(OpenMode::create, code);
  if (!bank) return code;
  if (!flags.embedder.empty()) {
    if (auto set = bank->set_embedder({flags.embedder, dimension}); !set) {
      print_error(set.error(), context.json);
      return exit_code(set.error(), false);
    }
  }
  const auto embedder = bank->embedder();
  const std::string model = embedder ? embedder->model : "";
  if (context.json) {
    print_document({{"store", without_password(context.addresses.store)},
                    {"bank", context.addresses.bank},
                    {"embedder", model.empty() ? Document(nullptr) : Document(model)},
                    {"dimension", embedder ? embedder->dimension : 0}});
  } else {
    print(fmt::format("Ready: {} bank {}{}\n", without_password(context.addresses.store),
                      context.addresses.bank,
                      model.empty() ? "" : fmt::format(", vectors of {}", model)));
  }
  return static_cast<int>(Exit::good);
}

const char* name_of(VectorState state) {
  switch (state) {
    case VectorState::none:
      return "none";
    case VectorState::indexed:
      return "indexed";
    case VectorState::fallback:
      return "fallback";
    case VectorState::foreign:
      return "foreign";
    case VectorState::unusable:
      return "unusable";
  }
  return "none";
}

/// The graph that belongs to a bank, as far as it can be told without reading all of it.
struct GraphState {
  std::string url;  ///< Empty: none is named.
  GraphCounts counts;
  std::optional<Error> error;  ///< It cannot be asked.
};

GraphState graph_state(const Context& context) {
  const auto graph = open_graph(context.addresses);
  if (!graph) return {.url = without_password(context.addresses.graph), .error = graph.error()};
  if (!*graph) return {};
  GraphState state{.url = without_password(context.addresses.graph)};
  if (auto counts = (*graph)->graph_counts(); counts) {
    state.counts = *counts;
  } else {
    state.error = counts.error();
  }
  return state;
}

constexpr const char* name_the_graph = "name it with --graph or BB5_GRAPH, if there is one";

std::string waiting(std::int64_t changes) {
  return fmt::format("{} {}", counted(changes, "change", "changes"),
                     changes == 1 ? "waits" : "wait");
}

std::string graph_line(const GraphState& graph, const StoreStats& stats) {
  if (graph.url.empty() && stats.outbox_pending == 0) return {};
  if (graph.url.empty())
    return fmt::format("Graph none named: {} for one ({})\n", waiting(stats.outbox_pending),
                       name_the_graph);
  if (graph.error)
    return fmt::format("Graph {}: {}; {}\n", graph.url, graph.error->message,
                       waiting(stats.outbox_pending));
  return fmt::format("Graph {}: {}; {}\n", graph.url, graph_text(graph.counts),
                     waiting(stats.outbox_pending));
}

Document graph_document(const GraphState& graph) {
  if (graph.url.empty()) return nullptr;
  Document document = {{"url", graph.url}, {"reachable", !graph.error}};
  if (graph.error) {
    document["error"] = error_document(*graph.error);
  } else {
    document["nodes"] = graph.counts.entities;
    document["edges"] = graph.counts.relationships;
    document["mentions"] = graph.counts.mentions;
  }
  return document;
}

/// The old command's block, then what there is to say beyond it.
void print_stats(const Context& context, const StoreStats& stats, const EmbedderInfo& embedder,
                 const GraphState& graph) {
  print(fmt::format("{}\nMEMORY STATISTICS\n{}\n\nTotal Memories: {}\n\nBy Network:\n", rule, rule,
                    stats.memories));
  for (const auto& [network, count] : stats.networks) {
    std::string bar;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(2 * count, 60); ++i) bar += "█";
    print(fmt::format("  {:<15} {:>4} {}\n", network, count, bar));
  }
  print(fmt::format("\nStorage: {}\nFile Size: {:.1f} KB\n",
                    without_password(context.addresses.store),
                    static_cast<double>(stats.bytes_on_disk) / 1024));
  print(fmt::format("Entities {}  Relationships {}  Mentions {}  Outbox {}\n", stats.entities,
                    stats.relationships, stats.mentions, stats.outbox_pending));
  print(graph_line(graph, stats));
  std::string vectors;
  for (const auto& [state, count] : stats.vectors)
    vectors += fmt::format("{}{} {}", vectors.empty() ? "" : " · ", name_of(state), count);
  print(fmt::format("Vectors {}{}  Cached {}\n", vectors.empty() ? "0" : vectors,
                    embedder.model.empty()
                        ? ""
                        : fmt::format(" ({}, {} numbers)", embedder.model, embedder.dimension),
                    stats.cached_embeddings));
  for (const auto& [model, count] : stats.other_vectors)
    print(fmt::format("Beside them {} of {}\n", counted(count, "vector", "vectors"), model));
  if (stats.oldest)
    print(fmt::format("Oldest {}  newest {}\n", to_rfc3339(*stats.oldest),
                      to_rfc3339(*stats.newest)));
}

int stats(const Context& context) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto stats = bank->stats();
  const auto embedder = bank->embedder();
  if (!stats || !embedder) {
    const Error& error = stats ? embedder.error() : stats.error();
    print_error(error, context.json);
    return exit_code(error, false);
  }
  const GraphState graph = graph_state(context);
  if (!context.json) {
    print_stats(context, *stats, *embedder, graph);
    return static_cast<int>(Exit::good);
  }
  Document vectors = Document::object();
  for (const auto& [state, count] : stats->vectors) vectors[name_of(state)] = count;
  print_document(
      {{"store", without_password(context.addresses.store)},
       {"bank", context.addresses.bank},
       {"memories", stats->memories},
       {"networks", stats->networks},
       {"vectors", vectors},
       {"embedder", {{"model", embedder->model}, {"dimension", embedder->dimension}}},
       {"other_vectors", stats->other_vectors},
       {"entities", stats->entities},
       {"relationships", stats->relationships},
       {"mentions", stats->mentions},
       {"outbox_pending", stats->outbox_pending},
       {"graph", graph_document(graph)},
       {"cached_embeddings", stats->cached_embeddings},
       {"oldest", stats->oldest ? Document(to_rfc3339(*stats->oldest)) : Document(nullptr)},
       {"newest", stats->newest ? Document(to_rfc3339(*stats->newest)) : Document(nullptr)},
       {"bytes_on_disk", stats->bytes_on_disk}});
  return static_cast<int>(Exit::good);
}

/// One line of doctor's report.
struct Finding {
  std::string check;
  std::string state;  ///< ok, warn, failed, skipped
  std::string say;
  std::string fix;
};

/// How the graph outside stands to the store; nothing where none is named and none is missed.
std::optional<Finding> graph_finding(const Context& context, const Bank& bank) {
  const auto stats = bank.stats();
  if (!stats) return Finding{"graph", "failed", stats.error().message, stats.error().remedy};
  const std::int64_t pending = stats->outbox_pending;
  const auto graph = open_graph(context.addresses);
  if (!graph) return Finding{"graph", "failed", graph.error().message, graph.error().remedy};
  if (!*graph) {
    if (pending == 0) return std::nullopt;
    return Finding{"graph", "skipped", fmt::format("none is named; {} for one", waiting(pending)),
                   name_the_graph};
  }
  const auto compared = compare_graphs(bank, **graph);
  if (!compared) {
    const Error& error = compared.error();
    return Finding{"graph", "failed",
                   fmt::format("{}; {}, nothing is lost", error.message, waiting(pending)),
                   error.remedy.empty() ? "start Neo4j" : error.remedy};
  }
  if (!compared->equal())
    return Finding{
        "graph", "warn",
        fmt::format("{} from the store's; {}",
                    counted(compared->found, "value differs", "values differ"), waiting(pending)),
        "bb5-memory doctor --fix, with the same --graph"};
  return Finding{
      "graph", "ok", fmt::format("{}, as in the store", graph_text(compared->right)), {}};
}

std::vector<Finding> findings_of(const Context& context, Bank& bank, bool thorough) {
  std::vector<Finding> findings;
  if (const auto checked = bank.check(thorough); !checked) {
    findings.push_back({"store", "failed", checked.error().message, checked.error().remedy});
  } else if (checked->empty()) {
    findings.push_back(
        {"store",
         "ok",
         thorough ? "all pages, rows and indexes agree" : "opens, schema and counts agree",
         {}});
  } else {
    for (const std::string& line : *checked)
      findings.push_back({"store", "failed", line, "bb5-memory backup --to FILE, then restore"});
  }
  if (const auto steps = bank.derived_steps(); steps) {
    for (const auto& step : *steps) {
      const bool ready = step.state == "ready";
      findings.push_back(
          {"index " + step.name, ready ? "ok" : "warn",
           ready ? "ready" : fmt::format("{}: {} of {}", step.state, step.done, step.total),
           ready ? "" : "bb5-memory doctor --fix"});
    }
  }
  if (auto finding = graph_finding(context, bank); finding) findings.push_back(std::move(*finding));
  return findings;
}

/// Brings the graph outside to what the store says.
Result<> mend_graph(const Context& context, Bank& bank) {
  auto graph = open_graph(context.addresses);
  if (!graph) return std::move(graph).error();
  if (!*graph) return ok();
  BB5_TRY((*graph)->prepare());
  auto repaired = repair_projection(bank, **graph);
  if (!repaired) return std::move(repaired).error();
  return repaired->relay.stopped_by ? Result<>(*repaired->relay.stopped_by) : ok();
}

Result<> mend(const Context& context, Bank& bank) {
  BB5_TRY(bank.derive([](const MemorySearch::DerivedStep&) { return true; }));
  return mend_graph(context, bank);
}

int doctor(const Context& context, bool thorough, bool fix) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  if (fix) {
    if (auto mended = mend(context, *bank); !mended) {
      print_error(mended.error(), context.json);
      return exit_code(mended.error(), false);
    }
  }
  const auto findings = findings_of(context, *bank, thorough);
  const bool good = std::none_of(findings.begin(), findings.end(),
                                 [](const Finding& finding) { return finding.state == "failed"; });
  Document list = Document::array();
  for (const Finding& finding : findings) {
    list.push_back({{"id", finding.check},
                    {"state", finding.state},
                    {"say", finding.say},
                    {"fix", finding.fix.empty() ? Document(nullptr) : Document(finding.fix)}});
    if (!context.json) {
      const char* mark = finding.state == "ok"        ? "✓"
                         : finding.state == "warn"    ? "!"
                         : finding.state == "skipped" ? "·"
                                                      : "✗";
      print(fmt::format("  {} {:<16} {}{}\n", mark, finding.check, finding.say,
                        finding.fix.empty() ? "" : "   fix: " + finding.fix));
    }
  }
  if (context.json) print_document({{"ok", good}, {"checks", list}});
  return static_cast<int>(good ? Exit::good : Exit::failed);
}

}  // namespace

void add_store_commands(CLI::App& app, Context& context, Action& action) {
  auto init_flags = std::make_shared<InitFlags>();
  CLI::App* init_command =
      app.add_subcommand("init", "Make a store or bank; harmless when it is there");
  init_command->fallthrough();
  init_command
      ->add_option("--embedder", init_flags->embedder,
                   "Model of its vectors, as provider/name; openai/text-embedding-3-small, "
                   "for one")
      ->type_name("MODEL");
  init_command
      ->add_option("--dimension", init_flags->dimension,
                   "Numbers in a vector, 1 to 16000; known for openai's and local models")
      ->check(CLI::Range(1, 16000));
  init_command->callback([&context, &action, init_flags] {
    action = [&context, init_flags] { return init(context, *init_flags); };
  });

  CLI::App* stats_command = app.add_subcommand("stats", "Count what a bank holds");
  stats_command->fallthrough();
  stats_command->callback([&context, &action] { action = [&context] { return stats(context); }; });

  auto thorough = std::make_shared<bool>(false);
  auto fix = std::make_shared<bool>(false);
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "Check store, indexes and graph, and say what mends them");
  doctor_command->fallthrough();
  doctor_command->add_flag("--thorough", *thorough, "Look at every page and row");
  doctor_command->add_flag("--fix", *fix,
                           "Build what is unfinished, and bring the graph up to date");
  doctor_command->callback([&context, &action, thorough, fix] {
    action = [&context, thorough, fix] { return doctor(context, *thorough, *fix); };
  });
}

}  // namespace bb5::cli
