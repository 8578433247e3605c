#include "operations/retain/add.hpp"

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

NewMemory tea() {
  NewMemory memory;
  memory.content = "tea";
  return memory;
}

TEST(ParseNewMemory, TakesEveryMember) {
  const auto memory = parse_new_memory(
      R"({"content":"x","network":"World","created_at":"2026-02-04","confidence":0.5,"source":"a","source_type":"b","category":"c",
      "entities":["E"],"metadata":{"k":NaN},"embedding":[1,0.5],"author":"d","thread":"e","position":3})");
  ASSERT_THAT(memory, Succeeds());
  EXPECT_EQ(memory->confidence, 0.5);
  EXPECT_THAT(memory->embedding, ElementsAre(1, 0.5f));
  EXPECT_EQ(memory->position, 3);
  EXPECT_EQ(memory->created_at, parse_time("2026-02-04"));
}

TEST(ParseNewMemory, SaysWhichMemberIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "`content` must be given"},
      {R"({"content":7})", "`content` must be a text"},
      {R"({"content":"x","network":"facts"})", "`network` must be world"},
      {R"({"content":"x","confidence":2})", "`confidence` must be a number between 0 and 1"},
      {R"({"content":"x","confidence":NaN})", "`confidence`"},
      {R"({"content":"x","created_at":"soon"})", "`created_at` must be a time"},
      {R"({"content":"x","entities":"E"})", "`entities`"},
      {R"({"content":"x","embedding":[1,"2"]})", "`embedding`"},
      {R"({"content":"x","embedding":[1e99]})", "finite"},
      {R"({"content":"x","position":1.5})", "`position`"},
      {R"({"content":"x","metadata":[]})", "`metadata`"},
      {R"({"content":"x","contnet":"y"})", "no member `contnet`"},
      {R"({"content":"a\u0000b"})", "NUL"}};
  for (const auto& [text, expected] : cases) {
    const auto memory = parse_new_memory(text);
    ASSERT_THAT(memory, FailsWith(Errc::invalid_argument)) << text;
    EXPECT_THAT(memory.error().message, HasSubstr(expected)) << text;
  }
}

TEST(AddMemories, IsAnUpsertByContentThatKeepsItsPlace) {
  const auto bank = new_in_memory_bank();
  NewMemory other = tea();
  other.content = "coffee";
  ASSERT_THAT(add_memories(*bank, {tea(), other}), Succeeds());
  NewMemory again = tea();
  again.confidence = 0.25;
  const auto added = add_memories(*bank, {again});
  ASSERT_THAT(added, HasValue(SizeIs(1)));
  EXPECT_EQ((*added)[0].action, WriteAction::replaced);
  EXPECT_EQ((*added)[0].legacy_id, legacy_id_of("tea"));
  const auto memories = *bank->page({});
  ASSERT_THAT(memories, SizeIs(2));
  EXPECT_EQ(memories[0].content, "tea");
  EXPECT_EQ(memories[0].metadata, R"({"confidence":0.25})");
}

TEST(AddMemories, OfEqualOnesInABatchTheLastCounts) {
  const auto bank = new_in_memory_bank();
  NewMemory second = tea();
  second.network = "world";
  ASSERT_THAT(add_memories(*bank, {tea(), second}), HasValue(SizeIs(2)));
  const auto memories = *bank->page({});
  ASSERT_THAT(memories, SizeIs(1));
  EXPECT_EQ(memories[0].network, "world");
}

TEST(AddMemories, AnIdThatAnotherContentHoldsIsNotTakenAway) {
  const auto bank = new_in_memory_bank();
  Memory squatter;
  squatter.legacy_id = legacy_id_of("tea");
  squatter.id = memory_id_of('"' + squatter.legacy_id + '"');
  squatter.content = "not tea";
  const std::vector<Memory> held = {squatter};
  ASSERT_THAT(bank->write({.memories = held}), Succeeds());
  ASSERT_THAT(add_memories(*bank, {tea()}), Succeeds());
  EXPECT_THAT(*bank->find(squatter.legacy_id), SizeIs(2));
}

TEST(AddMemories, KnowsTheModelsOfTwoLengths) {
  const auto bank = new_in_memory_bank();
  NewMemory odd = tea();
  odd.embedding = {1, 2, 3};
  const auto refused = add_memories(*bank, {odd});
  ASSERT_THAT(refused, FailsWith(Errc::invalid_argument));
  EXPECT_THAT(refused.error().remedy, HasSubstr("--dimension 3"));
  NewMemory small = tea();
  small.embedding.assign(384, 0.5f);
  ASSERT_THAT(add_memories(*bank, {small}), Succeeds());
  EXPECT_EQ(bank->embedder()->model, "local/all-MiniLM-L6-v2");
  EXPECT_THAT(add_memories(*bank, {odd}), FailsWith(Errc::invalid_argument));
}

}  // namespace
}  // namespace bb5
