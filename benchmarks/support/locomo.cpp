#include "benchmarks/support/locomo.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace bb5::bench {
namespace {

using nlohmann::json;

/// The day in `1:56 pm on 8 May, 2023`.
std::optional<Timestamp> parse_day(const std::string& text) {
  static constexpr const char* months[] = {"January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December"};
  const std::size_t on = text.find(" on ");
  if (on == std::string::npos) return std::nullopt;
  int day = 0;
  int year = 0;
  char month[16] = {};
  if (std::sscanf(text.c_str() + on, " on %d %15[A-Za-z], %d", &day, month, &year) != 3)
    return std::nullopt;
  const auto found = std::find(std::begin(months), std::end(months), std::string_view(month));
  const std::chrono::year_month_day date(
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(found - months) + 1),
      std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

void read_sessions(const json& from, Conversation& into,
                   std::unordered_map<std::string, std::size_t>& places) {
  for (const json& session : from.at("sessions")) {
    const auto written = session.at("date_time").get<std::string>();
    const auto day = parse_day(written);
    if (!day) throw std::runtime_error(fmt::format("date_time `{}` is no date", written));
    std::int64_t position = 0;
    for (const json& turn : session.at("turns")) {
      Turn made{.author = turn.at("speaker"),
                .thread = fmt::format("{}/{}", into.name, session.at("session").get<int>()),
                .position = ++position,
                .created_at = *day};
      made.content = fmt::format("{}: {}", made.author, turn.at("text").get<std::string>());
      if (const auto caption = turn.find("caption"); caption != turn.end())
        made.content += fmt::format(" [shares {}]", caption->get<std::string>());
      places.emplace(turn.at("dia_id"), into.turns.size());
      into.turns.push_back(std::move(made));
    }
  }
}

void read_questions(const json& from, const std::unordered_map<std::string, std::size_t>& places,
                    Conversation& into) {
  for (const json& question : from.at("questions")) {
    const int category = question.at("category");
    if (category < 1 || category > 4) continue;  // 5: no turn answers
    AskedQuestion made{.text = question.at("question"), .category = Category(category)};
    for (const json& id : question.at("evidence")) {
      const auto found = places.find(id.get<std::string>());
      if (found == places.end()) continue;  // some ids of the data are misspelt
      if (std::find(made.evidence.begin(), made.evidence.end(), found->second) ==
          made.evidence.end())
        made.evidence.push_back(found->second);
    }
    if (!made.evidence.empty()) into.questions.push_back(std::move(made));
  }
}

}  // namespace

Result<std::vector<Conversation>> read_locomo(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return Error{Errc::not_found, fmt::format("{} cannot be read", file.string())};
  std::vector<Conversation> conversations;
  try {
    for (const json& one : json::parse(in)) {
      Conversation conversation{.name = one.at("sample_id")};
      std::unordered_map<std::string, std::size_t> places;
      read_sessions(one, conversation, places);
      read_questions(one, places, conversation);
      conversations.push_back(std::move(conversation));
    }
  } catch (const std::exception& failure) {
    return Error{Errc::invalid_argument, fmt::format("{}, conversation {}: {}", file.string(),
                                                     conversations.size() + 1, failure.what())};
  }
  return conversations;
}

}  // namespace bb5::bench
