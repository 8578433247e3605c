#include "ranking/time_words.hpp"

#include <algorithm>
#include <initializer_list>

namespace bb5::ranking {
namespace {

using Words = std::span<const std::string>;

bool one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string_view at(Words words, std::size_t i) {
  return i < words.size() ? std::string_view(words[i]) : std::string_view();
}

bool is_month_or_weekday(std::string_view word) {
  return one_of(word, {"january", "february", "march", "april", "june", "july", "august",
                       "september", "october", "november", "december", "monday", "tuesday",
                       "wednesday", "thursday", "friday", "saturday", "sunday"});
}

bool is_unit(std::string_view word) {
  return one_of(word, {"day", "days", "week", "weeks", "month", "months", "year", "years"});
}

bool is_period(std::string_view word) {
  return is_unit(word) || is_month_or_weekday(word) ||
         one_of(word, {"weekend", "night", "morning", "afternoon", "evening", "spring", "summer",
                       "fall", "autumn", "winter"});
}

bool is_number(std::string_view word) {
  const bool digits = !word.empty() && std::all_of(word.begin(), word.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  return digits || one_of(word, {"a", "an", "one", "two", "three", "four", "five", "six", "seven",
                                 "eight", "nine", "ten", "few", "several", "many"});
}

bool is_year(std::string_view word) {
  return word.size() == 4 && (word.starts_with("19") || word.starts_with("20")) && is_number(word);
}

bool tells_alone(std::string_view word) {
  return is_month_or_weekday(word) || is_year(word) ||
         one_of(word,
                {"yesterday", "today", "tonight", "tomorrow", "recently", "since", "weekend"});
}

/// The word at i begins a phrase of time.
bool tells_from(Words words, std::size_t i) {
  const std::string_view first = words[i];
  const std::string_view second = at(words, i + 1);
  const std::string_view third = at(words, i + 2);
  if (tells_alone(first)) return true;
  if (one_of(first, {"last", "next", "this"})) return is_period(second);
  if (is_unit(first) && second == "ago") return true;
  if (first == "for" && is_number(second) && is_unit(third)) return true;
  if (first == "few") return is_unit(second);
  if (first == "couple") return second == "of" ? is_unit(third) : is_unit(second);
  return first == "just" && one_of(second, {"got", "had", "started", "finished", "came", "went",
                                            "made", "bought", "took", "joined", "moved"});
}

}  // namespace

bool tells_a_time(Words words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (tells_from(words, i)) return true;
  }
  return false;
}

bool asks_for_a_time(Words words) {
  const std::string_view first = at(words, 0);
  const std::string_view second = at(words, 1);
  const auto names_a_time = [](std::string_view word) {
    return one_of(word, {"date", "day", "month", "year", "time"});
  };
  if (first == "when") return true;
  if (one_of(first, {"what", "which"}) && names_a_time(second)) return true;
  if (one_of(first, {"in", "on"}) && one_of(second, {"what", "which"}) &&
      names_a_time(at(words, 2)))
    return true;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "how" && words[i + 1] == "long") return true;
    if (words[i] == "what" && words[i + 1] == "year") return true;
  }
  return false;
}

}  // namespace bb5::ranking
