#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

namespace bb5::ranking {

/// The terms of the day, as they stand in `8 may 2023`: a memory is found by its date as if the
/// date stood in its text.
[[nodiscard]] std::vector<std::string> date_terms(Timestamp time);

}  // namespace bb5::ranking
