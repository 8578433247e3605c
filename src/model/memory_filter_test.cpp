#include "model/memory_filter.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

Memory memory_with(const std::string& metadata) {
  Memory memory;
  memory.metadata = metadata;
  derive_columns(memory);
  return memory;
}

json::Object object(const char* text) {
  return *json::parse_text(text)->object();
}

TEST(MemoryFilter, AMemoryWithoutConfidenceCountsAsTheOldSystemReadIt) {
  const Memory unstated;
  EXPECT_TRUE(matches({.min_confidence = 0.8}, unstated));
  EXPECT_FALSE(matches({.min_confidence = 0.81}, unstated));
  EXPECT_TRUE(matches({.max_confidence = 0.8}, unstated));
  EXPECT_FALSE(matches({.max_confidence = 0.79}, unstated));
}

TEST(MemoryFilter, APartThatIsEmptyRestrictsNothing) {
  EXPECT_TRUE(matches({}, Memory{}));
  EXPECT_TRUE(matches({}, memory_with("no JSON")));
}

TEST(MemoryFilter, MetadataIsComparedByWhatItSays) {
  const auto says = [](const char* metadata, const char* wanted) {
    return has_members(metadata, object(wanted));
  };
  EXPECT_TRUE(says(R"({"a":1,"b":"x"})", R"({"a":1.0})"));
  EXPECT_TRUE(says(R"({"a":1e3})", R"({"a":1000})"));
  EXPECT_TRUE(says(R"({"a":-0.0})", R"({"a":0})"));
  EXPECT_TRUE(says(R"({"a":123456789012345678901})", R"({"a":123456789012345678901})"));
  EXPECT_FALSE(says(R"({"a":123456789012345678901})", R"({"a":123456789012345678902})"));
  EXPECT_FALSE(says(R"({"a":1})", R"({"a":"1"})"));
  EXPECT_FALSE(says(R"({"a":1})", R"({"a":true})"));
  EXPECT_FALSE(says(R"({"a":10})", R"({"a":1})"));
  EXPECT_FALSE(says(R"({"a":1})", R"({"a":-1})"));
  EXPECT_FALSE(says(R"({"a":0.1})", R"({"a":0.01})"));
  EXPECT_TRUE(says(R"({"a":{"x":1,"y":[]}})", R"({"a":{"y":[],"x":1}})"));
  EXPECT_FALSE(says(R"({"a":{"x":1,"y":[]}})", R"({"a":{"x":1}})"));
  EXPECT_FALSE(says(R"({"a":[1,2]})", R"({"a":[2,1]})"));
  EXPECT_FALSE(says(R"({"a":[1,2]})", R"({"a":[1]})"));
  EXPECT_TRUE(says(R"({"a":null})", R"({"a":null})"));
  EXPECT_TRUE(says(R"({"a":NaN})", R"({"a":null})"));
  EXPECT_FALSE(says(R"({"a":1})", R"({"b":null})")) << "a key that is not there is not null";
  EXPECT_TRUE(says(R"({"a":1,"a":2})", R"({"a":2})")) << "of equal keys the last one counts";
  EXPECT_FALSE(says(R"({"a":1,"b":2})", R"({"a":1,"b":3})"));
  EXPECT_TRUE(says(R"({"a":"x\u0000\ud800"})", "{\"a\":\"x\u2400\uFFFD\"}"));
  EXPECT_FALSE(says(R"([1])", R"({"a":1})"));
  EXPECT_FALSE(says("no JSON", R"({"a":1})"));
}

TEST(MemoryFilter, ATaskIsATextOfTheMetadata) {
  EXPECT_EQ(task_of(memory_with(R"({"task_id":"TASK-7"})")), "TASK-7");
  EXPECT_EQ(task_of(memory_with(R"({"task_id":7})")), std::nullopt);
  EXPECT_EQ(task_of(memory_with(R"({"task_id":null})")), std::nullopt);
  EXPECT_EQ(task_of(memory_with(R"({})")), std::nullopt);
  EXPECT_EQ(task_of(memory_with("no JSON")), std::nullopt);
}

TEST(MemoryFilter, SaysWhatIsWrongAndWhatHelps) {
  const auto time = [](const char* text) { return parse_time(text); };
  EXPECT_THAT(validate(MemoryFilter{}), Succeeds());
  EXPECT_THAT(validate({.min_confidence = 0.5, .max_confidence = 0.5}), Succeeds());
  const auto refused = [](const MemoryFilter& filter) {
    const auto checked = validate(filter);
    EXPECT_THAT(checked, FailsWith(Errc::invalid_argument));
    EXPECT_FALSE(checked.error().remedy.empty());
    return checked.error().message;
  };
  EXPECT_EQ(refused({.min_confidence = 0.6, .max_confidence = 0.5}),
            "min_confidence 0.6 is greater than max_confidence 0.5");
  EXPECT_EQ(refused({.min_confidence = -0.1}), "min_confidence -0.1 is no confidence");
  EXPECT_EQ(refused({.max_confidence = std::numeric_limits<double>::quiet_NaN()}),
            "max_confidence nan is no confidence");
  EXPECT_EQ(refused({.since = time("2026-03-01"), .until = time("2026-03-01")}),
            "since 2026-03-01T00:00:00Z is not before until 2026-03-01T00:00:00Z");
  EXPECT_EQ(refused({.entities = {"Redis", "  "}}), "entity `  ` is no name");
  EXPECT_EQ(refused({.categories = {"\xFF"}}), "category `\uFFFD` is no text");
  EXPECT_EQ(refused({.metadata = object(R"({"\u0000":1})")}), "metadata key `\u2400` is no text");
}

}  // namespace
}  // namespace bb5
