#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<std::string> names_of(const std::vector<Memory>& memories) {
  std::vector<std::string> names;
  for (const Memory& memory : memories) names.push_back(memory.legacy_id);
  return names;
}

StatementKey key_of(const std::string& name, std::int64_t key) {
  return {make_memory(name).id, key};
}

const std::int64_t least = std::numeric_limits<std::int64_t>::min();

TEST_P(BankContract, StatementsAreFoundByTheKeysTheyWereWrittenWith) {
  const std::vector<Memory> memories = {make_memory("a"), make_memory("b"), make_memory("c")};
  const std::vector<std::int64_t> keys = {7, least, 7};
  ASSERT_THAT(bank().write({.memories = memories, .statement_keys = keys}), Succeeds());
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{7, 8}),
              UnorderedElementsAre(key_of("a", 7), key_of("c", 7)));
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{least}),
              ElementsAre(key_of("b", least)));
  EXPECT_THAT(*bank().statements({}), IsEmpty());
  EXPECT_THAT(bank().missing_statements(10)->memories, IsEmpty());
}

TEST_P(BankContract, AStatementKeyTooFewWritesNothing) {
  const std::vector<Memory> memories = {make_memory("a"), make_memory("b")};
  const std::vector<std::int64_t> keys = {7};
  EXPECT_THAT(bank().write({.memories = memories, .statement_keys = keys}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(all_memories(), IsEmpty());
}

TEST_P(BankContract, StatementsThatCameByOtherWaysAreMissingUntilTheyAreIndexed) {
  must_write({make_memory("a"), make_memory("b"),
              with_metadata(make_memory("e"), R"({"is_entity":true,"entity_name":"Redis"})"),
              make_memory("c")});
  const std::vector<Memory> written = {make_memory("d")};
  const std::vector<std::int64_t> keys = {4};
  ASSERT_THAT(bank().write({.memories = written, .statement_keys = keys}), Succeeds());
  auto missing = bank().missing_statements(2);
  EXPECT_THAT(names_of(missing->memories), ElementsAre("a", "b"));
  EXPECT_EQ(missing->after, 0);
  EXPECT_EQ(missing->up_to, missing->memories.back().seq);
  const std::vector<StatementKey> first = {key_of("a", 1), key_of("b", 2), key_of("gone", 3)};
  ASSERT_THAT(bank().index_statements(first, missing->up_to), Succeeds());
  const std::int64_t after = missing->up_to;
  missing = bank().missing_statements(2);
  EXPECT_THAT(names_of(missing->memories), ElementsAre("c"));
  EXPECT_EQ(missing->after, after);
  EXPECT_EQ(missing->up_to, all_memories().back().seq);
  const std::vector<StatementKey> second = {key_of("c", 2)};
  ASSERT_THAT(bank().index_statements(second, missing->up_to), Succeeds());
  EXPECT_THAT(bank().missing_statements(2)->memories, IsEmpty());
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{1, 2, 3, 4}),
              UnorderedElementsAre(key_of("a", 1), key_of("b", 2), key_of("c", 2), key_of("d", 4)));
  ASSERT_THAT(bank().index_statements({}, 0), Succeeds());
  EXPECT_EQ(bank().missing_statements(2)->after, missing->up_to) << "it never goes back";
}

TEST_P(BankContract, AnErasedMemoryLeavesNoStatement) {
  const std::vector<Memory> memories = {make_memory("a"), make_memory("b")};
  const std::vector<std::int64_t> keys = {7, 7};
  ASSERT_THAT(bank().write({.memories = memories, .statement_keys = keys}), Succeeds());
  ASSERT_THAT(bank().erase(memories[0].id), HasValue(true));
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{7}), ElementsAre(key_of("b", 7)));
}

TEST_P(BankContract, AReplacedMemoryGetsItsNewKey) {
  std::vector<Memory> memories = {make_memory("a")};
  const std::vector<std::int64_t> before = {7};
  ASSERT_THAT(bank().write({.memories = memories, .statement_keys = before}), Succeeds());
  memories[0].content = "something else";
  const std::vector<std::int64_t> after = {8};
  ASSERT_THAT(
      bank().write(
          {.memories = memories, .on_conflict = OnConflict::replace, .statement_keys = after}),
      Succeeds());
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{7, 8}), ElementsAre(key_of("a", 8)));
}

TEST_P(BankContract, AMemoryThatStaysAsItIsKeepsItsKey) {
  const std::vector<Memory> memories = {make_memory("a")};
  const std::vector<std::int64_t> before = {7};
  ASSERT_THAT(bank().write({.memories = memories, .statement_keys = before}), Succeeds());
  const std::vector<std::int64_t> after = {8};
  ASSERT_THAT(bank().write({.memories = memories, .statement_keys = after}), Succeeds());
  EXPECT_THAT(*bank().statements(std::vector<std::int64_t>{7, 8}), SizeIs(1));
}

}  // namespace
}  // namespace bb5
