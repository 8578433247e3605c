#pragma once

#include <cstdint>
#include <string_view>

namespace bb5 {

/// Two texts whose vectors are at least so near (cosine) may say the same in other words. Measured
/// (docs/performance.md) on pairs of tests/data/near_duplicates.tsv with all-MiniLM-L6-v2.
inline constexpr double near_duplicate_cosine = 0.81;

/// Whether two texts that are near each other may say the same: the same words (words_of), in the
/// same order or with a part that a word like `in` or `after` begins in another place; the same
/// code, where both mark code. Vectors hardly see whether staging or production, enabled or
/// disabled, Ada or Omar is meant; no list of opposites could name them all, so every word counts
/// that is not known to be empty or to have a second spelling. What says the same in quite other
/// words is therefore told apart: a double is better than a loss.
[[nodiscard]] bool may_say_the_same(std::string_view left, std::string_view right);

/// Equal for texts of which may_say_the_same() is true (and for some more): to look one up among
/// many. Any number.
[[nodiscard]] std::int64_t statement_key(std::string_view statement);

}  // namespace bb5
