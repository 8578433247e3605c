#include "operations/graph/resolve.hpp"

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
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

TEST_F(Resolve, LeavesOutWhatIsKeptApart) {
  EXPECT_THAT(look_at_all(*bank_)->pairs, SizeIs(1));
  const KeptApart pair = *kept_apart("technology:nodejs", "technology:node.js", "", now());
  ASSERT_THAT(bank_->keep_apart(std::span(&pair, 1)), Succeeds());
  EXPECT_THAT(look_at_all(*bank_)->pairs, IsEmpty());
  EXPECT_THAT(resolve_changed(*bank_, now()), HasValue(IsEmpty()));
  EXPECT_THAT(bank_->merges(), HasValue(IsEmpty()));
}

TEST_F(Resolve, AlsoWhatWouldJoinThemOverAnother) {
  const EntityFact third = make_entity("Node-JS", "technology", 1);
  ASSERT_THAT(bank_->write({.entity_facts = {&third, 1}}), Succeeds());
  const KeptApart pair = *kept_apart("technology:nodejs", "technology:node.js", "", now());
  ASSERT_THAT(bank_->keep_apart(std::span(&pair, 1)), Succeeds());
  ASSERT_THAT(resolve_changed(*bank_, now()), HasValue(SizeIs(1)));
  const EntityMerges merges(*bank_->merges());
  EXPECT_NE(merges.root("technology:nodejs"), merges.root("technology:node.js"));
  EXPECT_THAT(look_at_all(*bank_)->pairs, IsEmpty());
}

/// What a bank says when some wrote, and the resolver ran between.
class ResolveChanged : public testing::Test {
 protected:
  static void write(Bank& bank, const std::string& name, std::int64_t mentions = 1,
                    const std::string& type = "technology") {
    const EntityFact fact = make_entity(name, type, mentions);
    ASSERT_THAT(bank.write({.entity_facts = {&fact, 1}}), Succeeds());
  }
  static std::vector<std::string> keys(const Bank& bank) {
    std::vector<std::string> keys;
    for (const Entity& entity : *all_entities(bank)) keys.push_back(entity.key);
    return keys;
  }
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
};

TEST_F(ResolveChanged, LooksOnlyAtWhatChangedSince) {
  write(*bank_, "Node.js", 3);
  write(*bank_, "NodeJS");
  // Somebody has looked at these two, and merged nothing.
  ASSERT_THAT(bank_->merge_resolved({}, bank_->resolved_mark()->latest), Succeeds());
  write(*bank_, "Redis", 2);
  EXPECT_THAT(resolve_changed(*bank_, now()), HasValue(IsEmpty()));
  write(*bank_, "Re-dis");
  const auto merges = resolve_changed(*bank_, now());
  ASSERT_THAT(merges, HasValue(SizeIs(1)));
  EXPECT_EQ(merges->front().from_key, "technology:re-dis");
  EXPECT_EQ(merges->front().into_key, "technology:redis");
  EXPECT_EQ(merges->front().reason, "resolver: spelling");
  EXPECT_THAT(resolve_changed(*bank_, now()), HasValue(IsEmpty()));
  EXPECT_THAT(bank_->merges(), HasValue(SizeIs(1)));
  EXPECT_EQ(bank_->resolved_mark()->up_to, bank_->resolved_mark()->latest);
}

TEST_F(ResolveChanged, MergesAlsoThoseThatNoFactBears) {
  Memory memory = make_memory("m");
  memory.entities = {"Node.js"};
  ASSERT_THAT(bank_->write({.memories = {&memory, 1}}), Succeeds());
  ASSERT_THAT(resolve_changed(*bank_, now()), HasValue(IsEmpty()));
  write(*bank_, "NodeJS");
  ASSERT_THAT(resolve_changed(*bank_, now()), HasValue(SizeIs(1)));
  EXPECT_THAT(keys(*bank_), ElementsAre("technology:nodejs"));
}

TEST_F(ResolveChanged, OfAKilledRunIsDoneByTheNextOne) {
  const std::vector<std::string> names = {"Acme Inc.",   "Node.js", "ACME",  "NodeJS",
                                          "node-js",     "Redis",   "redis", "PostgreSQL",
                                          "Postgres 16", "postgres"};
  const auto other = new_in_memory_bank();
  for (const std::string& name : names) {
    write(*bank_, name, 1, name.starts_with("A") ? "organization" : "technology");
    write(*other, name, 1, name.starts_with("A") ? "organization" : "technology");
  }
  const auto merges = resolve_changed(*bank_, now());
  ASSERT_THAT(merges, HasValue(testing::Not(IsEmpty())));
  // The other was killed before the merges; a run that writes nothing finds them.
  EXPECT_THAT(resolve_changed(*other, merges->front().at), HasValue(*merges));
  EXPECT_EQ(*bank_->merges(), *other->merges());
  EXPECT_EQ(keys(*bank_), keys(*other));
  EXPECT_THAT(look_at_all(*bank_)->merges(now()), IsEmpty()) << "nothing sure is left";
}

}  // namespace
}  // namespace bb5
