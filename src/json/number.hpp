#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bb5::json {

/// Room that write_number needs: sign, 17 digits, point, exponent, and leading or trailing zeros.
inline constexpr std::size_t max_number_length = 32;

/// The number as the old system wrote it (Python's repr of a binary64): the shortest decimal that
/// reads back to the same bits; fixed notation for 1e-4 ≤ |x| < 1e16, integral values with `.0`;
/// else an exponent with sign and at least two digits; `NaN`, `Infinity`, `-Infinity`. out: at
/// least max_number_length bytes. Returns the length.
std::size_t write_number(double number, char* out) noexcept;

[[nodiscard]] std::string number_text(double number);

/// Reads a number that is spelled exactly as write_number spells a binary32 between 1e-4 and 1, the
/// sign apart, and returns where it ends. nullptr: it is something else, or near the end of the
/// text, or one of the few that the quick test leaves to to_double and write_number. What follows
/// the last digit is the caller's to look at.
[[nodiscard]] const char* read_written_binary32(const char* text, const char* end,
                                                float& number) noexcept;

/// The binary64 nearest to a JSON number (too large: infinite, too small: zero), or what the bare
/// words NaN, Infinity and -Infinity say. `text` must be a token that the parser accepted.
[[nodiscard]] double to_double(std::string_view text) noexcept;

}  // namespace bb5::json
