#include "extractors/llm/reply.hpp"

#include "base/time.hpp"
#include "tests/support/result_matchers.hpp"

// What models send instead of what they were asked for. The rows "what the old system lost" each
// cost it memories, a whole file, or both.
namespace bb5::llm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Reply read(std::string_view text) {
  auto reply = read_reply(text);
  EXPECT_THAT(reply, Succeeds()) << text;
  return reply ? *std::move(reply) : Reply{};
}

std::vector<std::string> contents(const Reply& reply) {
  std::vector<std::string> all;
  for (const auto& read : reply.memories) all.push_back(read.memory.content);
  return all;
}

std::vector<std::string> names(const Reply& reply) {
  std::vector<std::string> all;
  for (const auto& entity : reply.entities) all.push_back(entity.name);
  return all;
}

TEST(ModelReply, AsItWasAskedFor) {
  const Reply reply = read(R"({
    "memories": [{"content": " We chose Redis. ", "network": "experience", "confidence": 0.9,
                  "category": "decision", "entities": ["Redis"], "happened_at": "2024-05-03",
                  "position": 4}],
    "entities": [{"name": "Redis", "type": "technology", "mentions": 2},
                 {"name": "Shop", "type": "organization", "mentions": 1}],
    "relationships": [{"subject": "Shop", "predicate": "uses", "object": "Redis", "confidence": 0.8}]})");
  ASSERT_THAT(reply.memories, SizeIs(1));
  EXPECT_EQ(reply.memories[0].memory, (ExtractedMemory{.content = "We chose Redis.",
                                                       .network = "experience",
                                                       .confidence = 0.9,
                                                       .category = "decision",
                                                       .entities = {"Redis"},
                                                       .happened_at = parse_time("2024-05-03")}));
  EXPECT_EQ(reply.memories[0].turn, 4);
  EXPECT_THAT(reply.entities, ElementsAre(ExtractedEntity{"Redis", "technology", 2},
                                          ExtractedEntity{"Shop", "organization", 1}));
  EXPECT_THAT(reply.relationships,
              ElementsAre(ExtractedRelationship{"Shop", "uses", "Redis", 0.8}));
  EXPECT_THAT(reply.warnings, IsEmpty());
}

// What the old system lost: "object with another key".
TEST(ModelReply, AnotherKeyIsReadByTheShapeOfWhatItHolds) {
  for (const char* text :
       {R"({"facts": [{"content": "a"}]})", R"({"results": [{"content": "a"}]})",
        R"({"data": {"memories": [{"content": "a"}]}})", R"({"memory": {"content": "a"}})",
        R"({"content": "a"})", R"({"memories": [{"text": "a"}]})",
        R"({"Memories": [{"fact": "a"}]})", R"({"list": {"of": {"all": [{"statement": "a"}]}}})"})
    EXPECT_THAT(contents(read(text)), ElementsAre("a")) << text;
}

TEST(ModelReply, MemoriesMayStandUnderTheirNetworks) {
  const Reply reply = read(
      R"({"opinion": [{"content": "a"}], "World": [{"content": "b", "network": "experience"}]})");
  EXPECT_THAT(contents(reply), ElementsAre("a", "b"));
  EXPECT_EQ(reply.memories[0].memory.network, "opinion");
  EXPECT_EQ(reply.memories[1].memory.network, "experience");
}

// What the old system lost: "{}".
TEST(ModelReply, AnObjectWithoutAnythingIsAReplyWithoutMemories) {
  for (const char* text : {"{}", "[]", R"({"answer": 42})", R"({"note": "nothing here"})"})
    EXPECT_THAT(contents(read(text)), IsEmpty()) << text;
}

// What the old system lost: "array".
TEST(ModelReply, AnArrayIsSortedByTheShapeOfItsItems) {
  const Reply reply = read(
      R"([{"content": "a"}, {"name": "Redis"}, {"subject": "A", "object": "B"}, {"other": 1}])");
  EXPECT_THAT(contents(reply), ElementsAre("a"));
  EXPECT_THAT(names(reply), ElementsAre("Redis"));
  EXPECT_THAT(reply.relationships, SizeIs(1));
  EXPECT_THAT(reply.warnings, ElementsAre(HasSubstr("item 4 is neither")));
}

// What the old system lost: "memories: null".
TEST(ModelReply, NullInsteadOfAnArrayIsNone) {
  const Reply reply = read(R"({"memories": null, "entities": [{"name": "Redis"}]})");
  EXPECT_THAT(contents(reply), IsEmpty());
  EXPECT_THAT(names(reply), ElementsAre("Redis"));
}

