#include "cli/recall_query.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.hpp"
#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5::cli {
namespace {

Error invalid(std::string message, std::string remedy = {}) {
  return {Errc::invalid_argument, std::move(message), std::move(remedy)};
}

/// Every reader takes the name under which the value was given: a flag, or a member of a line.
Result<Timestamp> read_time(std::string_view name, const std::string& text) {
  const auto time = parse_time(text);
  if (time) return *time;
  return invalid(fmt::format("{}: `{}` is no time", name, to_storable_utf8(text)),
                 "write it as 2026-03-01, or 2026-03-01T12:00:00Z");
}

Result<std::vector<float>> read_vector(std::string_view name, const json::Value& value) {
  std::vector<float> vector;
  if (value.array() == nullptr) return invalid(fmt::format("{} must be a list of numbers", name));
  for (const json::Value& item : *value.array()) {
    if (item.number() == nullptr) return invalid(fmt::format("{} must be a list of numbers", name));
    vector.push_back(static_cast<float>(json::to_double(item.number()->text)));
  }
  return vector;
}

/// `run=5` is a number, `run=a` a text, `run="5"` a text too.
Result<> read_metadata(std::string_view name, const std::string& text, json::Object& metadata) {
  const auto sign = text.find('=');
  if (sign == std::string::npos || sign == 0)
    return invalid(fmt::format("{}: `{}` is no KEY=VALUE", name, to_storable_utf8(text)),
                   "write it as run=r-17, or reviewed=true");
  std::string key = text.substr(0, sign);
  if (metadata.find(key) != nullptr)
    return invalid(fmt::format("{}: `{}` is given twice", name, to_storable_utf8(key)),
                   "a key has one value; ask once for each");
  const std::string value = text.substr(sign + 1);
  auto parsed = json::parse_text(value);
  metadata.set(std::move(key), parsed ? std::move(*parsed) : json::Value(to_storable_utf8(value)));
  return ok();
}

// --- members of a line ---

Result<std::string> text_in(std::string_view name, const json::Value& value) {
  if (value.string() == nullptr) return invalid(fmt::format("{} must be a text", name));
  return to_storable_utf8(*value.string());
}

Result<std::vector<std::string>> texts_in(std::string_view name, const json::Value& value) {
  std::vector<std::string> texts;
  const json::Array one = {value};
  for (const json::Value& item : value.array() != nullptr ? *value.array() : one) {
    if (item.string() == nullptr)
      return invalid(fmt::format("{} must be a text, or a list of texts", name));
    texts.push_back(to_storable_utf8(*item.string()));
  }
  return texts;
}

Result<std::vector<std::string>> networks_in(std::string_view name, const json::Value& value) {
  auto networks = texts_in(name, value);
  if (!networks) return networks;
  for (std::string& network : *networks) {
    const auto known = parse_network(network);
    if (!known)
      return invalid(fmt::format("{}: there is no network `{}`", name, network),
                     fmt::format("name {}", fmt::join(known_networks, ", ")));
    network = *known;
  }
  return networks;
}

Result<double> number_in(std::string_view name, const json::Value& value) {
  if (value.number() == nullptr) return invalid(fmt::format("{} must be a number", name));
  return json::to_double(value.number()->text);
}

Result<std::size_t> count_in(std::string_view name, const json::Value& value) {
  const double number = value.number() != nullptr ? json::to_double(value.number()->text) : -1;
  if (!(number >= 0 && number <= 1e9) || number != std::floor(number))
    return invalid(fmt::format("{} must be a whole number, from 0 to 1000000000", name));
  return static_cast<std::size_t>(number);
}

Result<Timestamp> time_in(std::string_view name, const json::Value& value) {
  return read_time(name, value.string() != nullptr ? *value.string() : json::write_compact(value));
}

Result<bool> truth_in(std::string_view name, const json::Value& value) {
  if (value.boolean() == nullptr) return invalid(fmt::format("{} must be true or false", name));
  return *value.boolean();
}

Result<json::Object> object_in(std::string_view name, const json::Value& value) {
  if (value.object() == nullptr)
    return invalid(fmt::format("{} must be an object of keys and values", name));
  return *value.object();
}

using Setter = std::function<Result<>(std::string_view, const json::Value&, RecallQuery&)>;

/// A setter that reads a value and puts it where `place` says.
template <class Read, class Place>
Setter set(Read read, Place place) {
  return [read, place](std::string_view name, const json::Value& value,
                       RecallQuery& query) -> Result<> {
    auto member = read(name, value);
    if (!member) return std::move(member).error();
    place(query) = std::move(*member);
    return ok();
  };
}

struct LineMember {
  std::string_view name;
  Setter set;
};

const std::vector<LineMember>& line_members() {
  static const std::vector<LineMember> members = {
      {"query", set(
                    text_in, [](auto& q) -> auto& { return q.text; })},
      {"embedding", set(
                        read_vector, [](auto& q) -> auto& { return q.embedding; })},
      {"networks", set(
                       networks_in, [](auto& q) -> auto& { return q.filter.networks; })},
      {"network", set(
                      networks_in, [](auto& q) -> auto& { return q.filter.networks; })},
      {"categories", set(
                         texts_in, [](auto& q) -> auto& { return q.filter.categories; })},
      {"entities", set(
                       texts_in, [](auto& q) -> auto& { return q.filter.entities; })},
      {"source_types", set(
                           texts_in, [](auto& q) -> auto& { return q.filter.source_types; })},
      {"task_ids", set(
                       texts_in, [](auto& q) -> auto& { return q.filter.tasks; })},
      {"authors", set(
                      texts_in, [](auto& q) -> auto& { return q.filter.authors; })},
      {"min_confidence", set(
                             number_in, [](auto& q) -> auto& { return q.filter.min_confidence; })},
      {"max_confidence", set(
                             number_in, [](auto& q) -> auto& { return q.filter.max_confidence; })},
      {"since", set(
                    time_in, [](auto& q) -> auto& { return q.filter.since; })},
      {"until", set(
                    time_in, [](auto& q) -> auto& { return q.filter.until; })},
      {"metadata", set(
                       object_in, [](auto& q) -> auto& { return q.filter.metadata; })},
      {"strategies", set(
                         texts_in, [](auto& q) -> auto& { return q.strategies; })},
      {"limit", set(
                    count_in, [](auto& q) -> auto& { return q.limit; })},
      {"offset", set(
                     count_in, [](auto& q) -> auto& { return q.offset; })},
      {"tokens", set(
                     count_in, [](auto& q) -> auto& { return q.tokens; })},
      {"rrf_k",
       [](std::string_view name, const json::Value& value, RecallQuery& query) -> Result<> {
         auto constant = count_in(name, value);
         if (!constant) return std::move(constant).error();
         if (*constant < 1 || *constant > 1000)
           return invalid(fmt::format("{} {} is not between 1 and 1000", name, *constant),
                          "leave it out, and it is 60");
         query.rrf_k = static_cast<int>(*constant);
         return ok();
       }},
      {"as_of",
       [](std::string_view name, const json::Value& value, RecallQuery& query) -> Result<> {
         auto time = time_in(name, value);
         if (!time) return std::move(time).error();
         query.as_of = *time;
         query.all_times = false;
         return ok();
       }},
      {"all_times", set(
                        truth_in, [](auto& q) -> auto& { return q.all_times; })}};
  return members;
}

const Setter* setter_of(std::string_view name) {
  const auto& members = line_members();
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const LineMember& one) { return one.name == name; });
  return member == members.end() ? nullptr : &member->set;
}

