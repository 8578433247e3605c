#include "tools/store_generator.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file_error.hpp"
#include "json/number.hpp"
#include "json/value.hpp"
#include "model/legacy_record.hpp"

namespace bb5 {
namespace {

constexpr std::string_view words[] = {
    "agent",      "memory",       "retains",    "recalls",    "reflects",
    "decision",   "redis",        "postgres",   "vector",     "search",
    "because",    "faster",       "than",       "the",        "a",
    "with",       "without",      "index",      "query",      "latency",
    "cache",      "store",        "graph",      "entity",     "observed",
    "pattern",    "failed",       "passed",     "migration",  "schema",
    "deploy",     "rollback",     "branch",     "merged",     "review",
    "token",      "budget",       "prompt",     "context",    "window",
    "session",    "hook",         "timeout",    "retry",      "queue",
    "worker",     "thread",       "lock",       "race",       "measured",
    "seconds",    "memory",       "growth",     "disk",       "network",
    "socket",     "driver",       "protocol",   "parser",     "fuzzing",
    "found",      "fixed",        "regression", "when",       "after",
    "before",     "until",        "during",     "should",     "must",
    "never",      "always",       "prefers",    "avoids",     "chooses",
    "replaces",   "depends",      "on",         "uses",       "of",
    "in",         "for",          "and",        "or",         "gr\u00f6\u00dfer",
    "na\u00efve", "\u8a18\u61b6", "\U0001f680", "\"quoted\"", "C:\\runs",
    "tab\tbed"};
constexpr std::string_view nouns[] = {"Redis",  "PostgreSQL", "Neo4j",  "RALF",    "pgvector",
                                      "Docker", "GitHub",     "OpenAI", "Grafana", "BlackBox5"};
constexpr std::string_view types[] = {"technology", "organization", "person", "concept"};
constexpr std::string_view predicates[] = {"uses",    "depends_on", "part_of", "replaces",
                                           "runs on", "created_by", "prefers", "relates_to"};
constexpr std::string_view source_types[] = {"thoughts", "decisions", "results", "task", "generic"};
constexpr std::string_view faults[] = {"no_vector",       "id_missing",     "network_unknown",
                                       "confidence_text", "time_with_zone", "vector_not_finite",
                                       "vector_rounded",  "other_layout",   "no_content",
                                       "bad_utf8",        "bad_json"};

/// SplitMix64: small, fast, equal everywhere; each record starts its own.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t place)
      : state_(seed * 0x9E3779B97F4A7C15 + stream) {
    state_ = next() + place;
    state_ = next();
  }
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Nearly normal, of variance 1: the sum of four even numbers.
  float bell() {
    const std::uint64_t bits = next();
    const auto sum = static_cast<std::int32_t>((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) +
                                               ((bits >> 32) & 0xFFFF) + (bits >> 48));
    return static_cast<float>(sum - 2 * 0xFFFF) * (1.0F / 37837.0F);
  }
  template <class Items>
  auto pick(const Items& items) {
    return items[below(std::size(items))];
  }

