#pragma once

#include <cstddef>
#include <optional>

#include "base/time.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {

/// A date in a text: `2026-02-04`, `2026-02-04T03:50Z`, `2026-02-04 03:50`, `3 May 2023`,
/// `May 3rd, 2023`. Without a time of day it is midnight, without an offset UTC.
struct DateInText {
  Timestamp when;
  std::size_t first = 0;  ///< Tokens [first, last).
  std::size_t last = 0;
};

/// The date that starts at token i, or nothing. No 31 February, no year outside 1900–2199.
[[nodiscard]] std::optional<DateInText> date_at(const Words& words, std::size_t i);

/// When the text says that it happened: its first date that no `by`, `until`, `due` or `deadline`
/// stands before. With `said_at`, also `yesterday`, `last night` and `three days ago`.
[[nodiscard]] std::optional<Timestamp> happened_at(const Words& words,
                                                   std::optional<Timestamp> said_at);

}  // namespace bb5::rules
