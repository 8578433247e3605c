#include "extractors/rules/dates.hpp"

namespace bb5::rules {
namespace {

std::string when(std::string_view text, std::optional<Timestamp> said_at = {}) {
  const Words words(text);
  const auto found = happened_at(words, said_at);
  return found ? to_rfc3339(*found) : "";
}

TEST(Dates, AreReadInTheUsualSpellings) {
  EXPECT_EQ(when("on 2026-02-04 it ran"), "2026-02-04T00:00:00Z");
  EXPECT_EQ(when("2026-02-04 03:50 started"), "2026-02-04T03:50:00Z");
  EXPECT_EQ(when("at 2026-02-04T03:50:10Z"), "2026-02-04T03:50:10Z");
  EXPECT_EQ(when("seen 3 May 2023"), "2023-05-03T00:00:00Z");
  EXPECT_EQ(when("seen May 3rd, 2023."), "2023-05-03T00:00:00Z");
  EXPECT_EQ(when("the 3rd of May 2023"), "2023-05-03T00:00:00Z");
  EXPECT_EQ(when("Sept. 30, 2024"), "2024-09-30T00:00:00Z");
}

TEST(Dates, ThatDoNotExistAreNone) {
  EXPECT_EQ(when("2026-02-31"), "");
  EXPECT_EQ(when("31 February 2023"), "");
  EXPECT_EQ(when("1.2.3, 12-34-5678, 2026-1"), "");
  EXPECT_EQ(when("we may 3 times 2023"), "");
}

TEST(Dates, OfADeadlineAreNotWhenItHappened) {
  EXPECT_EQ(when("finish by 2026-03-01"), "");
  EXPECT_EQ(when("deadline: 2026-03-01"), "");
  EXPECT_EQ(when("due on 1 March 2026, asked 2026-02-01"), "2026-02-01T00:00:00Z");
}

TEST(Dates, RelativeOnesCountFromWhenItWasSaid) {
  const auto said = parse_time("2023-05-08T13:56:00Z");
  EXPECT_EQ(when("I went there yesterday", said), "2023-05-07T00:00:00Z");
  EXPECT_EQ(when("the day before yesterday", said), "2023-05-06T00:00:00Z");
  EXPECT_EQ(when("three days ago", said), "2023-05-05T00:00:00Z");
  EXPECT_EQ(when("a week ago", said), "2023-05-01T00:00:00Z");
  EXPECT_EQ(when("I went there yesterday"), "");
}

}  // namespace
}  // namespace bb5::rules
