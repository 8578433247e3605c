// Numbers: every binary64 survives being written and read; the quick reader of binary32 says what
// the general way says, or nothing.
#include <bit>
#include <cmath>
#include <cstring>

#include "json/cursor.hpp"
#include "json/number.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {
namespace {

void check_quick_reader(std::string_view text) {
  float number = 0;
  const char* end =
      bb5::json::read_written_binary32(text.data(), text.data() + text.size(), number);
  if (end == nullptr) return;
  const std::string token(text.data(), end);
  require(bb5::json::to_double(token) == static_cast<double>(number),
          "the quick reader's number is the nearest");
  require(bb5::json::number_text(static_cast<double>(number)) == token,
          "the quick reader takes only what is written so");
}

void check_written(double number) {
  const std::string text = bb5::json::number_text(number);
  require(text.size() <= bb5::json::max_number_length, "a number fits its room");
  const double again = bb5::json::to_double(text);
  require(std::isnan(number)
              ? std::isnan(again)
              : std::bit_cast<std::uint64_t>(again) == std::bit_cast<std::uint64_t>(number),
          "a number survives being written and read");
  bb5::json::Cursor cursor(text);
  std::string_view token;
  require(cursor.number_token(token) && token == text, "a written number is one token");
}

}  // namespace

void number(Input input) {
  const std::string_view text = text_of(input);
  check_quick_reader(text);
  bb5::json::Cursor cursor(text);
  std::string_view token;
  if (cursor.number_token(token)) check_written(bb5::json::to_double(token));
  if (text.size() < 12) return;
  double wide = 0;
  std::memcpy(&wide, text.data(), sizeof wide);
  check_written(wide);
  // A binary32 near the range of the quick reader, then with a byte of its spelling changed.
  float narrow = 0;
  std::memcpy(&narrow, text.data(), sizeof narrow);
  const auto bits = std::bit_cast<std::uint32_t>(narrow);
  narrow = std::bit_cast<float>((bits & 0x807FFFFF) | ((110 + (bits >> 23) % 20) << 23));
  std::string written = bb5::json::number_text(static_cast<double>(narrow));
  const std::size_t length = written.size();
  written += ",\n      0.12345678901234567,\n";
  check_quick_reader(written);
  written[static_cast<unsigned char>(text[8]) % length] = text[9];
  check_quick_reader(written);
  written.insert(static_cast<unsigned char>(text[10]) % length, 1, text[11]);
  check_quick_reader(written);
}

}  // namespace bb5::fuzz
