#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const EmbedderInfo two{.model = "test/two", .dimension = 2};

Memory noise(const std::string& name) {
  Memory memory = make_memory(name);
  memory.vector_state = VectorState::fallback;
  memory.raw = RawRecord{.text = R"({"embedding": [0.5]})"};
  return memory;
}

MadeVector made_for(const Memory& memory, std::vector<float> embedding) {
  return {memory.id, content_sha256_of(memory.content), std::move(embedding)};
}

std::vector<std::string> names_of(const std::vector<Memory>& memories) {
  std::vector<std::string> names;
  for (const Memory& memory : memories) names.push_back(memory.legacy_id);
  return names;
}

TEST_P(BankContract, PagesOfMemoriesWithoutAVectorLeaveTheOthersOut) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), vector_memory("b", {1, 2}), noise("c"),
              with_metadata(make_memory("d"), R"({"is_entity":true,"entity_name":"Redis"})")});
  EXPECT_THAT(names_of(*bank().page({.without_vector = true})), ElementsAre("a", "c", "d"));
  EXPECT_THAT(names_of(*bank().page({.limit = 1, .without_vector = true})), ElementsAre("a"));
  EXPECT_THAT(
      names_of(*bank().page({.filter = {.kinds = {MemoryKind::memory}}, .without_vector = true})),
      ElementsAre("a", "c"));
  EXPECT_THAT(*bank().page({}), SizeIs(4));
}

TEST_P(BankContract, GivesVectorsToMemoriesThatNeedThem) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), noise("b"), vector_memory("c", {1, 0})});
  const std::vector<MadeVector> made = {made_for(make_memory("a"), {1, 2}),
                                        made_for(noise("b"), {2, 1})};
  EXPECT_THAT(bank().give_vectors(two, made), HasValue(2));
  std::vector<Memory> expected = {make_memory("a"), noise("b"), vector_memory("c", {1, 0})};
  give_vector(expected[0], {1, 2});
  give_vector(expected[1], {2, 1});
  const auto held = all_memories();
  ASSERT_THAT(held, SizeIs(3));
  for (std::size_t i = 0; i < held.size(); ++i)
    EXPECT_THAT(differences(held[i], expected[i]), IsEmpty());
  EXPECT_THAT(bank().nearest(std::vector<float>{1, 2}, 5, {})->hits, SizeIs(3));
  EXPECT_EQ(bank().stats()->vectors.at(VectorState::indexed), 3);
  EXPECT_THAT(*bank().page({.without_vector = true}), IsEmpty());
  EXPECT_THAT(bank().give_vectors(two, made), HasValue(0));
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, GivesNoVectorToWhatIsGoneOrHasChanged) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a", "now"), vector_memory("b", {1, 0})});
  const std::vector<MadeVector> made = {made_for(make_memory("a", "before"), {1, 2}),
                                        made_for(make_memory("b"), {0, 1}),
                                        made_for(make_memory("gone"), {1, 2})};
  EXPECT_THAT(bank().give_vectors(two, made), HasValue(0));
  EXPECT_THAT(all_memories()[0].embedding, IsEmpty());
  EXPECT_THAT(all_memories()[1].embedding, ElementsAre(1, 0));
}

TEST_P(BankContract, GivesNoVectorsOfAnotherEmbedderOrLength) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), make_memory("b")});
  const std::vector<MadeVector> made = {made_for(make_memory("a"), {1, 2})};
  EXPECT_THAT(bank().give_vectors({.model = "test/other", .dimension = 2}, made),
              FailsWith(Errc::conflict));
  const std::vector<MadeVector> longer = {made_for(make_memory("a"), {1, 2}),
                                          made_for(make_memory("b"), {1, 2, 3})};
  EXPECT_THAT(bank().give_vectors(two, longer), FailsWith(Errc::invalid_argument));
  const std::vector<MadeVector> zero = {made_for(make_memory("a"), {1, 2}),
                                        made_for(make_memory("b"), {0, 0})};
  EXPECT_THAT(bank().give_vectors(two, zero), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(*bank().page({.without_vector = true}), SizeIs(2));
}

TEST_P(BankContract, ARecordThatGotItsVectorHereIsStillTheSame) {
  ASSERT_THAT(bank().set_embedder(two), Succeeds());
  must_write({make_memory("a"), noise("b"), vector_memory("c", {1, 0})});
  const std::vector<MadeVector> made = {made_for(make_memory("a"), {1, 2}),
                                        made_for(noise("b"), {2, 1})};
  ASSERT_THAT(bank().give_vectors(two, made), HasValue(2));
  const auto before = all_memories();
  EXPECT_THAT(must_write({make_memory("a"), noise("b"), make_memory("c")}).memories,
              ElementsAre(WriteAction::identical, WriteAction::identical, WriteAction::conflict));
  EXPECT_EQ(all_memories(), before);
  Memory other = noise("b");
  other.network = "world";
  EXPECT_THAT(must_write({other}).memories, ElementsAre(WriteAction::conflict));
  EXPECT_THAT(must_write({make_memory("a")}, OnConflict::replace).memories,
              ElementsAre(WriteAction::replaced));
  EXPECT_THAT(all_memories()[0].embedding, IsEmpty());
}

}  // namespace
}  // namespace bb5
