#include "extractors/llm/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"

namespace bb5::llm {
namespace {

constexpr std::int64_t most_mentions = 1'000'000;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// A finite number and nothing else.
std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return {};
  return number;
}

}  // namespace

const json::Value* member(const json::Object& object,
                          std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const json::Value* value = object.find(name)) return value;
  }
  return nullptr;
}

const json::Value* plain_member(const json::Object& object,
                                std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const json::Value* value = object.find(name);
    if (value != nullptr && value->array() == nullptr && value->object() == nullptr) return value;
  }
  return nullptr;
}

std::optional<std::string> text_of(const json::Value* value) {
  if (value == nullptr) return {};
  std::string text;
  if (const std::string* string = value->string()) text = to_storable_utf8(*string);
  if (const json::Number* number = value->number()) text = number->text;
  const std::string_view content = trimmed(text);
  if (content.empty()) return {};
  return std::string(content);
}

std::optional<Confidence> confidence_of(const json::Value& value) {
  const auto given = text_of(&value);
  if (!given) return {};
  std::string_view text = *given;
  const bool percent = text.ends_with('%');
  if (percent) text = trimmed(text.substr(0, text.size() - 1));
  auto number = number_in(text);
  if (!number) return {};
  const bool whole_percent = *number >= 2 && *number <= 100 && std::floor(*number) == *number;
  if (percent || whole_percent) *number /= 100;
  const double clamped = std::clamp(*number, 0.0, 1.0);
  return Confidence{.value = clamped, .as_given = clamped == *number};
}

std::int64_t mentions_of(const json::Value* value) {
  if (value == nullptr) return 1;
  double count = 1;
  if (const json::Array* all = value->array()) {
    count = static_cast<double>(all->size());
  } else if (const auto text = text_of(value)) {
    count = number_in(*text).value_or(1);
  }
  return static_cast<std::int64_t>(std::clamp(count, 1.0, static_cast<double>(most_mentions)));
}

std::vector<std::string> names_of(const json::Value* value) {
  std::vector<std::string> names;
  const auto add = [&names](const json::Value* name) {
    if (auto text = text_of(name)) names.push_back(*std::move(text));
  };
  if (value == nullptr) return names;
  if (const json::Array* all = value->array()) {
    for (const json::Value& item : *all) {
      const json::Object* object = item.object();
      add(object != nullptr ? object->find("name") : &item);
    }
  } else {
    add(value);
  }
  return names;
}

std::string label_of(std::string_view text) {
  std::string label;
  bool gap = false;
  for (const char c : text) {
    const bool ascii_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool part_of_word =
        ascii_letter || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (!part_of_word) {
      gap = true;
      continue;
    }
    if (gap && !label.empty()) label += '_';
    gap = false;
    label += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return label;
}

}  // namespace bb5::llm
