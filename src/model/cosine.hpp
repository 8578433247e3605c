#pragma once

#include <span>

namespace bb5 {

/// Cosine similarity, dot / (|a|·|b|), summed in float64 in index order: every store gives the same
/// score. In [-1, 1], where rounding alone may go one ulp beyond; 0 when one is all zeros. Both are
/// finite and of one length.
[[nodiscard]] double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace bb5
