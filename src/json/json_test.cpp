#include <bit>
#include <cmath>
#include <random>

#include "json/cursor.hpp"
#include "json/number.hpp"
#include "json/value.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::json {
namespace {

std::string round_trip(std::string_view text) {
  const auto parsed = parse(text);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    return "error at " + std::to_string(error->offset) + ": " + error->message;
  }
  return write_compact(std::get<Value>(parsed));
}

TEST(NumberText, IsPythonsRepr) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1.0), "1.0");
  EXPECT_EQ(number_text(-0.0), "-0.0");
  EXPECT_EQ(number_text(0.7000000000000001), "0.7000000000000001");
  EXPECT_EQ(number_text(1e-4), "0.0001");
  EXPECT_EQ(number_text(1e-5), "1e-05");
  EXPECT_EQ(number_text(1.5e-7), "1.5e-07");
  EXPECT_EQ(number_text(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(number_text(1e16), "1e+16");
  EXPECT_EQ(number_text(1.2345e300), "1.2345e+300");
  EXPECT_EQ(number_text(5e-324), "5e-324");
  EXPECT_EQ(number_text(NAN), "NaN");
  EXPECT_EQ(number_text(-INFINITY), "-Infinity");
}

TEST(NumberText, ReadsBackToTheSameBits) {
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 20'000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (std::isnan(number)) continue;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(to_double(number_text(number))),
              std::bit_cast<std::uint64_t>(number));
  }
}

TEST(ToDouble, TurnsTooLargeIntoInfinityAndTooSmallIntoZero) {
  EXPECT_EQ(to_double("1e400"), INFINITY);
  EXPECT_EQ(to_double("-1e400"), -INFINITY);
  EXPECT_EQ(to_double("1e-400"), 0.0);
  EXPECT_EQ(to_double("0.0000001e-320"), 0.0);
  EXPECT_EQ(to_double(std::string(400, '9')), INFINITY);
  EXPECT_EQ(to_double("1e99999999999999999999"), INFINITY);
  EXPECT_EQ(to_double("1e-99999999999999999999"), 0.0);
}

TEST(Parse, KeepsWhatOthersLose) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":2})"), R"({"b":1,"a":2})");        // order
  EXPECT_EQ(round_trip(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");  // last wins, first place
  EXPECT_EQ(round_trip("[NaN, Infinity, -Infinity]"), "[NaN,Infinity,-Infinity]");
  EXPECT_EQ(round_trip("123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(round_trip("[1.0, 1, 1e16, 0.10]"), "[1.0,1,1e+16,0.1]");
  EXPECT_EQ(round_trip(R"("\ud800")"), R"("\ud800")");  // lone surrogate
  EXPECT_EQ(round_trip(R"("\ud83d\ude00 \u0000 \/ é")"), R"("\ud83d\ude00 \u0000 / \u00e9")");
  EXPECT_EQ(round_trip("\"\x7F\""), R"("\u007f")");
  EXPECT_EQ(round_trip(R"("\ud800\u0041")"), R"("\ud800A")");
}

TEST(Parse, ManyKeysAreStillOnePlaceEach) {
  std::string text = "{";
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i)
      text += "\"k" + std::to_string(i) + "\":" + std::to_string(round) + ",";
  }
  text.back() = '}';
  const auto value = std::get<Value>(parse(text));
  ASSERT_EQ(value.object()->size(), 40u);
  EXPECT_EQ(value.object()->members()[7].first, "k7");
  EXPECT_EQ(value.object()->find("k7")->number()->text, "1");
}

TEST(Parse, SaysWhereItStopped) {
  EXPECT_EQ(round_trip("[1,]"), "error at 3: expected a number");
  EXPECT_EQ(round_trip("{\"a\":01}"), "error at 5: a number must not start with 0");
  EXPECT_EQ(round_trip("\"a\xFF\""), "error at 2: bytes that are not UTF-8");
  EXPECT_EQ(round_trip("[1] x"), "error at 4: more text after the value");
  EXPECT_EQ(round_trip("-NaN"), "error at 1: expected a number");
  EXPECT_EQ(round_trip("\"\\x\""), "error at 2: unknown escape in a string");
  EXPECT_EQ(round_trip("nul"), "error at 3: the text ends in the middle of a value");
  EXPECT_EQ(round_trip(std::string(600, '[')), "error at 513: nested too deep");
}

TEST(Cursor, EveryPrefixOfAGoodTextIsIncompleteAndNeverBad) {
  const std::string text =
      R"({"a":[1.5e-7,-2,"x\ud83d\ude00\n",null,true,{"b":NaN}],"c":Infinity})";
  for (std::size_t length = 0; length < text.size(); ++length) {
    Cursor cursor(std::string_view(text).substr(0, length));
    Value value;
    EXPECT_FALSE(cursor.value(value)) << length;
    EXPECT_EQ(cursor.status(), Cursor::Status::incomplete) << length << ": " << cursor.message();
  }
}

TEST(WriteIndented, IsPythonsIndentOfTwo) {
  const auto value = std::get<Value>(parse(R"({"a":[],"b":{},"c":[1,{"d":null}]})"));
  std::string out;
  write_indented(value, 1, out);
  EXPECT_EQ(out,
            "{\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n      1,\n      {\n        \"d\": "
            "null\n      }\n    ]\n  }");
}

}  // namespace
}  // namespace bb5::json
