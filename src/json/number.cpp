#include "json/number.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace bb5::json {
namespace {

std::size_t copy(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

template <class T, std::size_t size>
constexpr std::array<T, size> powers_of(T base) {
  std::array<T, size> powers{};
  T power = 1;
  for (T& place : powers) {
    place = power;
    power *= base;
  }
  return powers;
}
constexpr auto powers_of_5 = powers_of<std::uint64_t, 21>(5);
constexpr auto powers_of_10 = powers_of<std::uint64_t, 18>(10);
constexpr auto exact_powers_of_10 = powers_of<double, 21>(10);

/// Eight bytes of text, the first in the lowest byte.
std::uint64_t eight_bytes(const char* text) noexcept {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  return bytes;
}

/// How many of eight bytes (less '0' each) are digits before the first that is none.
std::size_t leading_digits(std::uint64_t bytes) noexcept {
  // A byte above 9 sets its highest bit; the carry reaches only bytes behind it.
  const std::uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
  return others == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(others)) / 8;
}

/// The first `count` (1 to 8) of eight digits as a number: pairs, then fours, then all.
std::uint64_t value_of(std::uint64_t digits, std::size_t count) noexcept {
  digits <<= 8 * (8 - count);
  digits = digits * 10 + (digits >> 8);
  constexpr std::uint64_t mask = 0x000000FF000000FF;
  return ((digits & mask) * (100 + (1'000'000ULL << 32)) +
          ((digits >> 16) & mask) * (1 + (10'000ULL << 32))) >>
         32;
}

}  // namespace

std::size_t write_number(double number, char* out) noexcept {
  if (std::isnan(number)) return copy("NaN", out);
  if (std::isinf(number)) return copy(number > 0 ? "Infinity" : "-Infinity", out);
  const double size = std::fabs(number);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  char* end = std::to_chars(out, out + max_number_length, number, format).ptr;
  if (fixed && std::memchr(out, '.', static_cast<std::size_t>(end - out)) == nullptr) {
    *end++ = '.';
    *end++ = '0';
  }
  return static_cast<std::size_t>(end - out);
}

std::string number_text(double number) {
  char text[max_number_length];
  return {text, write_number(number, text)};
}

const char* read_written_binary32(const char* text, const char* end, float& number) noexcept {
  constexpr std::uint64_t zeros = 0x3030303030303030;
  if (end - text < 27) return nullptr;
  const bool minus = *text == '-';
  text += minus ? 1 : 0;
  if (text[0] != '0' || text[1] != '.') return nullptr;
  text += 2;

  // `digits` decimals after the point, as one whole number of at most 17 digits.
  const std::uint64_t first = eight_bytes(text) ^ zeros;
  const std::uint64_t second = eight_bytes(text + 8) ^ zeros;
  const std::uint64_t third = eight_bytes(text + 16) ^ zeros;
  std::size_t digits = leading_digits(first);
  std::uint64_t decimal = 0;
  if (digits == 8) {
    const std::size_t more = leading_digits(second);
    decimal = value_of(first, 8);
    if (more != 0) decimal = decimal * powers_of_10[more] + value_of(second, more);
    digits += more;
    if (more == 8) {
      const std::size_t rest = leading_digits(third);
      if (rest > 4 || (rest != 0 && decimal >= powers_of_10[17 - rest])) return nullptr;
      if (rest != 0) decimal = decimal * powers_of_10[rest] + value_of(third, rest);
      digits += rest;
    }
  } else if (digits != 0) {
    decimal = value_of(first, digits);
  }
  const std::uint64_t last = decimal % 10;
  if (last == 0) return nullptr;  // zero, or an end that nobody writes
  if (digits > 4 && decimal < powers_of_10[std::min<std::size_t>(digits - 4, 17)])
    return nullptr;  // written with an exponent

  // If it is the spelling of a binary32, then of this one: the division errs by far less than half
  // of what lies between two of them.
  const auto nearest =
      static_cast<float>(static_cast<double>(decimal) / exact_powers_of_10[digits]);
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  const std::uint64_t mantissa = (bits & 0x7FFFFF) | 0x800000;  // nearest = mantissa / 2^scale
  const std::size_t scale = 150 - (bits >> 23);
  if (mantissa == 0x800000 || scale < digits) return nullptr;

  // Exact from here on, in units of 1 / (5^digits · 2^scale). The shortest spelling is the one that
  // lies within half a binary64 step (reach; binary64 has 29 bits more) of the number, while no
  // number of one decimal less does; and of two such the nearer. The products may overflow, but not
  // their difference, which is all that counts.
  const std::size_t shift = scale - digits;
  const auto off = static_cast<std::int64_t>((decimal << shift) - mantissa * powers_of_5[digits]);
  const auto reach = static_cast<std::int64_t>(powers_of_5[digits] >> 30);
  const auto step = std::int64_t{1} << shift;
  const auto below = off - static_cast<std::int64_t>(last) * step;
  const auto above = below + 10 * step;
  const bool written = off <= reach && -off <= reach && (off == 0 || std::abs(off) * 2 < step) &&
                       (below > reach || -below > reach) && (above > reach || -above > reach);
  if (!written) return nullptr;
  number = minus ? -nearest : nearest;
  return text + digits;
}

double to_double(std::string_view text) noexcept {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    // from_chars does not say which way it went: the sign of the decimal exponent does.
    const bool minus = text.front() == '-';
    const std::size_t first = text.find_first_not_of("-0.");
    const std::size_t exponent = text.find_first_of("eE");
    constexpr long beyond = 1'000'000'000;  // more than any text has digits
    long scale = 0;
    if (exponent != std::string_view::npos) {
      const std::size_t digits = text[exponent + 1] == '+' ? exponent + 2 : exponent + 1;
      if (std::from_chars(text.data() + digits, text.data() + text.size(), scale).ec !=
          std::errc{}) {
        scale = text[digits] == '-' ? -beyond : beyond;
      }
      scale = std::clamp(scale, -beyond, beyond);
    }
    const std::size_t point = std::min(text.find('.'), exponent);
    const std::size_t whole = std::min(point, text.size());
    if (first != std::string_view::npos)
      scale += static_cast<long>(whole) - static_cast<long>(first);
    const double huge = scale > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return minus ? -huge : huge;
  }
  return value;
}

}  // namespace bb5::json
