#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr EmbedderInfo two{.model = "test/two", .dimension = 2};

std::vector<std::string> legacy_ids(const std::vector<Memory>& memories) {
  std::vector<std::string> ids;
  for (const Memory& memory : memories) ids.push_back(memory.legacy_id);
  return ids;
}

TEST_P(BankContract, KeepsEveryFieldOfAMemory) {
  ASSERT_THAT(bank().set_embedder({.model = "test/four", .dimension = 4}), Succeeds());
  const Memory memory = full_memory();
  ASSERT_THAT(must_write({memory}).memories, ElementsAre(WriteAction::inserted));
  const MemoryId ids[] = {memory.id};
  const auto found = bank().get(ids, true);
  ASSERT_THAT(found, HasValue(SizeIs(1)));
  EXPECT_THAT(differences(memory, found->front()), IsEmpty());
  EXPECT_EQ(found->front().updated_at, memory.updated_at);
  EXPECT_EQ(record_hash(found->front()), record_hash(memory));
}

TEST_P(BankContract, KeepsAMemoryInWhichNothingIsSet) {
  Memory memory = make_memory("bare");
  memory.content = "";
  memory.network = "";
  ASSERT_THAT(must_write({memory}).memories, ElementsAre(WriteAction::inserted));
  ASSERT_THAT(all_memories(), SizeIs(1));
  EXPECT_THAT(differences(memory, all_memories()[0]), IsEmpty());
  EXPECT_EQ(all_memories()[0].updated_at, std::nullopt);
}

TEST_P(BankContract, KeepsVeryLongContent) {
  std::string content;
  for (int i = 0; content.size() < 5'000'000; ++i)
    content += "word" + std::to_string(i) + (i % 7 == 0 ? "ü漢 " : " ");
  must_write({make_memory("long", content)});
  EXPECT_EQ(all_memories().at(0).content, content);
}

TEST_P(BankContract, KeepsMetadataOfEveryShape) {
  std::vector<Memory> memories;
  for (const char* metadata :
       {"null", "[]", "\"text\"", "3", "NaN", "{\"b\":1,\"a\":2}", "{\"a\":1.50}", "{\"a\":1e3}",
        "{}", "{\"\\u0000\":\"\\udfff\"}", "{\"aa\":1,\"b\":{\"dd\":2,\"c\":3}}"}) {
    memories.push_back(
        with_metadata(make_memory(std::string("m") + std::to_string(memories.size())), metadata));
  }
  must_write(memories);
  const auto stored = all_memories();
  ASSERT_EQ(stored.size(), memories.size());
  for (std::size_t i = 0; i < stored.size(); ++i)
    EXPECT_EQ(stored[i].metadata, memories[i].metadata);
}

TEST_P(BankContract, ShowsMemoriesInTheOrderOfInsertionPageByPage) {
  must_write({make_memory("c"), make_memory("a")});
  must_write({make_memory("b")});
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("c", "a", "b"));
  const auto first = bank().page({.limit = 2});
  ASSERT_THAT(first, HasValue(SizeIs(2)));
  const auto rest = bank().page({.after_seq = first->back().seq, .limit = 2});
  ASSERT_THAT(rest, HasValue(SizeIs(1)));
  EXPECT_EQ(rest->front().legacy_id, "b");
}

TEST_P(BankContract, PagesOfAFilterAreFull) {
  std::vector<Memory> memories;
  for (int i = 0; i < 20; ++i) {
    memories.push_back(make_memory("m" + std::to_string(i)));
    memories.back().network = i % 5 == 0 ? "world" : "opinion";
  }
  must_write(memories);
  EXPECT_THAT(legacy_ids(*bank().page({.limit = 3, .filter = {.networks = {"world"}}})),
              ElementsAre("m0", "m5", "m10"));
  EXPECT_THAT(*bank().page({.filter = {.networks = {"World"}}}), IsEmpty());
  EXPECT_THAT(*bank().page({.filter = {.networks = {"world", "opinion"}}}), SizeIs(20));
}

