#include "extractors/rules/front_matter.hpp"

#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

constexpr int most_lines = 200;

/// The line that starts at `at`, without its end; moves `at` to the next one.
std::string_view take_line(std::string_view text, std::size_t& at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct KeyValue {
  std::string key;
  std::string value;
};

std::optional<KeyValue> key_value(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  for (const char c : line.substr(0, colon))
    if (c == ' ' || static_cast<unsigned char>(c) < 0x20) return {};
  std::string_view value = trimmed(line.substr(colon + 1));
  if (colon + 1 < line.size() && line[colon + 1] != ' ' && line[colon + 1] != '\t') return {};
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front())
    value = value.substr(1, value.size() - 2);
  return KeyValue{to_lower_ascii(line.substr(0, colon)), std::string(value)};
}

/// Lists, comments, values that go on in the next line.
bool belongs_to_a_key(std::string_view line) {
  return trimmed(line).empty() || line.front() == ' ' || line.front() == '\t' ||
         line.front() == '#' || line.starts_with("- ");
}

}  // namespace

FrontMatter read_front_matter(std::string_view text) {
  std::size_t at = text.starts_with("\uFEFF") ? 3 : 0;
  if (take_line(text, at) != "---") return {};
  FrontMatter found;
  bool any_key = false;
  for (int lines = 0; lines < most_lines && at < text.size(); ++lines) {
    const std::string_view line = take_line(text, at);
    if (line == "---" || line == "...") {
      if (!any_key) return {};
      found.length = at;
      return found;
    }
    if (const auto pair = key_value(line)) {
      any_key = true;
      if (pair->key == "title" && !pair->value.empty() && says_something(pair->value))
        found.title = pair->value;
      if (!found.date && (pair->key == "date" || pair->key == "created" ||
                          pair->key == "created_at" || pair->key == "updated"))
        found.date = parse_time(pair->value);
    } else if (!belongs_to_a_key(line)) {
      return {};
    }
  }
  return {};
}

}  // namespace bb5::rules
