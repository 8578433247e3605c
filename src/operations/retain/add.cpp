#include "operations/retain/add.hpp"

#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/number.hpp"
#include "operations/retain/content_ids.hpp"

namespace bb5 {
namespace {

Error wrong(std::string_view member, std::string_view expected) {
  return {Errc::invalid_argument, fmt::format("`{}` must be {}", member, expected)};
}

/// Reads the members of one object, one type after the other.
class Members {
 public:
  explicit Members(const json::Object& object) : object_(object) {}

  Result<> text(const char* key, std::optional<std::string>& out) const {
    const json::Value* value = given(key);
    if (value == nullptr) return ok();
    if (value->string() == nullptr) return wrong(key, "a text");
    if (!is_storable_utf8(*value->string())) return wrong(key, "UTF-8 text without NUL characters");
    out = *value->string();
    return ok();
  }

  Result<> time(const char* key, std::optional<Timestamp>& out) const {
    std::optional<std::string> written;
    BB5_TRY(text(key, written));
    if (!written) return ok();
    out = parse_time(*written);
    return out ? ok() : Result<>(wrong(key, "a time as 2026-02-04T03:50:10Z"));
  }

  Result<> confidence(const char* key, std::optional<double>& out) const {
    const json::Value* value = given(key);
    if (value == nullptr) return ok();
    if (value->number() == nullptr) return wrong(key, "a number between 0 and 1");
    const double number = json::to_double(value->number()->text);
    if (!(number >= 0 && number <= 1)) return wrong(key, "a number between 0 and 1");
    out = number;
    return ok();
  }

  Result<> integer(const char* key, std::optional<std::int64_t>& out) const {
    const json::Value* value = given(key);
    if (value == nullptr) return ok();
    if (value->number() == nullptr ||
        value->number()->text.find_first_of(".eEnN") != std::string::npos ||
        value->number()->text.size() > 18) {
      return wrong(key, "a whole number");
    }
    out = std::stoll(value->number()->text);
    return ok();
  }

  Result<> texts(const char* key, std::vector<std::string>& out) const {
    const json::Value* value = given(key);
    if (value == nullptr) return ok();
    if (value->array() == nullptr) return wrong(key, "a list of texts");
    for (const json::Value& item : *value->array()) {
      if (item.string() == nullptr || !is_storable_utf8(*item.string()))
        return wrong(key, "a list of texts");
      out.push_back(*item.string());
    }
    return ok();
  }

  Result<> vector(const char* key, std::vector<float>& out) const {
    const json::Value* value = given(key);
    if (value == nullptr) return ok();
    if (value->array() == nullptr) return wrong(key, "a list of numbers");
    for (const json::Value& item : *value->array()) {
      if (item.number() == nullptr) return wrong(key, "a list of numbers");
      const auto number = static_cast<float>(json::to_double(item.number()->text));
      if (!std::isfinite(number)) return wrong(key, "a list of finite numbers");
      out.push_back(number);
    }
    return ok();
  }

