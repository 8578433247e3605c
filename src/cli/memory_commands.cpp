#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "engine/models.hpp"
#include "json/number.hpp"
#include "operations/retain/add.hpp"
#include "operations/retain/same_statement.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

/// Lines of a batch that are committed together, at most.
constexpr std::size_t group_size = 100;

struct AddFlags {
  std::string content;
  std::string network = "observation";
  double confidence = 0.8;
  std::string batch;
  std::string embedder;
};

int finish(const Error& error, bool json) {
  print_error(error, json);
  return exit_code(error, false);
}

const char* name_of(WriteAction action) {
  switch (action) {
    case WriteAction::inserted:
      return "inserted";
    case WriteAction::identical:
      return "identical";
    case WriteAction::replaced:
      return "replaced";
    case WriteAction::conflict:
      return "conflict";
  }
  return "inserted";
}

/// The old command's line where a memory is new; another word where one of its content was there.
std::string added_text(const Added& added) {
  const char* done = added.action == WriteAction::replaced    ? "Replaced"
                     : added.action == WriteAction::identical ? "Unchanged"
                                                              : "Added";
  return fmt::format("{} memory: {}\n", done, added.legacy_id);
}

int add_one(const Context& context, Bank& bank, const AddFlags& flags, Embedder* embedder) {
  NewMemory memory;
  memory.content = flags.content;
  memory.network = flags.network;
  memory.confidence = flags.confidence;
  memory.source = "cli_add";
  const auto added = add_memories(bank, {memory}, embedder);
  if (!added) return finish(added.error(), context.json);
  if (context.json) {
    print_document({{"id", added->front().legacy_id},
                    {"uuid", added->front().id.to_string()},
                    {"action", name_of(added->front().action)}});
  } else {
    print(added_text(added->front()));
  }
  return static_cast<int>(Exit::good);
}

/// Adds JSON lines in groups: each group is one transaction, and its lines are acknowledged when it
/// is durable.
class BatchAdd {
 public:
  BatchAdd(const Context& context, Bank& bank, Embedder* embedder)
      : context_(context), bank_(bank), embedder_(embedder) {}

  Result<> take(std::string_view text) {
    ++line_;
    if (text.find_first_not_of(" \t\r") == std::string::npos) return ok();
    auto memory = parse_new_memory(text);
    if (!memory) {
      refuse(line_, memory.error());
      return ok();
    }
    group_.push_back(std::move(*memory));
    lines_.push_back(line_);
    return group_.size() >= group_size ? flush() : ok();
  }

  Result<> flush() {
    if (group_.empty()) return ok();
    auto added = add_memories(bank_, group_, embedder_);
    if (!added && added.error().code == Errc::invalid_argument && group_.size() > 1)
      return one_by_one();
    if (!added && added.error().code == Errc::invalid_argument) {
      refuse(lines_.front(), added.error());
    } else if (!added) {
      return std::move(added).error();
    } else {
      for (std::size_t i = 0; i < added->size(); ++i) acknowledge(lines_[i], (*added)[i]);
    }
    group_.clear();
    lines_.clear();
    return ok();
  }

  /// `2 added, 1 replaced, 0 refused`
  [[nodiscard]] std::string summary() const {
    const auto count = [&](WriteAction action) {
      const auto found = counts_.find(action);
      return found == counts_.end() ? 0 : found->second;
    };
    std::string text = fmt::format("{} added", count(WriteAction::inserted));
    if (const auto replaced = count(WriteAction::replaced); replaced > 0)
      text += fmt::format(", {} replaced", replaced);
    if (const auto identical = count(WriteAction::identical); identical > 0)
      text += fmt::format(", {} unchanged", identical);
    return text + fmt::format(", {} refused", refused_);
  }
  [[nodiscard]] std::int64_t refused() const { return refused_; }

 private:
  /// One memory of the group is wrong: the others go in.
  Result<> one_by_one() {
    const auto group = std::exchange(group_, {});
    const auto lines = std::exchange(lines_, {});
    for (std::size_t i = 0; i < group.size(); ++i) {
      group_ = {group[i]};
      lines_ = {lines[i]};
      BB5_TRY(flush());
    }
    return ok();
  }

