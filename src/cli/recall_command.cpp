#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "engine/models.hpp"
#include "json/number.hpp"
#include "json/value.hpp"
#include "operations/recall/recall.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

const std::string rule(70, '=');

struct RecallFlags {
  std::string query;
  std::vector<std::string> networks;
  std::vector<std::string> strategies = {"semantic", "keyword"};
  std::size_t limit = 5;
  std::size_t offset = 0;
  std::string embedding;
  std::string embedder;
  std::string as_of;
  bool all_times = false;
  std::string batch;
  std::string fusion = "weighted";
  int rrf_k = 60;
  bool explain = false;
};

Result<std::vector<float>> vector_of(const json::Value& value) {
  std::vector<float> vector;
  if (value.array() == nullptr)
    return Error{Errc::invalid_argument, "`embedding` must be a list of numbers"};
  for (const json::Value& item : *value.array()) {
    if (item.number() == nullptr)
      return Error{Errc::invalid_argument, "`embedding` must be a list of numbers"};
    vector.push_back(static_cast<float>(json::to_double(item.number()->text)));
  }
  return vector;
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
      {"fusion", receipt.fusion},
      {"arms", arms},
      {"unfinished", unfinished},
      {"ms", receipt.milliseconds}};
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
  for (const auto& step : receipt.unfinished)
    fmt::print(stderr, "  index {} is {}: {} of {}; answers are complete, slower\n", step.name,
               step.state, step.done, step.total);
  if (!receipt.short_of.empty())
    fmt::print(stderr, "  fewer than the {} asked for: {}\n", receipt.asked, receipt.short_of);
}

/// What an answer lacks is said without being asked for.
void tell_skipped(const RecallReceipt& receipt, bool quiet) {
  if (quiet) return;
  for (const ArmReceipt& arm : receipt.arms) {
    if (!arm.ran) fmt::print(stderr, "{} skipped: {}\n", arm.arm, arm.why);
  }
}

Result<Timestamp> time_of(const std::string& text) {
  const auto time = parse_time(text);
  if (time) return *time;
  return Error{Errc::invalid_argument, fmt::format("`{}` is no time", to_storable_utf8(text)),
               "write it as 2026-03-01, or 2026-03-01T12:00:00Z"};
}

int fail(const Error& error, bool json) {
  print_error(error, json);
  return exit_code(error, false);
}

/// One line of a batch: the flags' query with what the line says instead.
Result<RecallQuery> parse_query(std::string_view text, RecallQuery query) {
  auto parsed = json::parse_text(text);
  if (!parsed) return std::move(parsed).error();
  const json::Object* object = parsed->object();
  if (object == nullptr) return Error{Errc::invalid_argument, "a query must be a JSON object"};
  for (const auto& [key, value] : object->members()) {
    if (value.is_null()) continue;
    if (key == "query") {
      if (value.string() == nullptr) return Error{Errc::invalid_argument, "`query` must be a text"};
      query.text = to_storable_utf8(*value.string());
    } else if (key == "embedding") {
      auto vector = vector_of(value);
      if (!vector) return std::move(vector).error();
      query.embedding = std::move(*vector);
    } else if (key == "limit" || key == "offset") {
      const double number = value.number() != nullptr ? json::to_double(value.number()->text) : -1;
      if (number < 0 || number != std::floor(number) || number > 1e9)
        return Error{Errc::invalid_argument, fmt::format("`{}` must be a whole number", key)};
      (key == "limit" ? query.limit : query.offset) = static_cast<std::size_t>(number);
    } else if (key == "as_of") {
      auto time = time_of(value.string() != nullptr ? *value.string() : json::write_compact(value));
      if (!time) return std::move(time).error();
      query.as_of = *time;
      query.all_times = false;
    } else if (key == "all_times") {
      if (value.boolean() == nullptr)
        return Error{Errc::invalid_argument, "`all_times` must be true or false"};
      query.all_times = *value.boolean();
    } else if (key == "network" || key == "strategies") {
      std::vector<std::string> list;
      if (value.string() != nullptr) list = {*value.string()};
      if (value.array() != nullptr) {
        for (const json::Value& item : *value.array()) {
          if (item.string() == nullptr)
            return Error{Errc::invalid_argument, fmt::format("`{}` must be a list of texts", key)};
          list.push_back(*item.string());
        }
      }
      (key == "network" ? query.networks : query.strategies) = std::move(list);
    } else {
      return Error{Errc::invalid_argument,
                   fmt::format("there is no member `{}`", to_storable_utf8(key)),
                   "known are query, embedding, limit, offset, network, strategies, as_of, "
                   "all_times"};
    }
  }
  return query;
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
    auto query = parse_query(line, base);
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
  RecallQuery query{.text = flags.query,
                    .networks = flags.networks,
                    .strategies = flags.strategies,
                    .limit = flags.limit,
                    .offset = flags.offset,
                    .all_times = flags.all_times,
                    .reciprocal_ranks = flags.fusion == "rrf",
                    .rrf_k = flags.rrf_k};
  if (!flags.embedding.empty()) {
    auto parsed = json::parse_text(flags.embedding);
    auto vector = parsed ? vector_of(*parsed) : Result<std::vector<float>>(parsed.error());
    if (!vector) return fail(vector.error(), context.json);
    query.embedding = std::move(*vector);
  }
  if (!flags.as_of.empty()) {
    const auto time = time_of(flags.as_of);
    if (!time) return fail(time.error(), context.json);
    query.as_of = *time;
  }
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto opened = embedder_for(*bank, query, flags);
  if (!opened) return fail(opened.error(), context.json);
  const RecallModels models{.embedder = opened->embedder.get(),
                            .why_none = opened->why_none,
                            .cache = opened->is_service ? bank.get() : nullptr};
  if (!flags.batch.empty()) return recall_batch(context, *bank, query, models, flags.batch);
  const auto answer = recall(*bank, query, models);
  if (!answer) return fail(answer.error(), context.json);
  if (context.json) {
    print_document(answer_document(flags.query, *answer));
  } else {
    print_answer(*answer);
    std::fflush(stdout);
    if (flags.explain || (answer->results.empty() && !context.quiet))
      print_receipt(answer->receipt, query.as_of.has_value());
    else
      tell_skipped(answer->receipt, context.quiet);
  }
  return static_cast<int>(Exit::good);
}

}  // namespace

