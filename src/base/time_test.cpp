#include "base/time.hpp"

#include <gtest/gtest.h>

namespace bb5 {
namespace {

std::string shown(std::string_view text) {
  const auto time = parse_time(text);
  return time ? to_rfc3339(*time) : "nothing";
}

TEST(ParseTime, ReadsTheVariantsOfIso8601) {
  EXPECT_EQ(shown("2026-02-04T03:50:10.740823"), "2026-02-04T03:50:10.740823Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10"), "2026-02-04T03:50:10Z");
  EXPECT_EQ(shown("2026-02-04 03:50"), "2026-02-04T03:50:00Z");
  EXPECT_EQ(shown("2026-02-04"), "2026-02-04T00:00:00Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10Z"), "2026-02-04T03:50:10Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10+05:30"), "2026-02-03T22:20:10Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10-0800"), "2026-02-04T11:50:10Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10+01"), "2026-02-04T02:50:10Z");
  EXPECT_EQ(shown("2026-02-04T03:50:10.1234567899"), "2026-02-04T03:50:10.123456Z");
  EXPECT_EQ(shown("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(shown("0001-01-01T00:00:00"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(shown("9999-12-31T23:59:59.999999"), "9999-12-31T23:59:59.999999Z");
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "yesterday", "2026", "2026-13-01", "2026-02-30", "0000-01-01", "2026-02-04T",
        "2026-02-04T24:00", "2026-02-04T03:60", "2026-02-04T03:50:61", "2026-02-04T03:50:10.",
        "2026-02-04T03:50:10 CET", "2026-02-04T03:50+99:00", "20260204", "2026-02-04x03:50"}) {
    EXPECT_EQ(shown(text), "nothing") << text;
  }
}

TEST(LegacyText, LeavesTheFractionOutWhenItIsZero) {
  EXPECT_EQ(to_legacy_text(*parse_time("2026-02-04T03:50:10")), "2026-02-04T03:50:10");
  EXPECT_EQ(to_legacy_text(*parse_time("2026-02-04T03:50:10.000001")),
            "2026-02-04T03:50:10.000001");
}

}  // namespace
}  // namespace bb5
