#include "extractors/llm/reply.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "base/utf8.hpp"
#include "extractors/llm/fields.hpp"
#include "json/cursor.hpp"
#include "model/memory.hpp"

namespace bb5::llm {
namespace {

enum class Kind : unsigned char { unknown, memory, entity, relationship };

/// How deep a wrapper such as {"result": {"data": …}} is followed.
constexpr int deepest_wrapper = 4;

const json::Value* content_of(const json::Object& object) {
  return plain_member(object, {"content", "text", "memory", "fact", "statement"});
}
const json::Value* subject_of(const json::Object& object) {
  return plain_member(object, {"subject", "source", "from"});
}
const json::Value* object_of(const json::Object& object) {
  return plain_member(object, {"object", "target", "to"});
}
const json::Value* title_of(const json::Object& object) {
  return plain_member(object, {"name", "entity"});
}

Kind kind_of_key(const std::string& key) {
  const std::string label = label_of(key);
  if (label == "memories" || label == "memory" || parse_network(label)) return Kind::memory;
  if (label == "entities" || label == "entity") return Kind::entity;
  if (label == "relationships" || label == "relationship" || label == "relations")
    return Kind::relationship;
  return Kind::unknown;
}

/// What holds whole lists of things is none itself, whatever else it says.
bool is_wrapper(const json::Object& object) {
  return std::any_of(object.members().begin(), object.members().end(), [](const auto& member) {
    const Kind kind = kind_of_key(member.first);
    return member.second.array() != nullptr && (kind == Kind::memory || kind == Kind::relationship);
  });
}

/// By its members: what an object is wherever it stands.
Kind shape_of(const json::Value& value) {
  const json::Object* object = value.object();
  if (object == nullptr || is_wrapper(*object)) return Kind::unknown;
  if (content_of(*object) != nullptr) return Kind::memory;
  if (subject_of(*object) != nullptr && object_of(*object) != nullptr) return Kind::relationship;
  return title_of(*object) != nullptr ? Kind::entity : Kind::unknown;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::memory:
      return "memory";
    case Kind::entity:
      return "entity";
    case Kind::relationship:
      return "relationship";
    case Kind::unknown:
      break;
  }
  return "item";
}

/// Walks over one value and fills a Reply.
class Reader {
 public:
  explicit Reader(Reply& reply) : reply_(reply) {}

  void read(const json::Value& value, int depth = 0) {
    if (const json::Array* items = value.array()) {
      for (const json::Value& item : *items) read_item(item, Kind::unknown, {});
    } else if (shape_of(value) != Kind::unknown) {
      read_item(value, Kind::unknown, {});
    } else if (const json::Object* object = value.object()) {
      for (const auto& [key, inner] : object->members()) read_member(key, inner, depth);
    }
  }

 private:
  void read_member(const std::string& key, const json::Value& value, int depth) {
    const Kind kind = kind_of_key(key);
    if (const json::Array* items = value.array()) {
      for (const json::Value& item : *items) read_item(item, kind, parse_network(key));
    } else if (value.object() != nullptr && kind != Kind::unknown &&
               shape_of(value) != Kind::unknown) {
      read_item(value, kind, parse_network(key));
    } else if (depth < deepest_wrapper) {
      read(value, depth + 1);
    }
  }

  /// `network`: what a memory without one belongs to, where the array's name says it.
  void read_item(const json::Value& item, Kind kind, const std::optional<std::string>& network) {
    place_ = fmt::format("{} {}", name_of(kind), ++count_[static_cast<std::size_t>(kind)]);
    if (kind == Kind::unknown) kind = shape_of(item);
    const json::Object* object = item.object();
    if (object == nullptr) {
      read_bare(item, kind);
    } else if (kind == Kind::memory) {
      read_memory(*object, network);
    } else if (kind == Kind::entity) {
      read_entity(*object);
    } else if (kind == Kind::relationship) {
      read_relationship(*object);
    } else {
      warn("is neither memory, entity nor relationship: left out");
    }
  }

  /// A string among memories or entities is what an object there would mainly say.
  void read_bare(const json::Value& item, Kind kind) {
    const auto text = item.string() != nullptr ? text_of(&item) : std::nullopt;
    if (text && kind == Kind::memory) {
      reply_.memories.push_back({.memory = {.content = *text}, .turn = {}});
      warn("is a bare text: taken as its content");
    } else if (text && kind == Kind::entity) {
      reply_.entities.push_back({.name = *text});
      warn("is a bare text: taken as its name");
    } else {
      warn("is no object: left out");
    }
  }

