#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/recall_query.hpp"
#include "engine/models.hpp"
#include "operations/recall/recall.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

const std::string rule(70, '=');

struct RecallFlags {
  QueryFlags query;
  std::string embedder;
  std::string batch;
  bool explain = false;
};

Document tokens_document(const TokenBudget& tokens) {
  return {{"budget", tokens.budget}, {"used", tokens.used}, {"left_out", tokens.left_out}};
}

Document ranking_document(const RankingReceipt& ranking) {
  return {{"candidates", ranking.candidates},
          {"context", ranking.context},
          {"ms", ranking.milliseconds}};
}

Document receipt_document(const RecallReceipt& receipt) {
  Document arms = Document::array();
  for (const ArmReceipt& arm : receipt.arms) {
    Document document = {{"arm", arm.arm}, {"state", arm.ran ? "ran" : "skipped"}};
    if (arm.ran) {
      document["looked_at"] =
          arm.plan.looked_at >= 0 ? Document(arm.plan.looked_at) : Document(nullptr);
      document["found"] = arm.found;
      document["best"] = arm.best ? Document(*arm.best) : Document(nullptr);
      document["index"] = arm.plan.index;
      document["exact"] = arm.plan.exact;
      document["ms"] = arm.milliseconds;
    } else {
      document["why"] = arm.why;
    }
    arms.push_back(std::move(document));
  }
  Document unfinished = Document::array();
  for (const auto& step : receipt.unfinished)
    unfinished.push_back(
        {{"step", step.name}, {"done", step.done}, {"of", step.total}, {"state", step.state}});
  return {
      {"asked", receipt.asked},
      {"returned", receipt.returned},
      {"held", receipt.held},
      {"valid_at", receipt.valid_at ? Document(to_rfc3339(*receipt.valid_at)) : Document(nullptr)},
      {"short", receipt.short_of.empty() ? Document(nullptr) : Document(receipt.short_of)},
      {"tokens", receipt.tokens ? tokens_document(*receipt.tokens) : Document(nullptr)},
      {"fusion", receipt.fusion},
      {"arms", arms},
      {"ranking", receipt.ranking ? ranking_document(*receipt.ranking) : Document(nullptr)},
      {"unfinished", unfinished},
      {"ms", receipt.milliseconds}};
}

Document signals_document(const std::vector<SignalScore>& signals) {
  Document document = Document::array();
  for (const SignalScore& one : signals)
    document.push_back({{"signal", one.signal},
                        {"raw", one.raw ? Document(*one.raw) : Document(nullptr)},
                        {"share", one.share}});
  return document;
}

Document answer_document(const std::string& query, const RecallAnswer& answer) {
  Document results = Document::array();
  for (const RecalledMemory& result : answer.results) {
    const Document memory = memory_document(result.memory);
    Document document = {
        {"id", result.memory.legacy_id}, {"content", memory["content"]},
        {"network", memory["network"]},  {"score", result.score},
        {"rank", result.rank},           {"strategy_scores", result.strategy_scores}};
    for (const char* key : {"confidence", "source", "created_at", "entities", "metadata", "author",
                            "thread", "position", "uuid"})
      document[key] = memory[key];
    document["signals"] = signals_document(result.signals);
    results.push_back(std::move(document));
  }
  return {{"query", query}, {"results", results}, {"receipt", receipt_document(answer.receipt)}};
}

