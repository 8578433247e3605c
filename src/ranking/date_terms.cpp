#include "ranking/date_terms.hpp"

#include "ranking/terms.hpp"

namespace bb5::ranking {

std::vector<std::string> date_terms(Timestamp time) {
  static constexpr const char* months[] = {"january",   "february", "march",    "april",
                                           "may",       "june",     "july",     "august",
                                           "september", "october",  "november", "december"};
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  return {std::to_string(static_cast<unsigned>(date.day())),
          term_of(months[static_cast<unsigned>(date.month()) - 1]),
          std::to_string(static_cast<int>(date.year()))};
}

}  // namespace bb5::ranking
