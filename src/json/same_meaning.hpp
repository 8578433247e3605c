#pragma once

#include "json/value.hpp"

namespace bb5::json {

/// Whether two values say the same, as far as every store can tell: numbers by their value (1 and
/// 1.0 are one), members in any order; NaN and the infinities are null, texts and keys are as
/// to_storable_utf8 makes them.
[[nodiscard]] bool same_meaning(const Value& left, const Value& right);

/// The member of this key, keys compared as above.
[[nodiscard]] const Value* find_storable(const Object& object, std::string_view key);

}  // namespace bb5::json