 private:
  [[nodiscard]] const json::Value* given(const char* key) const {
    const json::Value* value = object_.find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const json::Object& object_;
};

constexpr std::string_view known_members[] = {
    "content",  "network",  "created_at", "confidence", "source", "source_type", "category",
    "entities", "metadata", "embedding",  "author",     "thread", "position"};

json::Value metadata_of(const NewMemory& given) {
  json::Object metadata = given.metadata;
  if (given.confidence) metadata.set("confidence", *given.confidence);
  if (given.source) metadata.set("source", *given.source);
  if (given.source_type) metadata.set("source_type", *given.source_type);
  if (given.category) metadata.set("category", *given.category);
  if (!given.entities.empty()) {
    json::Array names;
    for (const std::string& name : given.entities) names.emplace_back(name);
    metadata.set("entities", std::move(names));
  }
  return metadata;
}

Memory memory_of(const NewMemory& given, Timestamp now) {
  Memory memory;
  memory.content = given.content;
  memory.network = parse_network(given.network).value_or(given.network);
  memory.legacy_id = legacy_id_of(given.content);
  memory.created_at = given.created_at.value_or(now);
  memory.metadata = json::write_compact(metadata_of(given));
  derive_columns(memory);
  memory.author = given.author;
  memory.thread = given.thread;
  memory.position = given.position;
  memory.embedding = given.embedding;
  memory.vector_state = given.embedding.empty() ? VectorState::none : VectorState::indexed;
  return memory;
}

Result<> choose_embedder(Bank& bank, std::size_t length) {
  auto held = bank.embedder();
  if (!held) return std::move(held).error();
  if (held->dimension == length) return ok();
  if (held->dimension != 0) {
    return Error{Errc::invalid_argument,
                 fmt::format("the vector has {} numbers, this bank holds vectors of {} ({})",
                             length, held->dimension, held->model),
                 "give a vector of the bank's model, or leave it out and embed later"};
  }
  if (length == 1536) return bank.set_embedder({"openai/text-embedding-3-small", length});
  if (length == 384) return bank.set_embedder({"local/all-MiniLM-L6-v2", length});
  return Error{Errc::invalid_argument,
               fmt::format("it is not known which model makes vectors of {} numbers", length),
               fmt::format("bb5-memory init --embedder PROVIDER/NAME --dimension {}", length)};
}

/// An embedder that fails costs the memories their vectors, not their place in the bank.
Result<> embed_missing(Bank& bank, std::vector<Memory>& memories, Embedder& embedder) {
  std::vector<Memory*> missing;
  std::vector<std::string_view> texts;
  for (Memory& memory : memories) {
    if (memory.vector_state != VectorState::none) continue;
    missing.push_back(&memory);
    texts.push_back(memory.content);
  }
  if (missing.empty()) return ok();
  auto held = bank.embedder();
  if (!held) return std::move(held).error();
  if (!held->model.empty() && *held != embedder.info()) return ok();
  auto vectors = embedder.embed(texts);
  if (!vectors) return ok();
  BB5_TRY(bank.set_embedder(embedder.info()));
  for (std::size_t i = 0; i < missing.size(); ++i) {
    missing[i]->embedding = std::move((*vectors)[i]);
    missing[i]->vector_state = VectorState::indexed;
  }
  return ok();
}

}  // namespace

Result<NewMemory> parse_new_memory(std::string_view json_text) {
  auto parsed = json::parse_text(json_text);
  if (!parsed) return std::move(parsed).error();
  const json::Object* object = parsed->object();
  if (object == nullptr) return Error{Errc::invalid_argument, "a memory must be a JSON object"};
  for (const auto& [key, value] : object->members()) {
    if (std::find(std::begin(known_members), std::end(known_members), key) ==
        std::end(known_members)) {
      return Error{Errc::invalid_argument,
                   fmt::format("there is no member `{}`", to_storable_utf8(key)),
                   "put what has no place of its own into metadata"};
    }
  }
  NewMemory memory;
  const Members members(*object);
  std::optional<std::string> content;
  std::optional<std::string> network;
  BB5_TRY(members.text("content", content));
  if (!content) return wrong("content", "given");
  memory.content = std::move(*content);
  BB5_TRY(members.text("network", network));
  if (network) memory.network = std::move(*network);
  if (!parse_network(memory.network))
    return wrong("network", "world, experience, opinion or observation");
  BB5_TRY(members.time("created_at", memory.created_at));
  BB5_TRY(members.confidence("confidence", memory.confidence));
  BB5_TRY(members.text("source", memory.source));
  BB5_TRY(members.text("source_type", memory.source_type));
  BB5_TRY(members.text("category", memory.category));
  BB5_TRY(members.texts("entities", memory.entities));
  BB5_TRY(members.vector("embedding", memory.embedding));
  BB5_TRY(members.text("author", memory.author));
  BB5_TRY(members.text("thread", memory.thread));
  BB5_TRY(members.integer("position", memory.position));
  if (const json::Value* metadata = object->find("metadata");
      metadata != nullptr && !metadata->is_null()) {
    if (metadata->object() == nullptr) return wrong("metadata", "an object");
    memory.metadata = *metadata->object();
  }
  return memory;
}

Result<std::vector<Added>> add_memories(Bank& bank, const std::vector<NewMemory>& given,
                                        Embedder* embedder) {
  const Timestamp moment = now();
  auto bank_embedder = bank.embedder();
  if (!bank_embedder) return std::move(bank_embedder).error();
  std::vector<Memory> memories;
  std::unordered_map<std::string, std::size_t> by_content;
  std::vector<std::size_t> place_of(given.size());  // in `memories`, for each given one
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i].embedding.empty()) BB5_TRY(choose_embedder(bank, given[i].embedding.size()));
    const auto [found, fresh] = by_content.try_emplace(given[i].content, memories.size());
    place_of[i] = found->second;
    if (fresh) {
      memories.push_back(memory_of(given[i], moment));
    } else {
      memories[found->second] = memory_of(given[i], moment);
    }
  }
  std::vector<Memory*> each;
  for (Memory& memory : memories) each.push_back(&memory);
  BB5_TRY(give_content_ids(bank, each, RawRecords::give_way));
  if (embedder != nullptr) BB5_TRY(embed_missing(bank, memories, *embedder));
  auto written = bank.write(
      {.memories = memories, .on_conflict = OnConflict::replace, .model = bank_embedder->model});
  if (!written) return std::move(written).error();
  std::vector<Added> added;
  for (const std::size_t place : place_of)
    added.push_back({memories[place].legacy_id, memories[place].id, written->memories[place]});
  return added;
}

}  // namespace bb5