  void read_memory(const json::Object& object, const std::optional<std::string>& network) {
    auto content = text_of(content_of(object));
    if (!content) return warn("has no content: left out");
    ReplyMemory read;
    read.memory.content = *std::move(content);
    read.memory.network = read_network(object, network);
    read.memory.confidence = read_confidence(object, read.memory.confidence);
    read.memory.category = read_category(object);
    read.memory.entities = names_of(object.find("entities"));
    read.memory.happened_at = read_time(object);
    read.turn = read_turn(object);
    reply_.memories.push_back(std::move(read));
  }

  std::string read_network(const json::Object& object, const std::optional<std::string>& usual) {
    const json::Value* given = object.find("network");
    if (given == nullptr) {
      const auto other = parse_network(text_of(object.find("type")).value_or(""));
      return other ? *other : usual.value_or("world");
    }
    const std::string text = text_of(given).value_or("null");
    if (auto known = parse_network(text)) return *std::move(known);
    warn(fmt::format("names the network '{}', which is none: world", shown(text)));
    return "world";
  }

  double read_confidence(const json::Object& object, double usual) {
    const json::Value* given = object.find("confidence");
    if (given == nullptr || given->is_null()) return usual;
    const auto confidence = confidence_of(*given);
    if (!confidence) {
      warn(fmt::format("has a confidence that is no number: {}", usual));
      return usual;
    }
    if (!confidence->as_given)
      warn(fmt::format("has a confidence outside 0 to 1: {}", confidence->value));
    return confidence->value;
  }

  static std::optional<std::string> read_category(const json::Object& object) {
    std::string label = label_of(text_of(object.find("category")).value_or(""));
    if (label.empty() || label == "null" || label == "none") return {};
    return label;
  }

  std::optional<Timestamp> read_time(const json::Object& object) {
    const auto text = text_of(member(object, {"happened_at", "date"}));
    if (!text) return {};
    const auto time = parse_time(*text);
    if (!time) warn(fmt::format("is dated '{}', which is no date: left out", shown(*text)));
    return time;
  }

  static std::optional<std::int64_t> read_turn(const json::Object& object) {
    const auto text = text_of(member(object, {"position", "turn"}));
    if (!text) return {};
    std::int64_t position = 0;
    const char* const end = text->data() + text->size();
    const auto [stopped, error] = std::from_chars(text->data(), end, position);
    return error == std::errc{} && stopped == end ? std::optional(position) : std::nullopt;
  }

  void read_entity(const json::Object& object) {
    auto name = text_of(title_of(object));
    if (!name) return warn("has no name: left out");
    ExtractedEntity entity{.name = *std::move(name)};
    if (auto type = label_of(text_of(object.find("type")).value_or("")); !type.empty())
      entity.type = std::move(type);
    entity.mentions = mentions_of(object.find("mentions"));
    reply_.entities.push_back(std::move(entity));
  }

  void read_relationship(const json::Object& object) {
    auto subject = text_of(subject_of(object));
    auto target = text_of(object_of(object));
    if (!subject || !target) return warn("lacks an end: left out");
    ExtractedRelationship relationship{.subject = *std::move(subject),
                                       .object = *std::move(target)};
    const auto given = text_of(member(object, {"predicate", "relation", "type"}));
    if (auto predicate = label_of(given.value_or("")); !predicate.empty())
      relationship.predicate = std::move(predicate);
    relationship.confidence = read_confidence(object, relationship.confidence);
    reply_.relationships.push_back(std::move(relationship));
  }

  static std::string shown(const std::string& text) {
    return std::string(first_code_points(text, 40));
  }
  void warn(const std::string& what) { reply_.warnings.push_back(place_ + ' ' + what); }

  Reply& reply_;
  std::string place_;          ///< `memory 3`
  std::size_t count_[4] = {};  ///< Items seen, by kind as their array names it.
};

/// Behind a block in which some models think aloud.
std::string_view without_thoughts(std::string_view text) {
  constexpr std::string_view end = "</think>";
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || !text.substr(first).starts_with("<think>")) return text;
  const auto at = text.rfind(end);
  return at == std::string_view::npos ? std::string_view{} : text.substr(at + end.size());
}

}  // namespace

Result<Reply> read_reply(std::string_view text) {
  text = without_thoughts(text);
  auto first = text.find_first_of("{[");
  if (first == std::string_view::npos)
    return Error{.code = Errc::invalid_argument, .message = "there is no JSON in it"};
  Reply reply;
  json::Cursor cursor(text, first);
  do {
    json::Value value;
    if (!cursor.value(value))
      return Error{.code = Errc::invalid_argument,
                   .message = cursor.status() == json::Cursor::Status::incomplete
                                  ? std::string("the JSON breaks off")
                                  : fmt::format("the JSON is wrong at byte {}: {}",
                                                cursor.offset() - first, cursor.message())};
    Reader(reply).read(value);
    while (cursor.take(',')) {
    }
  } while (cursor.peek() == '{' || cursor.peek() == '[');
  return reply;
}

}  // namespace bb5::llm
