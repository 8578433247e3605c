#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "operations/graph/relay.hpp"
#include "operations/graph/resolve.hpp"

namespace bb5::cli {
namespace {

using Document = nlohmann::ordered_json;

struct EntityFlags {
  std::string name;
  std::string other;
  std::string type;
  std::string after;
  std::string reason;
  std::size_t limit = 50;
  bool apply = false;
  bool undo = false;
};

Document or_null(const std::optional<Timestamp>& time) {
  return time ? Document(to_rfc3339(*time)) : Document(nullptr);
}

Document document_of(const Entity& entity) {
  return {{"key", entity.key},
          {"name", entity.name},
          {"type", entity.type},
          {"mention_count", entity.mention_count},
          {"first_seen", or_null(entity.first_seen)},
          {"last_seen", or_null(entity.last_seen)},
          {"aliases", entity.aliases},
          {"placeholder", entity.placeholder}};
}

Document document_of(const KeptApart& pair) {
  return {{"a", pair.a}, {"b", pair.b}, {"reason", pair.reason}, {"at", to_rfc3339(pair.at)}};
}

std::string line_of(const Entity& entity) {
  std::string aliases;
  for (const std::string& alias : entity.aliases)
    aliases.append(aliases.empty() ? "; also " : ", ").append(alias);
  return fmt::format("{} ({}), {}{}   {}\n", entity.name, entity.type,
                     counted(entity.mention_count, "mention", "mentions"), aliases, entity.key);
}

/// `person:jon smith`, or `any "K8s"` for an alias.
std::string shown_from(const EntityMerge& merge) {
  return is_alias_key(merge.from_key) ? fmt::format("the name \"{}\"", merge.name) : merge.from_key;
}

int failed(const Context& context, const Error& error) {
  print_error(error, context.json);
  return exit_code(error, false);
}

/// Brings the graph outside, if one is named, up to date. The merge stands whatever comes of it.
Result<> project(const Context& context, Bank& bank) {
  auto graph = open_graph(context.addresses);
  if (!graph) return std::move(graph).error();
  if (!*graph) return ok();
  BB5_TRY((*graph)->prepare());
  auto report = drain_outbox(bank, **graph);
  if (!report) return std::move(report).error();
  if (report->stopped_by) return *report->stopped_by;
  return ok();
}

/// After a change that is recorded: what could not be told to the graph is told to the person.
void project_or_say(const Context& context, Bank& bank) {
  const auto projected = project(context, bank);
  if (projected) return;
  fmt::print(stderr, "note: the graph does not show it yet: {}\n  fix: bb5-memory doctor --fix\n",
             projected.error().message);
}

int list(const Context& context, Bank& bank, const EntityFlags& flags) {
  std::vector<Entity> shown;
  std::string after = flags.after;
  bool more = false;
  while (!more) {
    auto page = bank.entities(after, 500);
    if (!page) return failed(context, page.error());
    if (page->empty()) break;
    for (Entity& entity : *page) {
      after = entity.key;
      if (!flags.type.empty() && name_key_of(entity.type) != name_key_of(flags.type)) continue;
      if (shown.size() == flags.limit) {
        more = true;
        break;
      }
      shown.push_back(std::move(entity));
    }
  }
  if (context.json) {
    Document entities = Document::array();
    for (const Entity& entity : shown) entities.push_back(document_of(entity));
    print_document({{"entities", std::move(entities)},
                    {"next_after", more ? Document(shown.back().key) : Document(nullptr)}});
    return static_cast<int>(Exit::good);
  }
  for (const Entity& entity : shown) print(line_of(entity));
  if (shown.empty()) print("No entities.\n");
  if (more) print(fmt::format("More: --after \"{}\"\n", shown.back().key));
  return static_cast<int>(Exit::good);
}

int show(const Context& context, Bank& bank, const EntityFlags& flags) {
  const auto entity = find_entity(bank, flags.name);
  if (!entity) return failed(context, entity.error());
  const auto merges = bank.merges();
  if (!merges) return failed(context, merges.error());
  const auto neighbours = bank.neighbours(entity->key, flags.limit);
  if (!neighbours) return failed(context, neighbours.error());
  const EntityMerges all(*merges);
  const auto leading = all.leading_to(entity->key);
  if (context.json) {
    Document document = document_of(*entity);
    document["merges"] = Document::array();
    for (const EntityMerge* merge : leading) document["merges"].push_back(merge_document(*merge));
    document["relationships"] = Document::array();
    for (const Neighbour& neighbour : *neighbours) {
      document["relationships"].push_back(
          {{"predicate", neighbour.predicate},
           {"outgoing", neighbour.outgoing},
           {"confidence",
            neighbour.confidence ? Document(*neighbour.confidence) : Document(nullptr)},
           {"entity", {{"key", neighbour.entity.key}, {"name", neighbour.entity.name}}}});
    }
    print_document(document);
    return static_cast<int>(Exit::good);
  }
  print(line_of(*entity));
  if (entity->first_seen) print(fmt::format("  seen first {}\n", to_rfc3339(*entity->first_seen)));
  for (const EntityMerge* merge : leading) {
    print(fmt::format("  merged: {}, {}{}\n", shown_from(*merge), to_rfc3339(merge->at),
                      merge->reason.empty() ? "" : ", " + merge->reason));
  }
  for (const Neighbour& neighbour : *neighbours) {
    print(fmt::format("  {} {} {}\n", neighbour.outgoing ? "→" : "←", neighbour.predicate,
                      neighbour.entity.name));
  }
  return static_cast<int>(Exit::good);
}

/// Records one merge and says what became of it.
int record(const Context& context, Bank& bank, const EntityMerge& merge) {
  if (auto merged = bank.merge_entities(std::span(&merge, 1)); !merged)
    return failed(context, merged.error());
  project_or_say(context, bank);
  const auto entity = find_entity(bank, merge.into_key);
  if (!entity) return failed(context, entity.error());
  if (context.json) {
    print_document({{"merge", merge_document(merge)}, {"entity", document_of(*entity)}});
  } else {
    print(fmt::format("Merged {} into {}", shown_from(merge), line_of(*entity)));
    print(fmt::format("Undo: bb5-memory entities split \"{}\"\n", merge.from_key));
  }
  return static_cast<int>(Exit::good);
}

int merge(const Context& context, Bank& bank, const EntityFlags& flags) {
  const auto from = find_entity(bank, flags.name);
  if (!from) return failed(context, from.error());
  const auto into = find_entity(bank, flags.other);
  if (!into) return failed(context, into.error());
  if (from->key == into->key) {
    return failed(context, {Errc::conflict,
                            fmt::format("`{}` and `{}` are one entity already: {}", flags.name,
                                        flags.other, into->key),
                            "bb5-memory entities show tells by which merge"});
  }
  return record(context, bank,
                {.from_key = from->key,
                 .into_key = into->key,
                 .name = from->name,
                 .reason = flags.reason,
                 .at = now()});
}

int alias(const Context& context, Bank& bank, const EntityFlags& flags) {
  const auto entity = find_entity(bank, flags.name);
  if (!entity) return failed(context, entity.error());
  if (name_key_of(flags.other).empty())
    return failed(context, {Errc::invalid_argument, "an alias needs a name",
                            "give it after the "
                            "entity"});
  const auto meant = bank.entity_named(flags.other);
  if (!meant) return failed(context, meant.error());
  if (*meant && !(*meant)->placeholder) {
    return failed(context,
                  {Errc::conflict, fmt::format("`{}` names {} already", flags.other, (*meant)->key),
                   (*meant)->key == entity->key
                       ? "there is nothing to do"
                       : fmt::format("bb5-memory entities merge \"{}\" \"{}\", if they are one",
                                     (*meant)->key, entity->key)});
  }
  return record(context, bank,
                {.from_key = alias_key(flags.other),
                 .into_key = entity->key,
                 .name = flags.other,
                 .reason = flags.reason,
                 .at = now()});
}

/// The merge that a key or a name means. Errors: not_found; conflict, when several do.
Result<EntityMerge> find_merge(const std::vector<EntityMerge>& merges, const std::string& said) {
  std::vector<EntityMerge> found;
  for (const EntityMerge& merge : merges) {
    if (merge.from_key == said) return merge;
    if (merge.from_key == alias_key(said) || name_of_key(merge.from_key) == name_key_of(said) ||
        name_key_of(merge.name) == name_key_of(said))
      found.push_back(merge);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return Error{Errc::not_found, fmt::format("`{}` was not merged into anything", said),
                 "bb5-memory entities show NAME lists the merges of an entity"};
  }
  std::string keys;
  for (const EntityMerge& merge : found)
    keys.append(keys.empty() ? "" : ", ").append(fmt::format("`{}`", merge.from_key));
  return Error{Errc::conflict, fmt::format("`{}` may be {}", said, keys), "give one of these keys"};
}

/// A split of what the resolver merged holds: else it would merge the two again.
Result<bool> keep_apart_what_was_resolved(Bank& bank, const EntityMerge& merge) {
  if (!merge.reason.starts_with(resolver_reason)) return false;
  auto pair = kept_apart(merge.from_key, merge.into_key, "split", now());
  if (!pair) return std::move(pair).error();
  BB5_TRY(bank.keep_apart(std::span(&*pair, 1)));
  return true;
}

int split(const Context& context, Bank& bank, const EntityFlags& flags) {
  const auto merges = bank.merges();
  if (!merges) return failed(context, merges.error());
  const auto merge = find_merge(*merges, flags.name);
  if (!merge) return failed(context, merge.error());
  // First this: a resolver in another process finds nothing to merge in between.
  const auto apart = keep_apart_what_was_resolved(bank, *merge);
  if (!apart) return failed(context, apart.error());
  if (auto done = bank.split_entity(merge->from_key); !done) return failed(context, done.error());
  project_or_say(context, bank);
  if (context.json) {
    print_document({{"split", merge_document(*merge)}, {"kept_apart", *apart}});
  } else {
    print(fmt::format("Split {} from {}\n", shown_from(*merge), merge->into_key));
    if (*apart) print("They stay apart: bb5-memory entities merge makes them one again\n");
  }
  return static_cast<int>(Exit::good);
}

std::string line_of(const KeptApart& pair) {
  return fmt::format("{} and {}, since {}{}\n", pair.a, pair.b, to_rfc3339(pair.at),
                     pair.reason.empty() ? "" : ", " + pair.reason);
}

int list_kept_apart(const Context& context, const Bank& bank) {
  const auto pairs = bank.kept_apart();
  if (!pairs) return failed(context, pairs.error());
  if (context.json) {
    Document list = Document::array();
    for (const KeptApart& pair : *pairs) list.push_back(document_of(pair));
    print_document({{"kept_apart", std::move(list)}});
    return static_cast<int>(Exit::good);
  }
  for (const KeptApart& pair : *pairs) print(line_of(pair));
  if (pairs->empty()) print("Nothing is kept apart.\n");
  return static_cast<int>(Exit::good);
}

int keep_apart_no_more(const Context& context, Bank& bank, const KeptApart& pair) {
  const auto removed = bank.keep_apart_no_more(pair.a, pair.b);
  if (!removed) return failed(context, removed.error());
  if (!*removed) {
    return failed(context,
                  {Errc::not_found, fmt::format("`{}` and `{}` are not kept apart", pair.a, pair.b),
                   "bb5-memory entities apart lists what is"});
  }
  if (context.json) {
    print_document({{"no_longer_apart", {{"a", pair.a}, {"b", pair.b}}}});
  } else {
    print(fmt::format("No longer kept apart: {} and {}\n", pair.a, pair.b));
  }
  return static_cast<int>(Exit::good);
}

int apart(const Context& context, Bank& bank, const EntityFlags& flags) {
  if (flags.name.empty()) return list_kept_apart(context, bank);
  const auto first = find_entity(bank, flags.name);
  if (!first) return failed(context, first.error());
  const auto second = find_entity(bank, flags.other);
  if (!second) return failed(context, second.error());
  if (first->key == second->key) {
    return failed(context, {Errc::conflict,
                            fmt::format("`{}` and `{}` are one entity: {}", flags.name, flags.other,
                                        first->key),
                            "bb5-memory entities split parts them, if they were merged"});
  }
  const auto pair = kept_apart(first->key, second->key, flags.reason, now());
  if (!pair) return failed(context, pair.error());
  if (flags.undo) return keep_apart_no_more(context, bank, *pair);
  if (auto kept = bank.keep_apart(std::span(&*pair, 1)); !kept)
    return failed(context, kept.error());
  if (context.json) {
    print_document({{"kept_apart", document_of(*pair)}});
  } else {
    print(fmt::format("Kept apart: {} and {}\n", pair->a, pair->b));
  }
  return static_cast<int>(Exit::good);
}

int resolve(const Context& context, Bank& bank, const EntityFlags& flags) {
  const auto resolution = look_at_all(bank);
  if (!resolution) return failed(context, resolution.error());
  std::size_t merged = 0;
  if (flags.apply) {
    const auto recorded = bank.merge_resolved(resolution->merges(now()), resolution->up_to);
    if (!recorded) return failed(context, recorded.error());
    merged = recorded->size();
    project_or_say(context, bank);
  }
  const auto sure = resolution->merges(now()).size();
  if (context.json) {
    Document list = Document::array();
    for (const ResolvedPair& pair : resolution->pairs) {
      list.push_back({{"from", pair.from->key},
                      {"into", pair.into->key},
                      {"sure", pair.match.sameness == Sameness::same},
                      {"reason", pair.match.reason}});
    }
    print_document({{"pairs", std::move(list)}, {"merged", merged}});
    return static_cast<int>(Exit::good);
  }
  for (const ResolvedPair& pair : resolution->pairs) {
    print(fmt::format("{}: {} → {} ({})\n",
                      pair.match.sameness == Sameness::same ? "same   " : "perhaps", pair.from->key,
                      pair.into->key, pair.match.reason));
  }
  print(fmt::format("{}, {} sure, {} merged\n",
                    counted(std::ssize(resolution->pairs), "pair", "pairs"), sure, merged));
  if (!flags.apply && sure > 0) print("Merge the sure ones: --apply\n");
  return static_cast<int>(Exit::good);
}

using Work = int (*)(const Context&, Bank&, const EntityFlags&);

}  // namespace

void add_entity_commands(CLI::App& app, Context& context, Action& action) {
  CLI::App* entities = app.add_subcommand(
      "entities", "Show who and what the memories name; make two of them one, and undo it");
  entities->require_subcommand(1);
  entities->fallthrough();
  const auto verb = [&](const char* name, const char* text, Work work) {
    auto flags = std::make_shared<EntityFlags>();
    CLI::App* command = entities->add_subcommand(name, text);
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
  constexpr const char* name_or_key = "Its name, or its key as `entities list` shows it";

  auto [list_command, list_flags] = verb("list", "Show entities in order of their keys", list);
  list_command->add_option("--type", list_flags->type, "Only these: technology, person, …")
      ->type_name("TYPE");
  list_command->add_option("--limit", list_flags->limit, "At most so many, 1 to 10000")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  list_command->add_option("--after", list_flags->after, "Go on behind this key")->type_name("KEY");

  auto [show_command, show_flags] =
      verb("show", "Show an entity, what was merged into it and its relationships", show);
  show_command->add_option("entity", show_flags->name, name_or_key)->required()->type_name("");
  show_command->add_option("--limit", show_flags->limit, "At most so many relationships")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();

  auto [merge_command, merge_flags] =
      verb("merge", "Fold an entity into another one, which keeps its name and type", merge);
  merge_command->add_option("from", merge_flags->name, "The one that goes: name or key")
      ->required()
      ->type_name("");
  merge_command->add_option("into", merge_flags->other, "The one that stays: name or key")
      ->required()
      ->type_name("");
  merge_command->add_option("--reason", merge_flags->reason, "Kept with the merge")
      ->type_name("TEXT");

  auto [split_command, split_flags] =
      verb("split", "Take a merge or an alias away, as if it had never been", split);
  split_command->add_option("name", split_flags->name, "What was merged: name or key")
      ->required()
      ->type_name("");

  auto [apart_command, apart_flags] =
      verb("apart", "Keep two entities apart, whatever resolve finds; without names: list", apart);
  CLI::Option* first = apart_command->add_option("first", apart_flags->name, name_or_key);
  CLI::Option* second = apart_command->add_option("second", apart_flags->other, name_or_key);
  first->needs(second)->type_name("");
  second->type_name("");
  apart_command->add_flag("--undo", apart_flags->undo, "Keep them apart no more")->needs(first);
  apart_command->add_option("--reason", apart_flags->reason, "Kept with the two")
      ->type_name("TEXT");

  auto [alias_command, alias_flags] =
      verb("alias", "Lead a name to an entity, now and when it comes up later", alias);
  alias_command->add_option("entity", alias_flags->name, name_or_key)->required()->type_name("");
  alias_command->add_option("name", alias_flags->other, "The further name")
      ->required()
      ->type_name("");
  alias_command->add_option("--reason", alias_flags->reason, "Kept with the alias")
      ->type_name("TEXT");

  auto [resolve_command, resolve_flags] =
      verb("resolve", "Find entities that are one under two names", resolve);
  resolve_command->add_flag("--apply", resolve_flags->apply, "Merge those that are sure");
}

}  // namespace bb5::cli
