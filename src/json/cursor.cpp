#include "json/cursor.hpp"

#include <unordered_map>

#include "base/utf8.hpp"
#include "json/number.hpp"

namespace bb5::json {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The canonical text of a number token: integers keep their digits, the rest is read and written.
std::string canonical(std::string_view token) {
  if (token.find_first_of(".eE") == std::string_view::npos && token.back() != 'N' &&
      token.back() != 'y') {
    return token == "-0" ? "0" : std::string(token);
  }
  return number_text(to_double(token));
}

}  // namespace

bool Cursor::fail(std::string message) {
  if (status_ == Status::good) {
    status_ = Status::bad;
    message_ = std::move(message);
  }
  return false;
}

bool Cursor::ran_out() {
  if (status_ == Status::good) {
    status_ = Status::incomplete;
    message_ = "the text ends in the middle of a value";
  }
  return false;
}

bool Cursor::expect(char c) {
  if (take(c)) return true;
  if (at_ == end_) return ran_out();
  return fail(std::string("expected '") + c + "'");
}

bool Cursor::word(std::string_view word) {
  for (const char c : word) {
    if (at_ == end_) return ran_out();
    if (*at_ != c) return fail("not a JSON value");
    ++at_;
  }
  return true;
}

bool Cursor::number_token(std::string_view& token) {
  skip_space();
  const char* start = at_;
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ == end_) return ran_out();
  if (*at_ == 'I') {
    if (!word("Infinity")) return false;
  } else if (*at_ == 'N' && at_ == start) {
    if (!word("NaN")) return false;
  } else {
    if (!is_digit(*at_)) return fail("expected a number");
    const bool leading_zero = *at_ == '0';
    const char* digits = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    if (leading_zero && at_ - digits > 1) {
      at_ = digits;
      return fail("a number must not start with 0");
    }
    if (at_ != end_ && *at_ == '.') {
      const char* point = at_++;
      while (at_ != end_ && is_digit(*at_)) ++at_;
      if (at_ != end_ && at_ - point == 1) return fail("digits must follow the decimal point");
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      const char* exponent = at_;
      while (at_ != end_ && is_digit(*at_)) ++at_;
      if (at_ != end_ && at_ == exponent) return fail("digits must follow the exponent");
    }
    if (at_ == end_ && !is_digit(at_[-1])) return ran_out();
  }
  token = {start, static_cast<std::size_t>(at_ - start)};
  return true;
}

bool Cursor::four_hex(unsigned& code) {
  code = 0;
  for (int i = 0; i < 4; ++i) {
    if (at_ == end_) return ran_out();
    const char c = *at_;
    unsigned digit = 0;
    if (is_digit(c)) {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A' + 10);
    } else {
      return fail("expected four hex digits after \\u");
    }
    code = code * 16 + digit;
    ++at_;
  }
  return true;
}

bool Cursor::escape(std::string& wtf8) {
  if (at_ == end_) return ran_out();
  switch (*at_++) {
    case '"':
      wtf8 += '"';
      return true;
    case '\\':
      wtf8 += '\\';
      return true;
    case '/':
      wtf8 += '/';
      return true;
    case 'b':
      wtf8 += '\b';
      return true;
    case 'f':
      wtf8 += '\f';
      return true;
    case 'n':
      wtf8 += '\n';
      return true;
    case 'r':
      wtf8 += '\r';
      return true;
    case 't':
      wtf8 += '\t';
      return true;
    case 'u':
      break;
    default:
      --at_;
      return fail("unknown escape in a string");
  }
  unsigned code = 0;
  if (!four_hex(code)) return false;
  if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair, or alone
    const char* after = at_;
    if (end_ - at_ < 6 && (at_ == end_ || (*at_ == '\\' && (end_ - at_ == 1 || at_[1] == 'u'))))
      return ran_out();
    if (end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      at_ += 2;
      unsigned low = 0;
      if (!four_hex(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        append_utf8(wtf8,
                    static_cast<char32_t>(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)));
        return true;
      }
      at_ = after;
    }
  }
  append_utf8(wtf8, static_cast<char32_t>(code));
  return true;
}

bool Cursor::string(std::string& wtf8) {
  if (!expect('"')) return false;
  wtf8.clear();
  while (true) {
    const char* run = at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
      ++at_;
    wtf8.append(run, at_);
    const std::string_view piece{run, static_cast<std::size_t>(at_ - run)};
    if (const auto invalid = find_invalid_utf8(piece)) {
      if (at_ == end_ && piece.size() - *invalid < 4) return ran_out();  // cut within a character
      at_ = run + *invalid;
      return fail("bytes that are not UTF-8");
    }
    if (at_ == end_) return ran_out();
    // As strict as the old reader, which finds an unclosed string at the end of its line.
    if (static_cast<unsigned char>(*at_) < 0x20) return fail("a control character in a string");
    if (*at_++ == '"') return true;
    if (!escape(wtf8)) return false;
  }
}

bool Cursor::array(Value& value, int depth) {
  Array items;
  if (!take(']')) {
    do {
      if (!value_at(items.emplace_back(), depth + 1)) return false;
    } while (take(','));
    if (!expect(']')) return false;
  }
  value = Value(std::move(items));
  return true;
}

bool Cursor::object(Value& value, int depth) {
  Object object;
  std::unordered_map<std::string, std::size_t> places;  // only for large objects
  if (!take('}')) {
    do {
      std::string key;
      Value item;
      if (!string(key) || !expect(':') || !value_at(item, depth + 1)) return false;
      auto& members = object.members_;
      if (members.size() < 16) {
        object.set(std::move(key), std::move(item));
        continue;
      }
      if (places.empty()) {
        for (std::size_t i = 0; i < members.size(); ++i) places.emplace(members[i].first, i);
      }
      const auto [place, fresh] = places.try_emplace(key, members.size());
      if (fresh) {
        members.emplace_back(std::move(key), std::move(item));
      } else {
        members[place->second].second = std::move(item);
      }
    } while (take(','));
    if (!expect('}')) return false;
  }
  value = Value(std::move(object));
  return true;
}

bool Cursor::value_at(Value& value, int depth) {
  if (depth > max_depth) return fail("nested too deep");
  const char next = peek();
  if (at_ == end_) return ran_out();
  switch (next) {
    case '{':
      ++at_;
      return object(value, depth);
    case '[':
      ++at_;
      return array(value, depth);
    case '"': {
      std::string text;
      if (!string(text)) return false;
      value = Value(std::move(text));
      return true;
    }
    case 't':
      value = Value(true);
      return word("true");
    case 'f':
      value = Value(false);
      return word("false");
    case 'n':
      value = Value(nullptr);
      return word("null");
    default: {
      std::string_view token;
      if (!number_token(token)) return false;
      value = Value(Number{canonical(token)});
      return true;
    }
  }
}

}  // namespace bb5::json
