#pragma once

#include <string_view>
#include <vector>

#include "extractors/rules/entities.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {

/// subject –predicate→ object, as one sentence says it. The ends are entities' numbers.
struct StatedRelationship {
  std::size_t subject = 0;
  std::string_view predicate;
  std::size_t object = 0;
  double confidence = 0;
};

/// What verbs between two mentions say: `X uses Y`, `Y is used by X`, `moved from X to Y`. Lists
/// (`X uses A, B and C`) give one each. Denied (`does not use`), asked and supposed (`if`) ones
/// give none; `could`, `should` and the like lower the confidence. mentions: in order of place, not
/// overlapping.
[[nodiscard]] std::vector<StatedRelationship> relationships_in(
    const Words& words, const std::vector<Mention>& mentions);

}  // namespace bb5::rules