 private:
  std::uint64_t state_;
};

/// Streams of numbers that must not depend on each other.
enum : std::uint64_t { text_stream = 1, vector_stream = 2, centre_stream = 3, kind_stream = 4 };

std::string entity_name(std::uint64_t place) {
  return fmt::format("{} {}", nouns[place / 2 % std::size(nouns)], place / 2);
}

std::string json_string(std::string_view text) {
  std::string out;
  json::write_string(text, out);
  return out;
}

void describe_entity(Memory& memory, std::uint64_t place, const std::string& seen) {
  const std::string name = entity_name(place);
  const std::string_view type = types[place / 2 % std::size(types)];
  const std::uint64_t mentions = 1 + place % 2;
  memory.network = "world";
  memory.content = fmt::format("Entity: {} (type: {})", name, type);
  if (mentions > 1) memory.content += fmt::format(" - mentioned {} times", mentions);
  memory.metadata = fmt::format(
      R"({{"entity_name":{},"entity_type":"{}","mention_count":{},"first_seen":"{}","is_entity":true}})",
      json_string(name), type, mentions, seen);
}

void describe_relationship(Memory& memory, std::uint64_t place, std::uint64_t names,
                           Random& random) {
  const std::string subject = entity_name(place % names);
  const std::string object = entity_name((place + 2 + 2 * (place / names)) % names);
  const std::string_view predicate = predicates[place % std::size(predicates)];
  memory.network = "observation";
  memory.content = fmt::format("Relationship: {} {} {}", subject, predicate, object);
  memory.metadata = fmt::format(
      R"({{"subject":{},"predicate":"{}","object":{},"confidence":{},"is_relationship":true}})",
      json_string(subject), predicate, json_string(object),
      json::number_text(static_cast<double>(50 + random.below(50)) / 100));
}

void describe_memory(Memory& memory, std::size_t words_wanted, std::uint64_t names,
                     const std::string& extracted, Random& random) {
  memory.network = random.pick(known_networks);
  const std::size_t count = words_wanted == 0 ? 12 + random.below(29) : words_wanted;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) memory.content += ' ';
    memory.content += random.pick(words);
  }
  std::string entities;
  for (std::size_t i = random.below(4); i > 0; --i)
    entities += (entities.empty() ? "" : ",") + json_string(entity_name(random.below(names)));
  memory.metadata = fmt::format(
      R"({{"confidence":{},"source":"memory/runs/run-{:04}/THOUGHTS.md","source_type":"{}","category":{},"entities":[{}],"created_at":"{}"}})",
      json::number_text(static_cast<double>(50 + random.below(50)) / 100), random.below(10'000),
      random.pick(source_types), random.below(3) == 0 ? "null" : "\"technical\"", entities,
      extracted);
}

/// Replaces what stands between the first `from` and the next `to` behind it.
void replace_between(std::string& text, std::size_t start, std::string_view from,
                     std::string_view to, std::string_view by) {
  const std::size_t begin = text.find(from, start) + from.size();
  text.replace(begin, text.find(to, begin) - begin, by);
}

void damage(std::string& text, std::size_t start, std::string_view fault) {
  if (fault == "no_vector") {
    replace_between(text, start, "\"embedding\": ", ",\n    \"metadata\"", "null");
  } else if (fault == "id_missing") {
    const std::size_t id = text.find("    \"id\"", start);
    text.erase(id, text.find("    \"content\"", id) - id);
  } else if (fault == "network_unknown") {
    replace_between(text, start, "\"network\": \"", "\"", "Facts");
  } else if (fault == "confidence_text") {
    replace_between(text, start, "\"metadata\": {", "\n", "\n      \"confidence\": \"high\",");
  } else if (fault == "time_with_zone") {
    replace_between(text, start, "\n    \"created_at\": \"", "\"", "2026-02-04T05:50:10+02:00");
  } else if (fault == "vector_not_finite") {
    replace_between(text, start, "\"embedding\": [\n      ", ",", "NaN");
  } else if (fault == "vector_rounded") {
    replace_between(text, start, "\"embedding\": [\n      ", ",", "0.1");
  } else if (fault == "other_layout") {
    replace_between(text, start, "\"embedding\": [", "-", " ");
  } else if (fault == "no_content") {
    replace_between(text, start, "\"content\": ", ",\n    \"network\"", "null");
  } else if (fault == "bad_utf8") {
    replace_between(text, start, "\"content\": \"", " ", "caf\xE9");
  } else {
    replace_between(text, start, "\"network\": ", "\n", "oops,");
  }
}

}  // namespace

