#include "json/number.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace bb5::json {
namespace {

std::size_t copy(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return text.size();
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
    long scale = 0;
    if (exponent != std::string_view::npos) {
      const std::size_t digits = text[exponent + 1] == '+' ? exponent + 2 : exponent + 1;
      if (std::from_chars(text.data() + digits, text.data() + text.size(), scale).ec !=
          std::errc{}) {
        scale = text[digits] == '-' ? -1'000'000'000L : 1'000'000'000L;
      }
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