TEST_P(BankContract, GetsInTheOrderAskedForAndSkipsWhatIsAbsent) {
  must_write({make_memory("a"), make_memory("b"), make_memory("c")});
  const MemoryId ids[] = {memory_id_of("\"c\""), memory_id_of("\"none\""), memory_id_of("\"a\"")};
  EXPECT_THAT(legacy_ids(*bank().get(ids, false)), ElementsAre("c", "a"));
  EXPECT_THAT(*bank().get({}, false), IsEmpty());
}

TEST_P(BankContract, FindsByLegacyIdAndByUuid) {
  Memory twin = make_memory("a", "another content");
  twin.id = memory_id_of("\"a\"", 2);
  must_write({make_memory("a"), twin, make_memory("b")});
  EXPECT_THAT(*bank().find("a"), SizeIs(2));
  EXPECT_THAT(legacy_ids(*bank().find(memory_id_of("\"b\"").to_string())), ElementsAre("b"));
  EXPECT_THAT(*bank().find("none"), IsEmpty());
}

TEST_P(BankContract, TheSameRecordAgainIsIdenticalAndChangesNothing) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("a", {1, 2})});
  const Memory before = all_memories().at(0);
  EXPECT_THAT(must_write({vector_memory("a", {1, 2})}).memories,
              ElementsAre(WriteAction::identical));
  EXPECT_EQ(all_memories().at(0), before);
}

TEST_P(BankContract, AnotherRecordUnderTheSameIdIsAConflictAndStaysOut) {
  must_write({make_memory("a", "first")});
  EXPECT_THAT(must_write({make_memory("a", "second"), make_memory("b")}).memories,
              ElementsAre(WriteAction::conflict, WriteAction::inserted));
  EXPECT_EQ(all_memories().at(0).content, "first");
}

TEST_P(BankContract, ReplacingKeepsThePlace) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("a", {1, 0}), vector_memory("b", {1, 0})});
  EXPECT_THAT(must_write({vector_memory("a", {0, 1})}, OnConflict::replace).memories,
              ElementsAre(WriteAction::replaced));
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("a", "b"));
  EXPECT_THAT(all_memories()[0].embedding, ElementsAre(0, 1));
  Memory bare = make_memory("a");
  must_write({bare}, OnConflict::replace);
  EXPECT_THAT(all_memories()[0].embedding, IsEmpty());
}

TEST_P(BankContract, APlaceThatIsTakenIsAConflictAndLosesNothing) {
  const auto placed = [](const std::string& name, std::int64_t seq) {
    Memory memory = make_memory(name);
    memory.seq = seq;
    return memory;
  };
  must_write({placed("a", 7)});
  const std::vector<Memory> taken = {make_memory("b"), placed("c", 7)};
  EXPECT_THAT(bank().write({.memories = taken}), FailsWith(Errc::conflict));
  const std::vector<Memory> twice = {placed("d", 9), placed("e", 9)};
  EXPECT_THAT(bank().write({.memories = twice}), FailsWith(Errc::conflict));
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("a"));
  const std::vector<Memory> before_the_first = {placed("f", -1)};
  EXPECT_THAT(bank().write({.memories = before_the_first}), FailsWith(Errc::invalid_argument));
  must_write({placed("g", 3), make_memory("h")});
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("g", "a", "h"));
}

TEST_P(BankContract, ABatchWithOneBadMemoryChangesNothing) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a", "first")});
  Memory bad = make_memory("bad");
  bad.confidence = 7;
  for (const Memory& wrong :
       {bad, vector_memory("long", {1, 2, 3}), vector_memory("zero", {0, 0})}) {
    const std::vector<Memory> batch = {make_memory("b"), make_memory("a", "second"), wrong};
    EXPECT_THAT(bank().write({.memories = batch, .on_conflict = OnConflict::replace}),
                FailsWith(Errc::invalid_argument));
    EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("a"));
    EXPECT_EQ(all_memories()[0].content, "first");
  }
}

