#include "json/value.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/cursor.hpp"
#include "json/number.hpp"

namespace bb5::json {
namespace {

/// The code point at the start of `text` (WTF-8) and its length; a byte that starts none counts as
/// itself.
std::pair<char32_t, std::size_t> decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3F); };
  const unsigned char first = byte(0);
  if (first >= 0xF0 && text.size() >= 4) {
    return {
        (static_cast<char32_t>(first & 0x07) << 18) | (tail(1) << 12) | (tail(2) << 6) | tail(3),
        4};
  }
  if (first >= 0xE0 && first < 0xF0 && text.size() >= 3) {
    return {(static_cast<char32_t>(first & 0x0F) << 12) | (tail(1) << 6) | tail(2), 3};
  }
  if (first >= 0xC0 && first < 0xE0 && text.size() >= 2) {
    return {(static_cast<char32_t>(first & 0x1F) << 6) | tail(1), 2};
  }
  return {first, 1};
}

void write_escape(unsigned code, std::string& out) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(code >> shift) & 15];
}

/// How containers are laid out: `indent` < 0 puts all on one line.
class Writer {
 public:
  Writer(bool indented, std::string& out) : indented_(indented), out_(out) {}

  void write(const Value& value, int depth) {
    if (value.is_null()) {
      out_ += "null";
    } else if (const bool* boolean = value.boolean()) {
      out_ += *boolean ? "true" : "false";
    } else if (const Number* number = value.number()) {
      out_ += number->text;
    } else if (const std::string* string = value.string()) {
      write_string(*string, out_);
    } else if (const Array* array = value.array()) {
      list('[', ']', *array, depth, [&](const Value& item) { write(item, depth + 1); });
    } else if (const Object* object = value.object()) {
      list('{', '}', object->members(), depth, [&](const Member& member) {
        write_string(member.first, out_);
        out_ += indented_ ? ": " : ":";
        write(member.second, depth + 1);
      });
    }
  }

 private:
  template <class Items, class Each>
  void list(char open, char close, const Items& items, int depth, const Each& each) {
    out_ += open;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += ',';
      first = false;
      new_line(depth + 1);
      each(item);
    }
    if (!first) new_line(depth);
    out_ += close;
  }
  void new_line(int depth) {
    if (!indented_) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth) * 2, ' ');
  }
  bool indented_;
  std::string& out_;
};

}  // namespace

const Value* Object::find(std::string_view key) const {
  const auto member = std::find_if(members_.begin(), members_.end(),
                                   [&](const Member& m) { return m.first == key; });
  return member == members_.end() ? nullptr : &member->second;
}

void Object::set(std::string key, Value value) {
  const auto member = std::find_if(members_.begin(), members_.end(),
                                   [&](const Member& m) { return m.first == key; });
  if (member == members_.end()) {
    members_.emplace_back(std::move(key), std::move(value));
  } else {
    member->second = std::move(value);
  }
}

bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& m) { return m.first == key; }) > 0;
}

bool Object::operator==(const Object& other) const {
  return members_ == other.members_;
}

Value::Value(double value) : state_(Number{number_text(value)}) {}

bool Value::operator==(const Value& other) const {
  return state_ == other.state_;
}

std::variant<Value, ParseError> parse(std::string_view text) {
  Cursor cursor(text);
  Value value;
  if (!cursor.value(value)) return ParseError{cursor.offset(), cursor.message()};
  cursor.skip_space();
  if (!cursor.at_end()) return ParseError{cursor.offset(), "more text after the value"};
  return value;
}

Result<Value> parse_text(std::string_view text) {
  auto parsed = parse(text);
  if (auto* value = std::get_if<Value>(&parsed)) return std::move(*value);
  const auto& error = std::get<ParseError>(parsed);
  return Error{Errc::invalid_argument,
               fmt::format("not JSON: {} at byte {}", error.message, error.offset)};
}

void write_string(std::string_view wtf8, std::string& out) {
  out += '"';
  for (std::size_t at = 0; at < wtf8.size();) {
    const char c = wtf8[at];
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
      out += c;
      ++at;
      continue;
    }
    const auto [code, length] = decode(wtf8.substr(at));
    at += length;
    switch (code) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (code >= 0x10000) {
          const auto rest = static_cast<unsigned>(code) - 0x10000;
          write_escape(0xD800 + (rest >> 10), out);
          write_escape(0xDC00 + (rest & 0x3FF), out);
        } else {
          write_escape(static_cast<unsigned>(code), out);
        }
    }
  }
  out += '"';
}

std::string write_compact(const Value& value) {
  std::string out;
  Writer(false, out).write(value, 0);
  return out;
}

void write_indented(const Value& value, int depth, std::string& out) {
  Writer(true, out).write(value, depth);
}

}  // namespace bb5::json
