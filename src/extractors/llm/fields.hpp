#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.hpp"

/// The fields of a model's reply, read as generously as they are clear.
namespace bb5::llm {

/// The first member of one of these names that is there, null included.
[[nodiscard]] const json::Value* member(const json::Object& object,
                                        std::initializer_list<std::string_view> names);

/// As member, but arrays and objects of these names are passed over.
[[nodiscard]] const json::Value* plain_member(const json::Object& object,
                                              std::initializer_list<std::string_view> names);

/// A string or a number as storable text without white space around it; nothing: neither, or no
/// text in it.
[[nodiscard]] std::optional<std::string> text_of(const json::Value* value);

/// In [0, 1], from a number or its text, `80 %` too; whole numbers from 2 to 100 are percent.
/// `as_given` is false when it had to be forced into the range.
struct Confidence {
  double value = 0;
  bool as_given = true;
};
/// Nothing: no number.
[[nodiscard]] std::optional<Confidence> confidence_of(const json::Value& value);

/// How often something is mentioned: a count, its text, or the mentions themselves in an array.
/// At least 1, also when it says nothing.
[[nodiscard]] std::int64_t mentions_of(const json::Value* value);

/// Names from an array of strings or of objects with a `name`, or from one string.
[[nodiscard]] std::vector<std::string> names_of(const json::Value* value);

/// Lower case with `_` between words: `Depends on` → `depends_on`. Empty when there are none.
[[nodiscard]] std::string label_of(std::string_view text);

}  // namespace bb5::llm