Error unknown_member(std::string_view name) {
  std::vector<std::string_view> names;
  for (const LineMember& member : line_members()) names.push_back(member.name);
  return invalid(fmt::format("there is no member `{}`", to_storable_utf8(name)),
                 fmt::format("known are {}", fmt::join(names, ", ")));
}

/// One value a flag, so that a question may follow it.
CLI::Option* add_list(CLI::App& command, const char* flag, std::vector<std::string>& list,
                      const char* about, const char* type = "NAME") {
  return command.add_option(flag, list, about)->type_name(type)->allow_extra_args(false);
}

void add_filter_options(CLI::App& command, QueryFlags& flags) {
  add_list(command, "--network", flags.networks,
           "Only these networks, with commas between them: world, experience, opinion, observation")
      ->delimiter(',')
      ->check(CLI::IsMember({"world", "experience", "opinion", "observation"}));
  add_list(command, "--category", flags.categories,
           "Only memories of this category; this and the next five may be repeated: then any of "
           "them");
  add_list(command, "--entity", flags.entities,
           "Only memories that name this entity, by any name that is known to be its own");
  add_list(command, "--source-type", flags.source_types, "Only memories of this type of source");
  add_list(command, "--task", flags.tasks, "Only memories whose metadata has this task_id", "ID");
  add_list(command, "--author", flags.authors, "Only what this author said or wrote");
  add_list(command, "--metadata", flags.metadata,
           "Only memories whose metadata says so; VALUE is JSON, or else a text. Repeated: all of "
           "them",
           "KEY=VALUE");
  command
      .add_option("--min-confidence", flags.min_confidence,
                  "Only memories of at least this confidence; one that states none has 0.8")
      ->type_name("0..1");
  command
      .add_option("--max-confidence", flags.max_confidence,
                  "Only memories of at most this confidence")
      ->type_name("0..1");
  command
      .add_option("--since", flags.since,
                  "Only memories made at this time or later: 2026-03-01, or 2026-03-01T12:00:00Z")
      ->type_name("TIME");
  command.add_option("--until", flags.until, "Only memories made before this time")
      ->type_name("TIME");
}

}  // namespace