/// The old command's block.
void print_answer(const RecallAnswer& answer) {
  if (answer.results.empty()) {
    print("No memories found.\n");
    return;
  }
  print(
      fmt::format("\n{}\nRECALL RESULTS ({} memories)\n{}\n\n", rule, answer.results.size(), rule));
  for (const RecalledMemory& result : answer.results) {
    const Memory& memory = result.memory;
    std::string network = memory.network;
    std::transform(network.begin(), network.end(), network.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    std::string content = memory.content;
    std::replace(content.begin(), content.end(), '\n', ' ');
    const auto shown = first_code_points(content, 200);
    print(fmt::format("{}. [{}] Score: {:.3f}\n", result.rank, network, result.score));
    print(fmt::format("   Confidence: {} | Source: {}\n", python_text(memory, "confidence", "N/A"),
                      python_text(memory, "source", "unknown")));
    print(fmt::format("   Content: {}{}\n", shown, shown.size() < content.size() ? "..." : ""));
    if (!memory.entities.empty()) {
      const auto last =
          memory.entities.begin() + std::min<std::ptrdiff_t>(5, std::ssize(memory.entities));
      print(fmt::format("   Entities: {}\n", fmt::join(memory.entities.begin(), last, ", ")));
    }
    print("\n");
  }
  print(fmt::format("Store stats: {} total memories\n", answer.receipt.held));
}

/// as_of: a moment was asked about.
void print_receipt(const RecallReceipt& receipt, bool as_of) {
  const std::string validity = !receipt.valid_at ? ", whenever valid"
                               : as_of           ? ", valid at " + to_rfc3339(*receipt.valid_at)
                                                 : "";
  fmt::print(stderr, "Receipt: {} of {} in {:.1f} ms, fusion {}{}\n", receipt.returned,
             counted(receipt.held, "memory", "memories"), receipt.milliseconds, receipt.fusion,
             validity);
  for (const ArmReceipt& arm : receipt.arms) {
    if (arm.ran) {
      // Not every index can tell how many memories it went through: then the receipt is silent.
      const std::string looked_at =
          arm.plan.looked_at >= 0 ? fmt::format("looked at {:>9}", arm.plan.looked_at) : "";
      const std::string best = arm.best ? fmt::format("best {:>7.3f}", *arm.best) : "no hits";
      fmt::print(stderr, "  {:<9} {:<19}  found {:>4}  {:<12}  {}{}  {:.1f} ms\n", arm.arm,
                 looked_at, arm.found, best, arm.plan.index, arm.plan.exact ? "" : ", approximate",
                 arm.milliseconds);
    } else {
      fmt::print(stderr, "  {:<9} skipped: {}\n", arm.arm, arm.why);
    }
  }
  if (receipt.ranking) {
    fmt::print(stderr, "  {:<9} {:>4} ranked, {} beside them in their threads  {:.1f} ms\n",
               "ranking", receipt.ranking->candidates, receipt.ranking->context,
               receipt.ranking->milliseconds);
  }
  for (const auto& step : receipt.unfinished)
    fmt::print(stderr, "  index {} is {}: {} of {}; answers are complete, slower\n", step.name,
               step.state, step.done, step.total);
  if (!receipt.short_of.empty())
    fmt::print(stderr, "  fewer than the {} asked for: {}\n", receipt.asked, receipt.short_of);
}

/// Of what each score is made up.
void print_signals(const std::vector<RecalledMemory>& results) {
  for (const RecalledMemory& result : results) {
    if (result.signals.empty()) continue;
    std::string shares;
    for (const SignalScore& one : result.signals)
      shares += fmt::format("  {} {:.3f}", one.signal, one.share);
    fmt::print(stderr, "  {:>3}. {:.3f} = {}\n", result.rank, result.score, shares.substr(2));
  }
}

/// What an answer lacks is said without being asked for.
void tell_skipped(const RecallReceipt& receipt, bool quiet) {
  if (quiet) return;
  if (receipt.tokens && receipt.tokens->left_out > 0)
    fmt::print(stderr, "fewer than the {} asked for: {}\n", receipt.asked, receipt.short_of);
  for (const ArmReceipt& arm : receipt.arms) {
    if (!arm.ran) fmt::print(stderr, "{} skipped: {}\n", arm.arm, arm.why);
  }
}

int fail(const Error& error, bool json) {
  print_error(error, json);
  return exit_code(error, false);
}

int recall_batch(const Context& context, const Bank& bank, const RecallQuery& base,
                 const RecallModels& models, const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file)
      return fail({Errc::invalid_argument, fmt::format("cannot read {}", name),
                   "name a file of JSON lines, or - for standard input"},
                  context.json);
  }
  std::istream& in = name == "-" ? std::cin : file;
  std::string line;
  bool good = true;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto query = query_of_line(line, base);
    auto answer = query ? recall(bank, *query, models) : Result<RecallAnswer>(query.error());
    if (answer) {
      print_line(answer_document(query->text, *answer));
    } else {
      good = false;
      print_line({{"line", number}, {"error", error_document(answer.error())}});
      if (answer.error().code != Errc::invalid_argument) return exit_code(answer.error(), false);
    }
  }
  return static_cast<int>(good ? Exit::good : Exit::failed);
}

/// Opened only where a question may need it: loading a model takes milliseconds that keywords can
/// do without.
Result<OpenedEmbedder> embedder_for(const Bank& bank, const RecallQuery& query,
                                    const RecallFlags& flags) {
  const bool semantic = std::find(query.strategies.begin(), query.strategies.end(), "semantic") !=
                        query.strategies.end();
  if (flags.batch.empty() && (!semantic || !query.embedding.empty())) return OpenedEmbedder{};
  auto recorded = bank.embedder();
  if (!recorded) return std::move(recorded).error();
  if (recorded->model.empty()) return OpenedEmbedder{};
  return open_embedder(*recorded, flags.embedder, Patience::seconds);
}

int run(const Context& context, const RecallFlags& flags) {
  const auto query = query_of(flags.query);
  if (!query) return fail(query.error(), context.json);
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto opened = embedder_for(*bank, *query, flags);
  if (!opened) return fail(opened.error(), context.json);
  const RecallModels models{.embedder = opened->embedder.get(),
                            .why_none = opened->why_none,
                            .cache = opened->is_service ? bank.get() : nullptr};
  if (!flags.batch.empty()) return recall_batch(context, *bank, *query, models, flags.batch);
  const auto answer = recall(*bank, *query, models);
  if (!answer) return fail(answer.error(), context.json);
  if (context.json) {
    print_document(answer_document(query->text, *answer));
  } else {
    print_answer(*answer);
    std::fflush(stdout);
    if (flags.explain || (answer->results.empty() && !context.quiet)) {
      print_receipt(answer->receipt, query->as_of.has_value());
      print_signals(answer->results);
    } else {
      tell_skipped(answer->receipt, context.quiet);
    }
  }
  return static_cast<int>(Exit::good);
}

}  // namespace

void add_recall_command(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<RecallFlags>();
  CLI::App* command = app.add_subcommand("recall", "Find the memories that a question is about");
  command->fallthrough();
  auto* query = add_query_options(*command, flags->query);
  add_embedder_option(*command, flags->embedder);
  command->add_flag("--explain", flags->explain,
                    "Show on standard error how the answer came about");
  command
      ->add_option("--batch", flags->batch,
                   "File of JSON lines {query, embedding?, limit?, offset?, tokens?, networks?, "
                   "categories?, "
                   "entities?, source_types?, task_ids?, authors?, metadata?, min_confidence?, "
                   "max_confidence?, since?, until?, strategies?, rrf_k?, as_of?, all_times?}, - "
                   "for standard "
                   "input; what a line does not say, the flags do; one document a line comes out; "
                   "instead of "
                   "a query")
      ->type_name("FILE")
      ->excludes(query);
  command->callback([&context, &action, flags, command] {
    if (flags->batch.empty() && command->count("query") == 0)
      throw CLI::RequiredError("query, or --batch FILE,");
    action = [&context, flags] { return run(context, *flags); };
  });
}

}  // namespace bb5::cli
