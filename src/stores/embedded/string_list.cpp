#include "stores/embedded/string_list.hpp"

namespace bb5::embedded {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view short_escapes = "bfnrt";  // SQLite's json_array writes these
constexpr std::string_view short_escape_values = "\b\f\n\r\t";

void write_string(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

/// Reads the literal that begins after its opening quote; `at` moves behind the closing one.
std::string read_string(std::string_view json, std::size_t& at) {
  std::string text;
  while (at < json.size() && json[at] != '"') {
    if (json[at] != '\\' || at + 1 >= json.size()) {
      text += json[at++];
      continue;
    }
    const char escaped = json[at + 1];
    at += 2;
    if (escaped != 'u') {
      const auto short_form = short_escapes.find(escaped);
      text += short_form == std::string_view::npos ? escaped : short_escape_values[short_form];
      continue;
    }
    unsigned code = 0;
    for (int i = 0; i < 4 && at < json.size(); ++i, ++at) {
      const auto digit = hex_digits.find(json[at]);
      code = code * 16 + (digit == std::string_view::npos ? 0U : static_cast<unsigned>(digit));
    }
    text += static_cast<char>(code);  // only control characters are written so
  }
  ++at;
  return text;
}

}  // namespace

std::optional<std::string> write_string_list(const std::vector<std::string>& list) {
  if (list.empty()) return std::nullopt;
  std::string json = "[";
  for (const std::string& text : list) {
    if (json.size() > 1) json += ',';
    write_string(text, json);
  }
  json += ']';
  return json;
}

std::vector<std::string> read_string_list(std::string_view json) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at++] == '"') list.push_back(read_string(json, at));
  }
  return list;
}

}  // namespace bb5::embedded