StoreGenerator::StoreGenerator(StoreShape shape) : shape_(shape) {
  entities_ = std::max<std::int64_t>(
      100, static_cast<std::int64_t>(static_cast<double>(shape.records) * shape.entities));
  centres_.resize(shape.clusters * shape.dimension);
  for (std::size_t i = 0; i < shape.clusters; ++i) {
    Random random(shape.seed, centre_stream, i);
    for (std::size_t j = 0; j < shape.dimension; ++j)
      centres_[i * shape.dimension + j] = random.bell();
  }
}

void StoreGenerator::vector(std::int64_t place, std::span<float> out) const {
  Random random(shape_.seed, vector_stream, static_cast<std::uint64_t>(place));
  const float* centre = shape_.clusters == 0
                            ? nullptr
                            : centres_.data() + random.below(shape_.clusters) * shape_.dimension;
  double square = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = random.bell() + (centre == nullptr ? 0.0F : centre[i]);
    square += static_cast<double>(out[i]) * out[i];
  }
  if (square == 0) out[0] = 1;  // of one number, by bad luck
  const auto scale = static_cast<float>(square == 0 ? 1 : 1 / std::sqrt(square));
  for (float& number : out) number *= scale;
}

Memory StoreGenerator::memory(std::int64_t place) const {
  const auto at = static_cast<std::uint64_t>(place);
  Random random(shape_.seed, text_stream, at);
  Memory memory;
  const auto micros =
      static_cast<std::int64_t>(random.below(1000) == 0 ? 0 : random.below(999'999));
  memory.created_at = Timestamp(std::chrono::seconds(1'770'177'010 + 37 * place) +
                                std::chrono::microseconds(micros));
  const std::string extracted = to_legacy_text(*memory.created_at - std::chrono::milliseconds(3));
  const double kind = Random(shape_.seed, kind_stream, at).share();
  if (kind < shape_.entities) {
    describe_entity(memory, at, extracted);
  } else if (kind < shape_.entities + shape_.relationships) {
    describe_relationship(memory, at, static_cast<std::uint64_t>(entities_), random);
  } else {
    describe_memory(memory, shape_.words, static_cast<std::uint64_t>(entities_), extracted, random);
  }
  memory.legacy_id = legacy_id_of(memory.content);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  derive_columns(memory);
  if (shape_.dimension > 0) {
    memory.vector_state = VectorState::indexed;
    memory.embedding.resize(shape_.dimension);
    vector(place, memory.embedding);
  }
  return memory;
}

std::string_view StoreGenerator::write(std::int64_t place, std::string& out) const {
  const std::size_t start = out.size();
  write_canonical_record(memory(place), out);
  Random random(shape_.seed, kind_stream + 1, static_cast<std::uint64_t>(place));
  if (random.share() >= shape_.damage) return {};
  const std::string_view fault = random.pick(faults);
  damage(out, start, fault);
  return fault;
}

Result<GeneratedStore> generate_store(const StoreShape& shape, const GeneratedBytes& sink) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  const StoreGenerator generator(shape);
  GeneratedStore store;
  std::string text;
  text.reserve(2 * piece);
  const auto flush = [&] {
    store.bytes += std::ssize(text);
    auto taken = sink(text);
    text.clear();
    return taken;
  };
  for (std::int64_t place = 0; place < shape.records; ++place) {
    text += place == 0 ? legacy_array_open : legacy_array_separator;
    if (const auto fault = generator.write(place, text); !fault.empty())
      ++store.damaged[std::string(fault)];
    ++store.records;
    if (text.size() >= piece) BB5_TRY(flush());
  }
  text += store.records == 0 ? legacy_array_empty : legacy_array_close;
  BB5_TRY(flush());
  return store;
}

Result<GeneratedStore> generate_store_file(const StoreShape& shape, const std::string& path) {
  const auto error = [&] { return file_error("write", path, errno); };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return error();
  auto store = generate_store(shape, [&](std::string_view bytes) -> Result<> {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return error();
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return ok();
  });
  if (::close(file) != 0 && store) return error();
  return store;
}

}  // namespace bb5