  void acknowledge(std::int64_t line, const Added& added) {
    ++counts_[added.action];
    if (context_.json) {
      print_line({{"line", line},
                  {"id", added.legacy_id},
                  {"uuid", added.id.to_string()},
                  {"action", name_of(added.action)}});
    } else {
      print(added_text(added));
      std::fflush(stdout);
    }
  }

  void refuse(std::int64_t line, const Error& error) {
    ++refused_;
    if (context_.json) {
      print_line({{"line", line}, {"error", error_document(error)}});
    } else {
      std::fflush(stdout);
      fmt::print(stderr, "line {}: {}{}\n", line, error.message,
                 error.remedy.empty() ? "" : "  fix: " + error.remedy);
    }
  }

  const Context& context_;
  Bank& bank_;
  Embedder* embedder_;
  std::vector<NewMemory> group_;
  std::vector<std::int64_t> lines_;
  std::int64_t line_ = 0;
  std::map<WriteAction, std::int64_t> counts_;
  std::int64_t refused_ = 0;
};

/// True when more input is at hand without waiting: a group waits for that only, never for a slow
/// writer.
bool more_at_hand(std::istream& in) {
  if (in.rdbuf()->in_avail() > 0) return true;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

int add_batch(const Context& context, Bank& bank, const std::string& name, Embedder* embedder) {
  std::ifstream file;
  const bool standard = name == "-";
  if (!standard) {
    file.open(name, std::ios::binary);
    if (!file)
      return finish({Errc::invalid_argument, fmt::format("cannot read {}", name),
                     "name a file of JSON lines, or - for standard input"},
                    context.json);
  } else {
    std::ios::sync_with_stdio(false);
  }
  std::istream& in = standard ? std::cin : file;
  BatchAdd batch(context, bank, embedder);
  std::string line;
  while (std::getline(in, line)) {
    if (auto taken = batch.take(line); !taken) return finish(taken.error(), context.json);
    if (standard && !more_at_hand(in)) {
      if (auto flushed = batch.flush(); !flushed) return finish(flushed.error(), context.json);
    }
  }
  if (auto flushed = batch.flush(); !flushed) return finish(flushed.error(), context.json);
  if (!context.json) fmt::print(stderr, "{}\n", batch.summary());
  return static_cast<int>(batch.refused() == 0 ? Exit::good : Exit::failed);
}

int add(const Context& context, Bank& bank, const AddFlags& flags) {
  auto recorded = bank.embedder();
  if (!recorded) return finish(recorded.error(), context.json);
  const auto opened = open_embedder(*recorded, flags.embedder, Patience::seconds);
  if (!opened) return finish(opened.error(), context.json);
  Embedder* embedder = opened->embedder.get();
  const int code = flags.batch.empty() ? add_one(context, bank, flags, embedder)
                                       : add_batch(context, bank, flags.batch, embedder);
  context.update_graph(bank);
  return code;
}

/// The one memory that an id means. Errors: not_found; conflict when several share it.
Result<Memory> one_memory(const Bank& bank, const std::string& id) {
  auto found = bank.find(id);
  if (!found) return std::move(found).error();
  if (found->empty())
    return Error{Errc::not_found, fmt::format("there is no memory {}", id),
                 "`bb5-memory list` shows them"};
  if (found->size() == 1) return std::move(found->front());
  std::string uuids;
  for (const Memory& memory : *found) uuids += (uuids.empty() ? "" : ", ") + memory.id.to_string();
  return Error{Errc::conflict, fmt::format("{} memories have the id {}", found->size(), id),
               "name one by its UUID: " + uuids};
}

void print_memory(const Memory& memory) {
  print(fmt::format("{}  [{}]  confidence {}  {}\n", memory.legacy_id, memory.network,
                    memory.confidence ? json::number_text(*memory.confidence) : "N/A",
                    memory.created_at ? to_legacy_text(*memory.created_at) : ""));
  print(fmt::format("  {}\n", memory.content));
}

int get(const Context& context, const std::string& id) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto memory = one_memory(*bank, id);
  if (!memory) return finish(memory.error(), context.json);
  if (context.json) {
    print_document(memory_document(*memory));
  } else {
    print_memory(*memory);
    print(fmt::format("  metadata {}\n", memory->metadata));
  }
  return static_cast<int>(Exit::good);
}

