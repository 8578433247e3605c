#include "stores/postgres/jsonb_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace bb5::postgres {
namespace {

constexpr int max_depth = 512;
constexpr std::size_t max_bytes = 200'000'000;  // jsonb's own limit is 2^28 - 1 a container
constexpr std::size_t max_digits = 1'000;       // numeric takes 131,072 before the point: no need
constexpr int max_exponent = 1'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// jsonb's order of keys: shorter first, then bytewise.
bool before(const std::string& left, const std::string& right) {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

/// Walks over JSON text once, writing what jsonb can take.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  JsonbForm run() {
    if (text_.size() > max_bytes) return {};
    space();
    if (!value(0)) return {};
    space();
    if (at_ != text_.size()) return {};
    return {std::move(out_), exact_};
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void space() {
    while (at_ < text_.size() &&
           (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')) {
      exact_ = false;
      ++at_;
    }
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    out_ += c;
    return true;
  }

  bool word(std::string_view name, std::string_view written) {
    if (text_.substr(at_, name.size()) != name) return false;
    at_ += name.size();
    out_ += written;
    exact_ = exact_ && name == written;
    return true;
  }

  bool value(int depth) {
    if (depth > max_depth) return false;
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string(nullptr);
      case 't':
        return word("true", "true");
      case 'f':
        return word("false", "false");
      case 'n':
        return word("null", "null");
      case 'N':
        return word("NaN", "null");
      case 'I':
        return word("Infinity", "null");
      default:
        return word("-Infinity", "null") || number();
    }
  }

  bool array(int depth) {
    take('[');
    space();
    if (take(']')) return true;
    while (true) {
      space();
      if (!value(depth + 1)) return false;
      space();
      if (take(']')) return true;
      if (!take(',')) return false;
    }
  }

  bool object(int depth) {
    take('{');
    space();
    if (take('}')) return true;
    std::string last;
    bool first = true;
    while (true) {
      space();
      std::string key;
      if (peek() != '"' || !string(&key)) return false;
      if (!first && !before(last, key)) exact_ = false;  // out of order, or the same key again
      first = false;
      last = std::move(key);
      space();
      if (!take(':')) return false;
      space();
      if (!value(depth + 1)) return false;
      space();
      if (take('}')) return true;
      if (!take(',')) return false;
    }
  }

  std::optional<unsigned> four_hex(std::size_t at) const {
    unsigned code = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      const char c = i < text_.size() ? text_[i] : '\0';
      if (is_digit(c)) {
        code = code * 16 + static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        code = code * 16 + static_cast<unsigned>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'F') {
        code = code * 16 + static_cast<unsigned>(c - 'A') + 10;
      } else {
        return std::nullopt;
      }
    }
    return code;
  }

  void keep(std::string_view bytes) { out_ += bytes; }

  void add_decoded(std::string* decoded, char32_t code) {
    if (decoded != nullptr) append_utf8(*decoded, code);
  }