void add_recall_command(CLI::App& app, Context& context, Action& action) {
  auto flags = std::make_shared<RecallFlags>();
  CLI::App* command = app.add_subcommand("recall", "Find the memories that a question is about");
  command->fallthrough();
  auto* query = command->add_option("query", flags->query, "The question");
  command
      ->add_option("--top-k,--limit", flags->limit,
                   "At most so many memories, best first; 1 to 10000")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--offset", flags->offset, "Leave out so many of the best: the next page");
  command
      ->add_option("--network", flags->networks,
                   "Only these networks, with commas between them: world, experience, opinion, "
                   "observation")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"world", "experience", "opinion", "observation"}));
  command
      ->add_option("--strategies", flags->strategies,
                   "Ways of finding, with commas between them: semantic (by meaning), keyword (by "
                   "words)")
      ->type_name("NAME")
      ->default_str("semantic,keyword")
      ->delimiter(',')
      ->check(CLI::IsMember({"semantic", "keyword"}));
  command
      ->add_option("--embedding", flags->embedding,
                   "The question's vector, as a JSON list of numbers")
      ->type_name("JSON");
  add_embedder_option(*command, flags->embedder);
  auto* as_of = command
                    ->add_option("--as-of", flags->as_of,
                                 "Only memories that are valid at this time: 2026-03-01, or "
                                 "2026-03-01T12:00:00Z; without it, now")
                    ->type_name("TIME");
  command
      ->add_flag("--all-times", flags->all_times,
                 "Memories that are not valid yet, or no longer, too")
      ->excludes(as_of);
  command
      ->add_option("--fusion", flags->fusion,
                   "How their scores are joined: weighted, or rrf (by ranks)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"weighted", "rrf"}))
      ->capture_default_str();
  command->add_option("--rrf-k", flags->rrf_k, "The constant of rrf, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--explain", flags->explain,
                    "Show on standard error how the answer came about");
  command
      ->add_option(
          "--batch", flags->batch,
          "File of JSON lines {query, embedding?, limit?, offset?, network?, "
          "strategies?, as_of?, all_times?}, - for standard input; one document a line comes out; "
          "instead of a query")
      ->type_name("FILE")
      ->excludes(query);
  command->callback([&context, &action, flags, command] {
    if (flags->batch.empty() && command->count("query") == 0)
      throw CLI::RequiredError("query, or --batch FILE,");
    action = [&context, flags] { return run(context, *flags); };
  });
}

}  // namespace bb5::cli