TEST_P(BankContract, AVectorNeedsAnEmbedder) {
  const std::vector<Memory> batch = {vector_memory("a", {1, 2})};
  EXPECT_THAT(bank().write({.memories = batch}), FailsWith(Errc::invalid_argument));
}

TEST_P(BankContract, RecordsItsEmbedderOnce) {
  EXPECT_EQ(*bank().embedder(), EmbedderInfo{});
  EXPECT_THAT(bank().set_embedder({.model = "test/none", .dimension = 0}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(bank().set_embedder({.model = "test/huge", .dimension = 16'001}),
              FailsWith(Errc::invalid_argument));
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  EXPECT_THAT(bank().set_embedder(two), Succeeds());
  EXPECT_THAT(bank().set_embedder({.model = "test/three", .dimension = 3}),
              FailsWith(Errc::conflict));
  EXPECT_EQ(*bank().embedder(), two);
}

TEST_P(BankContract, ErasesOnceAndForAll) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write(
      {with_metadata(vector_memory("a", {1, 2}), R"({"entities":["Redis"]})"), make_memory("b")});
  EXPECT_THAT(bank().erase(memory_id_of("\"a\"")), HasValue(true));
  EXPECT_THAT(bank().erase(memory_id_of("\"a\"")), HasValue(false));
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("b"));
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 5, {})->hits, IsEmpty());
  EXPECT_THAT(bank().keyword("a", 5, {})->hits, IsEmpty());
  EXPECT_THAT(must_write({vector_memory("a", {1, 2})}).memories,
              ElementsAre(WriteAction::inserted));
  EXPECT_THAT(legacy_ids(all_memories()), ElementsAre("b", "a"));
}

TEST_P(BankContract, CountsWhatItHolds) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  Memory world = vector_memory("a", {1, 2});
  world.network = "world";
  world.created_at = parse_time("2026-02-04");
  Memory noise = make_memory("b");
  noise.vector_state = VectorState::fallback;
  noise.raw = RawRecord{.text = "{}"};
  noise.created_at = parse_time("2026-02-06");
  must_write({world, noise,
              with_metadata(make_memory("c"), R"({"is_entity":true,"entity_name":"Redis"})")});
  const auto stats = bank().stats();
  ASSERT_THAT(stats, Succeeds());
  EXPECT_EQ(stats->memories, 3);
  EXPECT_THAT(stats->networks,
              ElementsAre(testing::Pair("observation", 2), testing::Pair("world", 1)));
  EXPECT_EQ(stats->kinds.at(MemoryKind::entity), 1);
  EXPECT_EQ(stats->vectors.at(VectorState::indexed), 1);
  EXPECT_EQ(stats->vectors.at(VectorState::fallback), 1);
  EXPECT_EQ(stats->vectors.at(VectorState::none), 1);
  EXPECT_EQ(stats->entities, 1);
  EXPECT_EQ(stats->oldest, world.created_at);
  EXPECT_EQ(stats->newest, noise.created_at);
}

TEST_P(BankContract, AnotherHandleSeesWhatIsWritten) {
  const auto other = again();
  if (other == nullptr) return;  // a bank with one owner
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({vector_memory("a", {1, 2})});
  EXPECT_EQ(*other->embedder(), two);
  EXPECT_THAT(legacy_ids(*other->page({})), ElementsAre("a"));
  EXPECT_THAT(other->nearest(std::vector<float>{1, 2}, 1, {})->hits, SizeIs(1));
  const std::vector<Memory> more = {vector_memory("b", {2, 1})};
  ASSERT_THAT(other->write({.memories = more}), Succeeds());
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 5, {})->hits, SizeIs(2));
}

TEST_P(BankContract, IsHealthy) {
  must_write({make_memory("a")});
  EXPECT_THAT(bank().check(false), HasValue(IsEmpty()));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

}  // namespace
}  // namespace bb5