  bool unicode_escape(std::string* decoded) {
    const auto code = four_hex(at_ + 2);
    if (!code) return false;
    const std::string_view spelled = text_.substr(at_, 6);
    at_ += 6;
    const bool lower = std::none_of(spelled.begin() + 2, spelled.end(),
                                    [](char c) { return c >= 'A' && c <= 'F'; });
    if (*code == 0) {
      exact_ = false;
      keep("\\u2400");
      add_decoded(decoded, 0x2400);
      return true;
    }
    if (*code >= 0xD800 && *code <= 0xDFFF) {
      const auto low = peek() == '\\' && peek(1) == 'u' ? four_hex(at_ + 2) : std::nullopt;
      if (*code > 0xDBFF || !low || *low < 0xDC00 || *low > 0xDFFF) {
        exact_ = false;
        keep("\\ufffd");
        add_decoded(decoded, 0xFFFD);
        return true;
      }
      const std::string_view second = text_.substr(at_, 6);
      at_ += 6;
      exact_ = exact_ && lower && std::none_of(second.begin() + 2, second.end(), [](char c) {
                 return c >= 'A' && c <= 'F';
               });
      keep(spelled);
      keep(second);
      add_decoded(decoded, 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00));
      return true;
    }
    // Ours spells 0x20–0x7E as they are and five controls by a letter.
    const bool has_shorter = (*code >= 0x20 && *code < 0x7F) || *code == '\b' || *code == '\f' ||
                             *code == '\n' || *code == '\r' || *code == '\t';
    exact_ = exact_ && lower && !has_shorter;
    keep(spelled);
    add_decoded(decoded, *code);
    return true;
  }

  bool escape(std::string* decoded) {
    const char kind = peek(1);
    if (kind == 'u') return unicode_escape(decoded);
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto place = letters.find(kind);
    if (kind == '\0' || place == std::string_view::npos) return false;
    if (kind == '/') exact_ = false;
    keep(text_.substr(at_, 2));
    add_decoded(decoded, static_cast<unsigned char>(meanings[place]));
    at_ += 2;
    return true;
  }

  bool string(std::string* decoded) {
    take('"');
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"') return take('"');
      if (c == '\\') {
        if (!escape(decoded)) return false;
        continue;
      }
      if (byte < 0x20) {  // JSON forbids it; our reader does not
        exact_ = false;
        out_ += byte == 0 ? std::string("\\u2400") : fmt::format("\\u{:04x}", byte);
      } else {
        if (byte >= 0x7F) exact_ = false;
        out_ += c;
      }
      if (decoded != nullptr) *decoded += c;
      ++at_;
    }
    return false;
  }

  bool number() {
    const std::size_t start = at_;
    std::size_t at = at_;
    const auto digits = [&] {
      const std::size_t from = at;
      while (at < text_.size() && is_digit(text_[at])) ++at;
      return at - from;
    };
    const bool negative = peek() == '-';
    if (negative) ++at;
    const std::size_t whole_from = at;
    const std::size_t whole = digits();
    if (whole == 0 || (whole > 1 && text_[whole_from] == '0')) return false;
    std::size_t fraction = 0;
    if (at < text_.size() && text_[at] == '.') {
      ++at;
      fraction = digits();
      if (fraction == 0) return false;
    }
    const std::string_view mantissa = text_.substr(start, at - start);
    bool too_large = whole > max_digits || fraction > max_digits;
    if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
      exact_ = false;
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      const std::size_t from = at;
      if (digits() == 0) return false;
      int exponent = 0;
      for (std::size_t i = from; i < at && exponent <= max_exponent; ++i)
        exponent = exponent * 10 + (text_[i] - '0');
      too_large = too_large || exponent > max_exponent;
    }
    if (negative && mantissa.find_first_of("123456789") == std::string_view::npos) {
      exact_ = false;  // numeric has no negative zero
    }
    const std::string_view spelled = text_.substr(start, at - start);
    if (too_large) {
      exact_ = false;
      out_ += '"';
      out_ += spelled;
      out_ += '"';
    } else {
      out_ += spelled;
    }
    at_ = at;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  bool exact_ = true;
};

}  // namespace

JsonbForm to_jsonb(std::string_view json) {
  return Scanner(json).run();
}

bool jsonb_reproduces(std::string_view metadata) {
  return to_jsonb(metadata).reproduces;
}

std::string canonical_text(std::string_view jsonb) {
  std::string out;
  out.reserve(jsonb.size());
  bool in_string = false;
  for (std::size_t i = 0; i < jsonb.size(); ++i) {
    const char c = jsonb[i];
    const auto byte = static_cast<unsigned char>(c);
    if (!in_string) {
      if (c == ' ') continue;
      in_string = c == '"';
      out += c;
    } else if (c == '\\') {
      out += c;
      if (i + 1 < jsonb.size()) out += jsonb[++i];
    } else if (byte < 0x7F) {
      in_string = c != '"';
      out += c;
    } else {
      // The server sends well-formed UTF-8.
      const int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
      char32_t code = more == 3   ? byte & 0x07U
                      : more == 2 ? byte & 0x0FU
                      : more == 1 ? byte & 0x1FU
                                  : byte;
      for (int k = 0; k < more && i + 1 < jsonb.size(); ++k)
        code = (code << 6) | (static_cast<unsigned char>(jsonb[++i]) & 0x3FU);
      if (code >= 0x10000) {
        const auto rest = static_cast<unsigned>(code - 0x10000);
        out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
      } else {
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
      }
    }
  }
  return out;
}

}  // namespace bb5::postgres
