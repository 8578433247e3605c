#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

/// JSON as the old system read and wrote it (Python's json module), which no library reproduces:
/// NaN and infinities, integers of any size, lone surrogates, order of keys, exact spelling.
/// Ordinary JSON at the edges (reports, HTTP) uses nlohmann::json instead.
namespace bb5::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;

/// Members in order of first appearance; of equal keys the last value counts (as Python's dict).
class Object {
 public:
  [[nodiscard]] const Value* find(std::string_view key) const;
  void set(std::string key, Value value);
  bool erase(std::string_view key);
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t size() const;
  bool operator==(const Object&) const;

 private:
  friend class Cursor;
  std::vector<Member> members_;
};

/// A number by its text, as number_text and the parser write it: integers as digits, the rest as
/// repr.
struct Number {
  std::string text;
  bool operator==(const Number&) const = default;
};

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}              // NOLINT: literals convert on purpose
  Value(bool value) : state_(value) {}  // NOLINT
  Value(double value);                  // NOLINT
  Value(std::int64_t value) : state_(Number{std::to_string(value)}) {}  // NOLINT
  Value(int value) : Value(static_cast<std::int64_t>(value)) {}         // NOLINT
  Value(Number value) : state_(std::move(value)) {}                     // NOLINT
  Value(std::string value) : state_(std::move(value)) {}                // NOLINT
  Value(std::string_view value) : state_(std::string(value)) {}         // NOLINT
  Value(const char* value) : state_(std::string(value)) {}              // NOLINT
  Value(Array value) : state_(std::move(value)) {}                      // NOLINT
  Value(Object value) : state_(std::move(value)) {}                     // NOLINT

  [[nodiscard]] bool is_null() const { return state_.index() == 0; }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&state_); }
  [[nodiscard]] const Number* number() const { return std::get_if<Number>(&state_); }
  /// WTF-8: UTF-8, in which a lone surrogate stands as three bytes.
  [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&state_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&state_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&state_); }
  [[nodiscard]] Object* object() { return std::get_if<Object>(&state_); }

  bool operator==(const Value&) const;

 private:
  std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> state_;
};

inline bool Object::empty() const {
  return members_.empty();
}
inline std::size_t Object::size() const {
  return members_.size();
}

/// How deep arrays and objects may nest; deeper is an error.
inline constexpr int max_depth = 512;

struct ParseError {
  std::size_t offset = 0;
  std::string message;
};

/// One JSON value with nothing but white space around it.
[[nodiscard]] std::variant<Value, ParseError> parse(std::string_view text);

/// As parse, for text that ought to be good. Errors: invalid_argument with the offset.
[[nodiscard]] Result<Value> parse_text(std::string_view text);

/// No white space. ASCII only: all else as \uXXXX in lower case.
[[nodiscard]] std::string write_compact(const Value& value);

/// As json.dumps(indent=2) would at `depth` levels down: ASCII, a line for each element, empty
/// containers
/// `[]` and `{}`, no white space at the end.
void write_indented(const Value& value, int depth, std::string& out);

/// A string literal with its quotes.
void write_string(std::string_view wtf8, std::string& out);

}  // namespace bb5::json