struct ListFlags {
  std::vector<std::string> networks;
  std::size_t limit = 20;
  std::int64_t after = 0;
};

int list(const Context& context, const ListFlags& flags) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto page = bank->page({.after_seq = flags.after,
                                .limit = flags.limit,
                                .filter = {.networks = flags.networks},
                                .with_embeddings = false});
  if (!page) return finish(page.error(), context.json);
  const bool more = page->size() == flags.limit;
  if (context.json) {
    Document memories = Document::array();
    for (const Memory& memory : *page) memories.push_back(memory_document(memory));
    print_document({{"memories", memories},
                    {"next_after", more ? Document(page->back().seq) : Document(nullptr)}});
    return static_cast<int>(Exit::good);
  }
  for (const Memory& memory : *page) print_memory(memory);
  if (page->empty()) print("No memories found.\n");
  if (more) print(fmt::format("More: bb5-memory list --after {}\n", page->back().seq));
  return static_cast<int>(Exit::good);
}

struct UpdateFlags {
  std::string id;
  std::optional<std::string> content;
  std::optional<std::string> network;
  std::optional<double> confidence;
  std::optional<std::string> category;
  std::optional<std::string> source;
  std::optional<std::string> metadata;
};

Result<> change(Memory& memory, const UpdateFlags& flags) {
  if (flags.content && *flags.content != memory.content) {
    memory.content = *flags.content;
    memory.embedding.clear();  // it was made of other words
    memory.vector_state = VectorState::none;
    memory.given.reset();
  }
  if (flags.network) memory.network = parse_network(*flags.network).value_or(*flags.network);
  if (flags.metadata) {
    auto metadata = json::parse_text(*flags.metadata);
    if (!metadata || metadata->object() == nullptr)
      return Error{Errc::invalid_argument, "--metadata must be a JSON object"};
    memory.metadata = json::write_compact(*metadata);
    derive_columns(memory);
  }
  const auto text = [](const std::string& value) {
    std::string literal;
    json::write_string(value, literal);
    return literal;
  };
  if (flags.confidence) set_metadata(memory, "confidence", json::number_text(*flags.confidence));
  if (flags.category) set_metadata(memory, "category", text(*flags.category));
  if (flags.source) set_metadata(memory, "source", text(*flags.source));
  // What the raw record said is no longer true; our columns say all from here on.
  memory.raw.reset();
  memory.updated_at = now();
  return ok();
}

int update(const Context& context, const UpdateFlags& flags) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  const auto embedder = bank->embedder();
  if (!embedder) return finish(embedder.error(), context.json);
  auto memory = one_memory(*bank, flags.id);
  if (!memory) return finish(memory.error(), context.json);
  if (auto changed = change(*memory, flags); !changed) return finish(changed.error(), context.json);
  const std::int64_t statement = statement_key(memory->content);
  const auto written = bank->write({.memories = std::span(&*memory, 1),
                                    .on_conflict = OnConflict::replace,
                                    .statement_keys = std::span(&statement, 1),
                                    .model = embedder->model});
  if (!written) return finish(written.error(), context.json);
  if (context.json) {
    print_document(memory_document(*memory));
  } else {
    print(fmt::format("Updated memory: {}\n", memory->legacy_id));
  }
  context.update_graph(*bank);
  return static_cast<int>(Exit::good);
}

int forget(const Context& context, const std::vector<std::string>& ids) {
  int code = 0;
  const auto bank = context.open(OpenMode::existing, code);
  if (!bank) return code;
  Document forgotten = Document::array();
  for (const std::string& id : ids) {
    const auto memory = one_memory(*bank, id);
    if (!memory) return finish(memory.error(), context.json);
    const auto erased = bank->erase(memory->id);
    if (!erased) return finish(erased.error(), context.json);
    forgotten.push_back(memory->legacy_id);
    if (!context.json) print(fmt::format("Forgot memory: {}\n", memory->legacy_id));
  }
  if (context.json) print_document({{"forgotten", forgotten}});
  context.update_graph(*bank);
  return static_cast<int>(Exit::good);
}

