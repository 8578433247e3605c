#include "extractors/rules/dates.hpp"

#include <array>
#include <charconv>
#include <string>

namespace bb5::rules {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> month_names = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

/// 1–12 for `may`, `sep`, `sept`, `september`; 0: no month.
unsigned month_of(std::string_view low) {
  if (low.size() < 3) return 0;
  if (low == "sept") return 9;
  for (unsigned i = 0; i < 12; ++i)
    if (low == month_names[i] || low == month_names[i].substr(0, 3)) return i + 1;
  return 0;
}

/// `3`, `03`, `3rd`: the number, or nothing when something else follows the digits.
std::optional<unsigned> ordinal(std::string_view low) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(low.data(), low.data() + low.size(), number);
  if (error != std::errc{}) return {};
  const std::string_view rest(end, static_cast<std::size_t>(low.data() + low.size() - end));
  if (rest.empty() || rest == "st" || rest == "nd" || rest == "rd" || rest == "th") return number;
  return {};
}

std::optional<Timestamp> moment(unsigned year_number, unsigned month_number, unsigned day_number) {
  const year_month_day date{year(static_cast<int>(year_number)), month(month_number),
                            day(day_number)};
  if (!date.ok() || year_number < 1900 || year_number > 2199) return {};
  return Timestamp(sys_days(date));
}

std::optional<unsigned> year_of(std::string_view low) {
  if (low.size() != 4) return {};
  return ordinal(low);
}

/// `03:50`, `03:50:10.5`, with an offset or not, as parse_time takes it after a date.
bool is_time_of_day(std::string_view low) {
  return low.size() >= 5 && low[2] == ':' && low[0] >= '0' && low[0] <= '2';
}

std::optional<DateInText> iso_date_at(const Words& words, std::size_t i) {
  const std::string_view low = words.low(i);
  if (low.size() < 10 || low[4] != '-' || low[7] != '-') return {};
  if (low.substr(0, 2) < "19" || low.substr(0, 2) > "21") return {};
  if (low.size() == 10) {
    std::size_t next = i + 1;
    if (words.is(next, "at") || words.is(next, ",")) ++next;
    if (is_time_of_day(words.low(next))) {
      std::string text = std::string(low) + " " + std::string(words.low(next));
      if (words.is(next + 1, "z") || words.is(next + 1, "utc")) text += 'Z';
      if (const auto when = parse_time(text)) return DateInText{*when, i, next + 1};
    }
  }
  // `T` joins date and time into one token; a `+02:00` does too. Lower case here: put it back.
  if (const auto when = parse_time(words.raw(i))) return DateInText{*when, i, i + 1};
  return {};
}

/// `yesterday` and its like: the whole days before `said_at`, or nothing.
std::optional<unsigned> days_before(const Words& words, std::size_t i) {
  if (words.is(i, "yesterday")) {
    const bool day_before = i >= 2 && words.is(i - 1, "before") && words.is(i - 2, "day");
    return day_before ? 2 : 1;
  }
  if (words.is(i, "last") && words.is(i + 1, "night")) return 1;
  if (!words.is(i + 2, "ago")) return {};
  static constexpr std::array<std::string_view, 10> numbers = {
      "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
  std::optional<unsigned> count;
  for (unsigned n = 0; n < numbers.size(); ++n)
    if (words.is(i, numbers[n])) count = n + 1;
  if (words.is(i, "a")) count = 1;
  if (!count) count = ordinal(words.low(i));
  if (!count || *count > 1000) return {};
  const std::string_view unit = words.low(i + 1);
  if (unit == "day" || unit == "days") return count;
  if (unit == "week" || unit == "weeks") return *count * 7;
  return {};
}

bool is_deadline(const Words& words, std::size_t first) {
  static constexpr std::array<std::string_view, 10> marks = {
      "by", "until", "till", "before", "due", "deadline", "target", "eta", "expires", "planned"};
  for (std::size_t back = 1; back <= 3 && back <= first; ++back) {
    for (const std::string_view mark : marks)
      if (words.is(first - back, mark)) return true;
    // only `:`, `on` and the like may stand between
    if (words[first - back].kind != Token::Kind::symbol && words.low(first - back).size() > 3)
      return false;
  }
  return false;
}

}  // namespace

std::optional<DateInText> date_at(const Words& words, std::size_t i) {
  const Token& token = words[i];
  if (token.kind == Token::Kind::number) {
    if (auto date = iso_date_at(words, i)) return date;
    const auto day_number = ordinal(words.low(i));
    if (!day_number) return {};
    std::size_t next = i + 1;
    if (words.is(next, "of")) ++next;
    const unsigned month_number = month_of(words.low(next));
    if (month_number == 0) return {};
    ++next;
    if (words.is(next, ",") || words.is(next, ".")) ++next;
    const auto year_number = year_of(words.low(next));
    if (!year_number) return {};
    if (const auto when = moment(*year_number, month_number, *day_number))
      return DateInText{*when, i, next + 1};
  } else if (token.kind == Token::Kind::word && token.capital) {
    const unsigned month_number = month_of(words.low(i));
    if (month_number == 0) return {};
    std::size_t next = i + 1;
    if (words.is(next, ".")) ++next;
    const auto day_number = ordinal(words.low(next));
    if (!day_number) return {};
    ++next;
    if (words.is(next, ",")) ++next;
    const auto year_number = year_of(words.low(next));
    if (!year_number) return {};
    if (const auto when = moment(*year_number, month_number, *day_number))
      return DateInText{*when, i, next + 1};
  }
  return {};
}

std::optional<Timestamp> happened_at(const Words& words, std::optional<Timestamp> said_at) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (const auto date = date_at(words, i)) {
      if (!is_deadline(words, date->first)) return date->when;
      i = date->last - 1;
    } else if (said_at) {
      if (const auto days_ago = days_before(words, i))
        return Timestamp(floor<days>(*said_at) - days(*days_ago));
    }
  }
  return {};
}

}  // namespace bb5::rules