// What the old system lost: "an item that is not an object".
TEST(ModelReply, AnItemThatIsNoObjectIsLeftOutAndTheOthersStay) {
  const Reply reply =
      read(R"({"memories": [7, null, {"content": "a"}, ["b"], true, {"content": "c"}]})");
  EXPECT_THAT(contents(reply), ElementsAre("a", "c"));
  EXPECT_THAT(reply.warnings, SizeIs(4));
  EXPECT_THAT(reply.warnings[1], HasSubstr("memory 2 is no object"));
}

TEST(ModelReply, ABareTextIsWhatAnObjectWouldMainlySay) {
  const Reply reply = read(R"({"memories": ["a", " "], "entities": ["Redis"], "other": ["x"]})");
  EXPECT_THAT(contents(reply), ElementsAre("a"));
  EXPECT_THAT(names(reply), ElementsAre("Redis"));
  EXPECT_THAT(reply.warnings, SizeIs(4));
}

// What the old system lost: "network: null"; and "unknown network: stored as world".
TEST(ModelReply, ANetworkThatIsNoneIsWorldWithAWarning) {
  for (const char* network : {"null", R"("facts")", R"("")", "7", "[]"}) {
    const Reply reply =
        read(std::string(R"({"memories": [{"content": "a", "network": )") + network + "}]}");
    ASSERT_THAT(reply.memories, SizeIs(1)) << network;
    EXPECT_EQ(reply.memories[0].memory.network, "world");
    EXPECT_THAT(reply.warnings, ElementsAre(HasSubstr("memory 1 names the network")));
  }
  EXPECT_THAT(read(R"([{"content": "a"}])").warnings, IsEmpty());
}

TEST(ModelReply, NetworksAreKnownInAnyCaseAndByTheirLetters) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"WORLD", "world"}, {"Opinion", "opinion"}, {"b", "experience"}, {"S", "observation"}};
  for (const auto& [given, meant] : cases) {
    const Reply reply = read(std::string(R"([{"content": "a", "network": ")") + given + "\"}]");
    ASSERT_THAT(reply.memories, SizeIs(1));
    EXPECT_EQ(reply.memories[0].memory.network, meant);
    EXPECT_THAT(reply.warnings, IsEmpty());
  }
}

// What the old system lost: "content: null".
TEST(ModelReply, AMemoryWithoutContentIsLeftOutAndTheOthersStay) {
  const Reply reply = read(
      R"({"memories": [{"content": null}, {"content": "a"}, {"content": " "}, {"network": "world"}]})");
  EXPECT_THAT(contents(reply), ElementsAre("a"));
  EXPECT_THAT(reply.warnings, SizeIs(3));
  EXPECT_THAT(reply.warnings[0], HasSubstr("memory 1 has no content"));
}

// What the old system lost: "mentions not a number (list or string)".
TEST(ModelReply, MentionsMayBeAnything) {
  const std::vector<std::pair<const char*, std::int64_t>> cases = {
      {"3", 3},   {R"("4")", 4}, {R"(["here", "there"])", 2},
      {"[]", 1},  {"null", 1},   {R"("often")", 1},
      {"-5", 1},  {"2.7", 2},    {"1e300", 1'000'000},
      {"NaN", 1}, {"{}", 1}};
  for (const auto& [given, meant] : cases) {
    const Reply reply =
        read(std::string(R"({"entities": [{"name": "Redis", "mentions": )") + given + "}]}");
    ASSERT_THAT(reply.entities, SizeIs(1)) << given;
    EXPECT_EQ(reply.entities[0].mentions, meant) << given;
  }
}

// What the old system lost: "entity name null".
TEST(ModelReply, AnEntityWithoutANameIsLeftOutAndTheOthersStay) {
  const Reply reply =
      read(R"({"memories": [{"content": "a"}], "entities": [{"name": null}, {"name": "Redis"}]})");
  EXPECT_THAT(contents(reply), ElementsAre("a"));
  EXPECT_THAT(names(reply), ElementsAre("Redis"));
  EXPECT_THAT(reply.warnings, ElementsAre(HasSubstr("entity 1 has no name")));
}

