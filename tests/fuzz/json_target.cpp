// JSON text: what is read can be written and read again; a prefix of good text is never bad; a
// window that ends anywhere changes nothing.
#include <variant>

#include "json/cursor.hpp"
#include "json/value.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void json(Input input) {
  using bb5::json::Cursor;
  using bb5::json::Value;
  const std::string_view text = text_of(input);
  const auto parsed = bb5::json::parse(text);
  const Value* value = std::get_if<Value>(&parsed);
  if (value == nullptr) {
    require(std::get<bb5::json::ParseError>(parsed).offset <= text.size(),
            "an error is within the text");
    return;
  }
  const std::string compact = bb5::json::write_compact(*value);
  const auto again = bb5::json::parse(compact);
  require(std::holds_alternative<Value>(again) && std::get<Value>(again) == *value,
          "what was written compactly reads as the same");
  require(bb5::json::write_compact(std::get<Value>(again)) == compact,
          "writing is stable after one reading");
  std::string indented;
  bb5::json::write_indented(*value, 3, indented);
  const auto from_indented = bb5::json::parse(indented);
  require(std::holds_alternative<Value>(from_indented) && std::get<Value>(from_indented) == *value,
          "what was written indented reads as the same");

  for (std::size_t i = 1; i <= 8; ++i) {
    const std::size_t length = text.size() * i / 8;
    Cursor cursor(text.substr(0, length));
    Value part;
    const bool good = cursor.value(part);
    require(good || cursor.status() == Cursor::Status::incomplete,
            "a prefix of good text is good or incomplete");
  }
}

}  // namespace bb5::fuzz
