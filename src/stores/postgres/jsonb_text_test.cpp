#include "stores/postgres/jsonb_text.hpp"

#include <gtest/gtest.h>

namespace bb5::postgres {
namespace {

TEST(JsonbText, ReproducesWhatTheServerWritesTheSameWay) {
  for (const char* text :
       {"null", "true", "[]", "{}", "3", "-3", "0.10", "123456789012345678901234567890", "\"\"",
        R"("a\"\\\b\f\n\r\t\u0001\u001f\u007f\u00e9\ud83d\ude00/")", R"([1,[2,{"a":null}]])",
        R"({"b":1,"aa":{"c":2,"dd":[]}})"}) {
    EXPECT_TRUE(jsonb_reproduces(text)) << text;
    EXPECT_EQ(to_jsonb(text).text, text);
  }
}

TEST(JsonbText, KnowsWhatTheServerWouldRewrite) {
  for (const char* text : {" 3",
                           "[1, 2]",
                           "{\"a\": 1}",
                           "1e3",
                           "1E-3",
                           "-0",
                           "-0.0",
                           R"({"aa":1,"b":2})",
                           R"({"a":1,"a":2})",
                           R"("\/")",
                           R"("\u0041")",
                           R"("\u00E9")",
                           R"("\u000a")",
                           "\"é\"",
                           "\"\x7f\"",
                           "NaN",
                           "-Infinity",
                           R"("\u0000")",
                           R"("\ud800")",
                           R"("\ude00\ud83d")"}) {
    EXPECT_FALSE(jsonb_reproduces(text)) << text;
    EXPECT_NE(to_jsonb(text).text, std::nullopt) << text;
  }
}

TEST(JsonbText, PutsInTheNearestThatTheServerTakes) {
  EXPECT_EQ(to_jsonb(R"({"n":NaN,"i":[Infinity,-Infinity]})").text,
            R"({"n":null,"i":[null,null]})");
  EXPECT_EQ(to_jsonb(R"("a\u0000b")").text, R"("a\u2400b")");
  EXPECT_EQ(to_jsonb(R"("\ud83d\ud83d\ude00")").text, R"("\ufffd\ud83d\ude00")");
  EXPECT_EQ(to_jsonb("1e999999").text, "\"1e999999\"");
  EXPECT_EQ(to_jsonb(std::string(2'000, '9')).text, '"' + std::string(2'000, '9') + '"');
  EXPECT_EQ(to_jsonb("\"line\nbreak\"").text, "\"line\\u000abreak\"");
}

TEST(JsonbText, RefusesWhatIsNoJson) {
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("[1,]"), std::string("{a:1}"),
        std::string("01"), std::string("1."), std::string("-"), std::string("\"a"),
        std::string(R"("\x")"), std::string(R"("\u12")"), std::string("nul"), std::string("1 2"),
        std::string(1'000, '[') + std::string(1'000, ']')}) {
    EXPECT_EQ(to_jsonb(text).text, std::nullopt) << text.substr(0, 20);
    EXPECT_FALSE(jsonb_reproduces(text));
  }
}

TEST(JsonbText, SpellsTheServersTextAsOurs) {
  EXPECT_EQ(canonical_text(R"({"a": [1, 2.50], "b": "x, y: \"z\" é😀"})"),
            R"({"a":[1,2.50],"b":"x, y: \"z\" \u00e9\ud83d\ude00"})");
  EXPECT_EQ(canonical_text("\"\x7f\""), R"("\u007f")");
}

}  // namespace
}  // namespace bb5::postgres
