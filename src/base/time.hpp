#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bb5 {

/// A moment, UTC, to the microsecond: what PostgreSQL's timestamptz holds.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

[[nodiscard]] Timestamp now();

/// As the old system writes it: naive UTC, `YYYY-MM-DDTHH:MM:SS[.ffffff]`, the fraction left out
/// when it is zero. Years outside 0001–9999 are clamped.
[[nodiscard]] std::string to_legacy_text(Timestamp time);

/// RFC 3339 in UTC with a `Z`, the fraction (six digits) only when it is not zero.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// ISO 8601: `YYYY-MM-DD`, then optionally `T` or a space and `HH:MM[:SS[.f…]]`, then optionally
/// `Z` or an offset `±HH[:MM]`. Without an offset it is UTC. Digits past the microsecond are cut
/// off. A leap second (:60) becomes the first moment of the next minute. Anything else: nothing.
[[nodiscard]] std::optional<Timestamp> parse_time(std::string_view text);

}  // namespace bb5