TEST(ModelReply, ConfidenceMayBeTextPercentOrOutOfRange) {
  const std::vector<std::tuple<const char*, double, std::size_t>> cases = {
      {"0.25", 0.25, 0},     {R"("0.25")", 0.25, 0}, {R"("80%")", 0.8, 0}, {R"("80 %")", 0.8, 0},
      {"95", 0.95, 0},       {"1.5", 1, 1},          {"-1", 0, 1},         {"1e9", 1, 1},
      {R"("high")", 0.8, 1}, {"null", 0.8, 0},       {"NaN", 0.8, 1},      {"[]", 0.8, 1},
      {"1", 1, 0},           {"true", 0.8, 1}};
  for (const auto& [given, meant, warnings] : cases) {
    const Reply reply = read(std::string(R"([{"content": "a", "confidence": )") + given + "}]");
    ASSERT_THAT(reply.memories, SizeIs(1)) << given;
    EXPECT_DOUBLE_EQ(reply.memories[0].memory.confidence, meant) << given;
    EXPECT_THAT(reply.warnings, SizeIs(warnings)) << given;
  }
}

TEST(ModelReply, RelationshipsTakeUsualNamesAndLackingEndsAreLeftOut) {
  const Reply reply = read(R"({"relationships": [
    {"source": "A", "relation": "Depends On", "target": "B"},
    {"from": "A", "type": "uses", "to": "B", "confidence": "50%"},
    {"subject": "A", "object": null}, {"subject": "A", "predicate": "!", "object": "B"}]})");
  EXPECT_THAT(reply.relationships, ElementsAre(ExtractedRelationship{"A", "depends_on", "B", 0.7},
                                               ExtractedRelationship{"A", "uses", "B", 0.5},
                                               ExtractedRelationship{"A", "relates_to", "B", 0.7}));
  EXPECT_THAT(reply.warnings, ElementsAre(HasSubstr("relationship 3 lacks an end")));
}

TEST(ModelReply, CategoriesDatesAndNamesAreTakenWhereTheyAreSome) {
  const Reply reply = read(R"([
    {"content": "a", "category": "Next Step", "entities": [{"name": "X"}, null, "Y"]},
    {"content": "b", "category": "null", "happened_at": "last May", "entities": "Z"},
    {"content": "c", "category": null, "happened_at": null, "entities": null, "position": "x"}])");
  ASSERT_THAT(reply.memories, SizeIs(3));
  EXPECT_EQ(reply.memories[0].memory.category, "next_step");
  EXPECT_THAT(reply.memories[0].memory.entities, ElementsAre("X", "Y"));
  EXPECT_EQ(reply.memories[1].memory.category, std::nullopt);
  EXPECT_THAT(reply.memories[1].memory.entities, ElementsAre("Z"));
  EXPECT_EQ(reply.memories[2].turn, std::nullopt);
  EXPECT_THAT(reply.warnings, ElementsAre(HasSubstr("'last May'")));
}

TEST(ModelReply, TextAroundTheJsonIsPassedOver) {
  for (const char* text :
       {"```json\n{\"memories\": [{\"content\": \"a\"}]}\n```", "```\n[{\"content\": \"a\"}]\n```",
        "Here it is: {\"memories\": [{\"content\": \"a\"}]} I hope that this helps.",
        "\n <think>{\"not\": [this]</think>\n[{\"content\": \"a\"}]",
        "\xEF\xBB\xBF[{\"content\": \"a\"}]"})
    EXPECT_THAT(contents(read(text)), ElementsAre("a")) << text;
}

TEST(ModelReply, SeveralValuesInARowAreAllRead) {
  EXPECT_THAT(contents(read("{\"content\": \"a\"}\n{\"content\": \"b\"},\n[{\"content\": \"c\"}]")),
              ElementsAre("a", "b", "c"));
}

// What the old system lost: "non-JSON".
TEST(ModelReply, WhatIsNoJsonSaysWhy) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "no JSON"},
      {"I am sorry, I cannot do that.", "no JSON"},
      {"<think>endless", "no JSON"},
      {R"({"memories": [{"content": "a"}, {"cont)", "breaks off"},
      {R"({"memories": [{"content": "a"} {"content": "b"}]})", "wrong at byte 3"},
      {R"({"content": "a"} {"content: )", "breaks off"}};
  for (const auto& [text, words] : cases) {
    const auto reply = read_reply(text);
    ASSERT_THAT(reply, FailsWith(Errc::invalid_argument)) << text;
    EXPECT_THAT(reply.error().message, HasSubstr(words)) << text;
  }
}

TEST(ModelReply, TextIsMadeStorable) {
  const Reply reply = read("[{\"content\": \"a\\u0000b \\ud83d\"}]");
  ASSERT_THAT(reply.memories, SizeIs(1));
  EXPECT_EQ(reply.memories[0].memory.content,
            "a\xE2\x90\x80"
            "b \xEF\xBF\xBD");
}

}  // namespace
}  // namespace bb5::llm
