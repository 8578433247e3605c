#include "base/time.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bb5 {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads fixed-width numbers and separators; any failure is remembered.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    if (rest() < count) return fail();
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = text_[at_ + i];
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    at_ += count;
    return value;
  }
  bool take(char c) {
    if (rest() == 0 || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  bool next_is_digit() const { return rest() > 0 && text_[at_] >= '0' && text_[at_] <= '9'; }
  /// Digits of a fraction, as microseconds.
  int micros() {
    int value = 0;
    int scale = 100'000;
    if (!next_is_digit()) return fail();
    for (; next_is_digit(); ++at_) {
      value += (text_[at_] - '0') * scale;
      scale /= 10;
    }
    return value;
  }
  std::size_t rest() const { return text_.size() - at_; }
  bool good() const { return good_; }

 private:
  int fail() {
    good_ = false;
    return 0;
  }
  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

struct Offset {
  bool given = false;
  minutes east{0};
};

Offset parse_offset(Cursor& cursor) {
  if (cursor.take('Z') || cursor.take('z')) return {.given = true};
  const bool minus = cursor.take('-');
  if (!minus && !cursor.take('+')) return {};
  const int hour = cursor.digits(2);
  int minute = 0;
  if (cursor.take(':') || cursor.next_is_digit()) minute = cursor.digits(2);
  if (hour > 23 || minute > 59) return {.given = true, .east = minutes{100'000}};
  const minutes east = hours{hour} + minutes{minute};
  return {.given = true, .east = minus ? -east : east};
}

std::string format(Timestamp time) {
  using std::chrono::hh_mm_ss;
  using std::chrono::sys_days;
  using std::chrono::year;
  using std::chrono::year_month_day;
  constexpr auto first = sys_days{year{1} / 1 / 1};
  constexpr auto last = sys_days{year{9999} / 12 / 31} + hours{24} - microseconds{1};
  const Timestamp shown = std::clamp<Timestamp>(time, first, last);
  const auto day = std::chrono::floor<days>(shown);
  const year_month_day date{day};
  const hh_mm_ss clock{shown - day};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto micros = clock.subseconds().count(); micros != 0) {
    text += fmt::format(".{:06}", micros);
  }
  return text;
}

}  // namespace

Timestamp now() {
  return std::chrono::floor<microseconds>(std::chrono::system_clock::now());
}

std::string to_legacy_text(Timestamp time) {
  return format(time);
}
std::string to_rfc3339(Timestamp time) {
  return format(time) + 'Z';
}

std::optional<Timestamp> parse_time(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.digits(4);
  cursor.expect('-');
  const int month = cursor.digits(2);
  cursor.expect('-');
  const int day = cursor.digits(2);
  if (!cursor.good()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1 || !date.ok()) return std::nullopt;
  Timestamp time = std::chrono::sys_days{date};
  if (cursor.rest() == 0) return time;
  if (!cursor.take('T') && !cursor.take('t') && !cursor.take(' ')) return std::nullopt;

  const int hour = cursor.digits(2);
  cursor.expect(':');
  const int minute = cursor.digits(2);
  int second = 0;
  int micros = 0;
  if (cursor.good() && cursor.take(':')) {
    second = cursor.digits(2);
    if (cursor.good() && (cursor.take('.') || cursor.take(','))) micros = cursor.micros();
  }
  if (!cursor.good() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  if (second == 60) micros = 0;
  const Offset offset = parse_offset(cursor);
  if (!cursor.good() || cursor.rest() != 0 || offset.east > hours{24}) return std::nullopt;
  time += hours{hour} + minutes{minute} + seconds{second} + microseconds{micros};
  return time - offset.east;
}

}  // namespace bb5