CLI::Option* add_query_options(CLI::App& command, QueryFlags& flags) {
  auto* text = command.add_option("query", flags.text, "The question");
  command
      .add_option("--top-k,--limit", flags.limit,
                  "At most so many memories, best first; 1 to 10000")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command.add_option("--offset", flags.offset, "Leave out so many of the best: the next page")
      ->check(CLI::Range(0, 1'000'000'000));
  command
      .add_option("--tokens", flags.tokens,
                  "At most so many tokens of content: the best memories that fit, each whole; a "
                  "token is taken to be four characters")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000));
  add_filter_options(command, flags);
  add_list(command, "--strategies", flags.strategies,
           "Ways of finding, with commas between them: semantic (by meaning), keyword (by words)")
      ->default_str("semantic,keyword")
      ->delimiter(',')
      ->check(CLI::IsMember({"semantic", "keyword"}));
  command
      .add_option("--embedding", flags.embedding,
                  "The question's vector, as a JSON list of numbers")
      ->type_name("JSON");
  auto* as_of = command
                    .add_option("--as-of", flags.as_of,
                                "Only memories that are valid at this time: 2026-03-01, or "
                                "2026-03-01T12:00:00Z; without it, now")
                    ->type_name("TIME");
  command
      .add_flag("--all-times", flags.all_times,
                "Memories that are not valid yet, or no longer, too")
      ->excludes(as_of);
  command
      .add_option("--fusion", flags.fusion,
                  "How their scores are joined: weighted, or rrf (by ranks)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"weighted", "rrf"}))
      ->capture_default_str();
  command.add_option("--rrf-k", flags.rrf_k, "The constant of rrf, 1 to 1000")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  return text;
}

Result<RecallQuery> query_of(const QueryFlags& flags) {
  RecallQuery query{.text = flags.text,
                    .filter = {.networks = flags.networks,
                               .categories = flags.categories,
                               .source_types = flags.source_types,
                               .entities = flags.entities,
                               .authors = flags.authors,
                               .tasks = flags.tasks,
                               .min_confidence = flags.min_confidence,
                               .max_confidence = flags.max_confidence},
                    .strategies = flags.strategies,
                    .limit = flags.limit,
                    .offset = flags.offset,
                    .all_times = flags.all_times,
                    .reciprocal_ranks = flags.fusion == "rrf",
                    .rrf_k = flags.rrf_k,
                    .tokens = flags.tokens};
  if (!flags.embedding.empty()) {
    auto parsed = json::parse_text(flags.embedding);
    if (!parsed) return std::move(parsed).error();
    auto vector = read_vector("--embedding", *parsed);
    if (!vector) return std::move(vector).error();
    query.embedding = std::move(*vector);
  }
  const auto read_optional_time = [](const char* flag, const std::string& text,
                                     std::optional<Timestamp>& place) -> Result<> {
    if (text.empty()) return ok();
    auto time = read_time(flag, text);
    if (!time) return std::move(time).error();
    place = *time;
    return ok();
  };
  BB5_TRY(read_optional_time("--as-of", flags.as_of, query.as_of));
  BB5_TRY(read_optional_time("--since", flags.since, query.filter.since));
  BB5_TRY(read_optional_time("--until", flags.until, query.filter.until));
  for (const std::string& text : flags.metadata)
    BB5_TRY(read_metadata("--metadata", text, query.filter.metadata));
  BB5_TRY(validate(query.filter));
  return query;
}

Result<RecallQuery> query_of_line(std::string_view line, RecallQuery query) {
  auto parsed = json::parse_text(line);
  if (!parsed) return std::move(parsed).error();
  const json::Object* object = parsed->object();
  if (object == nullptr) return invalid("a query must be a JSON object");
  for (const auto& [key, value] : object->members()) {
    const Setter* setter = setter_of(key);
    if (setter == nullptr) return unknown_member(key);
    if (value.is_null()) continue;
    BB5_TRY((*setter)(fmt::format("`{}`", key), value, query));
  }
  return query;
}

}  // namespace bb5::cli
