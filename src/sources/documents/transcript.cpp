#include "sources/documents/transcript.hpp"

#include <cmath>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/number.hpp"
#include "json/value.hpp"

namespace bb5 {
namespace {

const json::Value* first_of(const json::Object& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const json::Value* value = object.find(key);
    if (value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

std::optional<std::string> text_under(const json::Object& object,
                                      std::initializer_list<const char*> keys) {
  const json::Value* value = first_of(object, keys);
  if (value == nullptr || value->string() == nullptr) return std::nullopt;
  return to_storable_utf8(*value->string());
}

std::optional<Timestamp> time_of(const json::Object& object) {
  const json::Value* value = first_of(object, {"timestamp", "created_at", "time", "date"});
  if (value == nullptr) return std::nullopt;
  if (value->string() != nullptr) return parse_time(*value->string());
  if (value->number() == nullptr) return std::nullopt;
  double seconds = json::to_double(value->number()->text);
  if (seconds > 1e11) seconds /= 1000;  // milliseconds, as JavaScript counts
  if (!(seconds >= 0 && seconds < 253402300800.0)) return std::nullopt;
  return Timestamp(std::chrono::microseconds(std::llround(seconds * 1e6)));
}

/// The words of a message, its parts one a paragraph.
std::string words_of(const json::Value& content) {
  if (content.string() != nullptr) return to_storable_utf8(*content.string());
  std::string words;
  if (content.array() == nullptr) return words;
  for (const json::Value& part : *content.array()) {
    std::string text;
    if (part.string() != nullptr) text = to_storable_utf8(*part.string());
    if (const json::Object* object = part.object(); object != nullptr) {
      const std::string type = text_under(*object, {"type"}).value_or("text");
      if (type == "text" || type == "input_text" || type == "output_text")
        text = text_under(*object, {"text"}).value_or("");
    }
    if (text.empty()) continue;
    if (!words.empty()) words += "\n\n";
    words += text;
  }
  return words;
}

/// A line of a coding agent's transcript: the message is under `message`, the rest is about it.
bool is_agents_line(const json::Object& line) {
  const json::Value* message = line.find("message");
  return message != nullptr && message->object() != nullptr;
}

bool is_passed_over(const json::Object& line) {
  const json::Value* meta = line.find("isMeta");
  if (meta != nullptr && meta->boolean() != nullptr && *meta->boolean()) return true;
  const std::string type = text_under(line, {"type"}).value_or("");
  return type == "summary" || type == "system" || type == "file-history-snapshot" ||
         type == "progress" || type == "queue-operation";
}

class TranscriptReader {
 public:
  explicit TranscriptReader(std::string source) {
    read_.document.source = std::move(source);
    read_.document.source_type = "transcript";
  }

  Result<> message(const json::Value& value, const std::string& place) {
    const json::Object* object = value.object();
    if (object == nullptr) return wrong(place, "is no object");
    if (is_passed_over(*object)) return ok();
    Turn turn;
    turn.said_at = time_of(*object);
    if (is_agents_line(*object)) object = object->find("message")->object();
    const json::Value* content = first_of(*object, {"content", "text", "message"});
    if (content == nullptr) return wrong(place, "has neither `content` nor `text`");
    turn.text = words_of(*content);
    turn.author = text_under(*object, {"author", "speaker", "name", "role", "from"});
    if (!turn.said_at) turn.said_at = time_of(*object);
    turn.position = position_++;
    if (turn.text.find_first_not_of(" \t\n\f\v") != std::string::npos)
      read_.document.turns.push_back(std::move(turn));
    return ok();
  }

  Result<> lines(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const bool is_last = end == text.size();
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(is_last ? end : end + 1);
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      const std::string place = fmt::format("line {}", number);
      auto value = json::parse_text(line);
      if (!value && is_last && number > 1) {
        read_.warnings.push_back(
            fmt::format("{} ends in the middle of a message; it was left out", place));
        return ok();
      }
      if (!value) return wrong(place, value.error().message);
      BB5_TRY(message(*value, place));
    }
    return ok();
  }

  Result<> array(const json::Array& messages) {
    for (const json::Value& value : messages)
      BB5_TRY(message(value, fmt::format("message {}", position_ + 1)));
    return ok();
  }

  ReadDocument take() { return std::move(read_); }

 private:
  [[nodiscard]] Error wrong(const std::string& place, const std::string& what) const {
    return {Errc::invalid_argument, fmt::format("{}: {} {}", read_.document.source, place, what),
            "a transcript has one JSON object a line: {\"author\": …, \"content\": …, "
            "\"timestamp\": …}"};
  }

  ReadDocument read_;
  std::int64_t position_ = 0;
};

}  // namespace

Result<ReadDocument> read_transcript(std::string_view text, std::string source) {
  TranscriptReader reader(std::move(source));
  const std::size_t start = text.find_first_not_of(" \t\n\f\v");
  if (start != std::string_view::npos && text[start] == '[') {
    auto value = json::parse_text(text);
    if (!value) return std::move(value).error();
    BB5_TRY(reader.array(*value->array()));
  } else {
    BB5_TRY(reader.lines(text));
  }
  return reader.take();
}

}  // namespace bb5
