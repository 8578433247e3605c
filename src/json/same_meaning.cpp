#include "json/same_meaning.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace bb5::json {
namespace {

/// A number's digits without zeros at either end, and the power of ten of the last one.
struct Decimal {
  bool negative = false;
  std::string digits;  // none: zero
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

Decimal decimal_of(std::string_view text) {
  Decimal number{.negative = text.starts_with('-')};
  const auto letter = std::min(text.find_first_of("eE"), text.size());
  std::int64_t behind_point = 0;
  bool point = false;
  for (const char c : text.substr(0, letter)) {
    if (c == '.') point = true;
    if (c < '0' || c > '9') continue;
    number.digits += c;
    behind_point += point ? 1 : 0;
  }
  std::int64_t power = 0;
  const std::string_view exponent = text.substr(letter);
  for (const char c : exponent) {
    if (c >= '0' && c <= '9') power = std::min<std::int64_t>(power * 10 + (c - '0'), 1'000'000'000);
  }
  number.exponent = (exponent.find('-') == std::string_view::npos ? power : -power) - behind_point;
  const auto last = number.digits.find_last_not_of('0');
  if (last == std::string::npos) return {};
  number.exponent += static_cast<std::int64_t>(number.digits.size() - 1 - last);
  number.digits.resize(last + 1);
  number.digits.erase(0, number.digits.find_first_not_of('0'));
  return number;
}

bool is_finite(const Number& number) {
  return number.text.find_first_of("NI") == std::string::npos;
}

bool is_null(const Value& value) {
  return value.is_null() || (value.number() != nullptr && !is_finite(*value.number()));
}

bool same_members(const Object& left, const Object& right) {
  return left.size() == right.size() &&
         std::all_of(left.members().begin(), left.members().end(), [&](const Member& member) {
           const Value* other = find_storable(right, member.first);
           return other != nullptr && same_meaning(member.second, *other);
         });
}

}  // namespace

bool same_meaning(const Value& left, const Value& right) {
  if (is_null(left) || is_null(right)) return is_null(left) && is_null(right);
  if (left.boolean() != nullptr)
    return right.boolean() != nullptr && *left.boolean() == *right.boolean();
  if (left.number() != nullptr)
    return right.number() != nullptr &&
           decimal_of(left.number()->text) == decimal_of(right.number()->text);
  if (left.string() != nullptr)
    return right.string() != nullptr &&
           to_storable_utf8(*left.string()) == to_storable_utf8(*right.string());
  if (left.array() != nullptr)
    return right.array() != nullptr &&
           std::equal(left.array()->begin(), left.array()->end(), right.array()->begin(),
                      right.array()->end(), same_meaning);
  return right.object() != nullptr && same_members(*left.object(), *right.object());
}

const Value* find_storable(const Object& object, std::string_view key) {
  const std::string wanted = to_storable_utf8(key);
  const auto found =
      std::find_if(object.members().begin(), object.members().end(),
                   [&](const Member& member) { return to_storable_utf8(member.first) == wanted; });
  return found == object.members().end() ? nullptr : &found->second;
}

}  // namespace bb5::json
