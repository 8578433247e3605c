#include "operations/graph/resolve.hpp"

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::SizeIs;

class Resolve : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<EntityFact> facts = {
        make_entity("Redis", "technology", 3), make_entity("Redis", "company", 1),
        make_entity("Node.js", "technology", 2), make_entity("NodeJS", "technology", 1)};
    ASSERT_THAT(bank_->write({.entity_facts = facts}), Succeeds());
  }
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
};

TEST_F(Resolve, FindsAnEntityByItsKeyOrByItsName) {
  EXPECT_EQ(find_entity(*bank_, "company:redis")->key, "company:redis");
  EXPECT_EQ(find_entity(*bank_, " REDIS ")->key, "technology:redis");
  EXPECT_THAT(find_entity(*bank_, "company:nobody"), FailsWith(Errc::not_found));
  EXPECT_THAT(find_entity(*bank_, ""), FailsWith(Errc::not_found));
  EXPECT_THAT(find_entity(*bank_, ":"), FailsWith(Errc::not_found));
}

TEST_F(Resolve, RecordsWhatIsSureSoThatASplitUndoesIt) {
  const auto entities = all_entities(*bank_);
  ASSERT_THAT(entities, Succeeds());
  const auto merges = merges_of(EntityResolver(*entities).pairs(), now());
  ASSERT_THAT(merges, SizeIs(1));
  EXPECT_EQ(merges[0].from_key, "technology:nodejs");
  EXPECT_EQ(merges[0].reason, "resolver: spelling");
  ASSERT_THAT(bank_->merge_entities(merges), Succeeds());
  EXPECT_EQ(find_entity(*bank_, "nodejs")->key, "technology:node.js");
  EXPECT_THAT(EntityResolver(*all_entities(*bank_)).pairs(), SizeIs(0));
  ASSERT_THAT(bank_->split_entity("technology:nodejs"), HasValue(true));
  auto after = *all_entities(*bank_);
  ASSERT_THAT(after, SizeIs(entities->size()));
  for (std::size_t i = 0; i < after.size(); ++i) {
    after[i].rev = (*entities)[i].rev;  // a split is a change
    EXPECT_EQ(after[i], (*entities)[i]) << after[i].key;
  }
}

}  // namespace
}  // namespace bb5