const CLI::IsMember& networks() {
  static const CLI::IsMember check({"world", "experience", "opinion", "observation"});
  return check;
}

}  // namespace

void add_memory_commands(CLI::App& app, Context& context, Action& action) {
  auto add_flags = std::make_shared<AddFlags>();
  CLI::App* add_command = app.add_subcommand("add", "Add a memory, or JSON lines of them");
  add_command->fallthrough();
  auto* content = add_command->add_option("content", add_flags->content, "What to remember");
  add_command
      ->add_option("--network", add_flags->network, "world, experience, opinion or observation")
      ->type_name("NAME")
      ->check(networks())
      ->capture_default_str();
  add_command->add_option("--confidence", add_flags->confidence, "Between 0 and 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  add_command
      ->add_option("--batch", add_flags->batch,
                   "File of JSON lines, - for standard input; instead of content")
      ->type_name("FILE")
      ->excludes(content);
  add_embedder_option(*add_command, add_flags->embedder);
  add_command->callback([&context, &action, add_flags, add_command] {
    if (add_flags->batch.empty() && add_command->count("content") == 0)
      throw CLI::RequiredError("content, or --batch FILE,");
    action = [&context, add_flags] {
      int code = 0;
      const auto bank = context.open(OpenMode::create, code);
      if (!bank) return code;
      return add(context, *bank, *add_flags);
    };
  });

  auto id = std::make_shared<std::string>();
  CLI::App* get_command = app.add_subcommand("get", "Show one memory");
  get_command->fallthrough();
  get_command->add_option("id", *id, "Its id or UUID")->required();
  get_command->callback(
      [&context, &action, id] { action = [&context, id] { return get(context, *id); }; });

  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list_command =
      app.add_subcommand("list", "Show memories in the order of their insertion");
  list_command->fallthrough();
  list_command
      ->add_option("--network", list_flags->networks,
                   "Only these networks, with commas between them")
      ->type_name("NAME")
      ->delimiter(',');
  list_command->add_option("--limit", list_flags->limit, "At most so many memories, 1 to 10000")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  list_command
      ->add_option("--after", list_flags->after,
                   "Go on behind this place: the last line of a page tells it")
      ->check(CLI::NonNegativeNumber);
  list_command->callback([&context, &action, list_flags] {
    action = [&context, list_flags] { return list(context, *list_flags); };
  });

  auto update_flags = std::make_shared<UpdateFlags>();
  CLI::App* update_command = app.add_subcommand("update", "Change a memory in its place");
  update_command->fallthrough();
  update_command->add_option("id", update_flags->id, "Its id or UUID")->required();
  const auto changes = [&](CLI::Option* option) {
    option->group("What to change, at least one");
    return option;
  };
  changes(update_command->add_option("--content", update_flags->content,
                                     "New words; the vector is dropped with the old ones"));
  changes(update_command->add_option("--network", update_flags->network,
                                     "world, experience, opinion or observation"))
      ->type_name("NAME")
      ->check(networks());
  changes(update_command->add_option("--confidence", update_flags->confidence, "Between 0 and 1"))
      ->check(CLI::Range(0.0, 1.0));
  changes(update_command->add_option("--category", update_flags->category, "Any word"));
  changes(update_command->add_option("--source", update_flags->source, "Where it comes from"));
  changes(update_command->add_option("--metadata", update_flags->metadata,
                                     "A JSON object in place of the old one"))
      ->type_name("JSON");
  update_command->callback([&context, &action, update_flags] {
    const UpdateFlags& given = *update_flags;
    if (!given.content && !given.network && !given.confidence && !given.category && !given.source &&
        !given.metadata)
      throw CLI::RequiredError(
          "something to change: --content, --network, --confidence, "
          "--category, --source or --metadata");
    action = [&context, update_flags] { return update(context, *update_flags); };
  });

  auto ids = std::make_shared<std::vector<std::string>>();
  CLI::App* forget_command = app.add_subcommand("forget", "Remove memories for good");
  forget_command->fallthrough();
  forget_command->add_option("id", *ids, "Ids or UUIDs")->required();
  forget_command->callback(
      [&context, &action, ids] { action = [&context, ids] { return forget(context, *ids); }; });
}

}  // namespace bb5::cli
