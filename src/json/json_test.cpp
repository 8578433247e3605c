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
  // A fuzzer found the exponent that overflows when the digits before the point are added to it.
  EXPECT_EQ(to_double("7e9223372036854775807"), INFINITY);
  EXPECT_EQ(to_double("0.07e-9223372036854775808"), 0.0);
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

/// The quick reader takes a text exactly when the general way would say the same of it, or leaves
/// it to the general way. Returns whether it took it.
bool quick_agrees(const std::string& token) {
  const std::string text = token + ",\n      0.123456789012345678, and more";
  float number = 0;
  const char* end = read_written_binary32(text.data(), text.data() + text.size(), number);
  if (end == nullptr) return false;
  const auto length = static_cast<std::size_t>(end - text.data());
  EXPECT_LE(length, token.size()) << token;
  const std::string taken = token.substr(0, length);
  EXPECT_EQ(to_double(taken), static_cast<double>(number)) << token;
  EXPECT_EQ(number_text(static_cast<double>(number)), taken) << token;
  return length == token.size();
}

TEST(ReadWrittenBinary32, TakesWhatWriteNumberWritesAndNothingElse) {
  std::mt19937_64 random(20261124);
  int taken = 0;
  constexpr int rounds = 200'000;
  for (int round = 0; round < rounds; ++round) {
    // Exponents of 1e-5 to 2, every mantissa; some with few bits, whose spelling is short.
    const auto exponent = static_cast<std::uint32_t>(110 + random() % 18);
    auto mantissa = static_cast<std::uint32_t>(random() & 0x7FFFFF);
    if (round % 8 == 0) mantissa &= 0x7FFFFF << (random() % 24);
    const auto number = std::bit_cast<float>((exponent << 23) | mantissa);
    const std::string token = number_text(static_cast<double>(round % 2 == 0 ? number : -number));
    taken += quick_agrees(token) ? 1 : 0;

    // Its neighbours are spellings of the same or of another binary64, but never how it is written.
    const std::size_t last = token.size() - 1;
    std::string other = token;
    other[last] = static_cast<char>('0' + (other[last] - '0' + 1 + random() % 9) % 10);
    quick_agrees(other);
    quick_agrees(token + std::to_string(random() % 100));
    quick_agrees(token.substr(0, last));
    quick_agrees(token + 'e' + std::to_string(random() % 3));
    other = token;
    other[random() % other.size()] = static_cast<char>('.' + random() % 12);
    quick_agrees(other);
  }
  EXPECT_GT(taken, rounds * 6 / 10);  // the others are outside of [1e-4, 1), or powers of two
}

TEST(ReadWrittenBinary32, TakesNearlyAllNumbersOfAUnitVector) {
  std::mt19937 random(7);
  std::normal_distribution<float> bell(0, 0.0255F);
  int taken = 0;
  for (int round = 0; round < 10'000; ++round)
    taken += quick_agrees(number_text(static_cast<double>(bell(random)))) ? 1 : 0;
  EXPECT_GT(taken, 9'900);
}

TEST(ReadWrittenBinary32, LeavesEverythingElseAlone) {
  for (const char* token : {"0.0",
                            "-0.0",
                            "0.5",
                            "0.25",
                            "1.0",
                            "0.1",
                            "0.10",
                            "0.750",
                            "00.75",
                            ".75",
                            "0.",
                            "-",
                            "0",
                            "0.00001",
                            "7.5e-05",
                            "NaN",
                            "-Infinity",
                            "0.75e1",
                            "0.3333333333333333",
                            "0.33333334326744080",
                            "0.333333343267440796",
                            "0.00000000000000000000001",
                            "0.99999999999999999999"}) {
    const std::string text = std::string(token) + ",\n      0.12345678901234567,\n";
    float number = 0;
    const char* end = read_written_binary32(text.data(), text.data() + text.size(), number);
    const std::string_view rest = end == nullptr ? "e" : std::string_view(end);
    EXPECT_TRUE(rest.starts_with("e")) << token;
  }
  float number = 0;
  const std::string near_the_end = "0.33333334326744080";
  EXPECT_EQ(
      read_written_binary32(near_the_end.data(), near_the_end.data() + near_the_end.size(), number),
      nullptr);
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
