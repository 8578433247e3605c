#include "operations/graph/resolve.hpp"

#include <algorithm>
#include <random>

#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<EntityMerge> merged(Bank& bank, LookBounds bounds = {}) {
  const auto look = resolve_changed(bank, now(), bounds);
  EXPECT_THAT(look, Succeeds());
  return look ? look->merged : std::vector<EntityMerge>{};
}

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
  EXPECT_THAT(merged(*bank_), IsEmpty());
  EXPECT_THAT(bank_->merges(), HasValue(IsEmpty()));
}

TEST_F(Resolve, AlsoWhatWouldJoinThemOverAnother) {
  const EntityFact third = make_entity("Node-JS", "technology", 1);
  ASSERT_THAT(bank_->write({.entity_facts = {&third, 1}}), Succeeds());
  const KeptApart pair = *kept_apart("technology:nodejs", "technology:node.js", "", now());
  ASSERT_THAT(bank_->keep_apart(std::span(&pair, 1)), Succeeds());
  ASSERT_THAT(merged(*bank_), SizeIs(1));
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
  EXPECT_THAT(merged(*bank_), IsEmpty());
  write(*bank_, "Re-dis");
  const auto merges = merged(*bank_);
  ASSERT_THAT(merges, SizeIs(1));
  EXPECT_EQ(merges.front().from_key, "technology:re-dis");
  EXPECT_EQ(merges.front().into_key, "technology:redis");
  EXPECT_EQ(merges.front().reason, "resolver: spelling");
  EXPECT_THAT(merged(*bank_), IsEmpty());
  EXPECT_THAT(bank_->merges(), HasValue(SizeIs(1)));
  EXPECT_EQ(bank_->resolved_mark()->up_to, bank_->resolved_mark()->latest);
}

TEST_F(ResolveChanged, MergesAlsoThoseThatNoFactBears) {
  Memory memory = make_memory("m");
  memory.entities = {"Node.js"};
  ASSERT_THAT(bank_->write({.memories = {&memory, 1}}), Succeeds());
  ASSERT_THAT(merged(*bank_), IsEmpty());
  write(*bank_, "NodeJS");
  ASSERT_THAT(merged(*bank_), SizeIs(1));
  EXPECT_THAT(keys(*bank_), ElementsAre("technology:nodejs"));
}

TEST_F(ResolveChanged, LooksAtNoMoreThanARunBroughtWhereMuchWaits) {
  for (const char* name : {"Node.js", "NodeJS", "Redis", "Kubernetes"}) write(*bank_, name);
  const LookBounds bounds{.at_most = 3, .brought_after = bank_->resolved_mark()->latest};
  write(*bank_, "Re-dis");
  const auto look = resolve_changed(*bank_, now(), bounds);
  ASSERT_THAT(look, Succeeds());
  ASSERT_THAT(look->merged, SizeIs(1));
  EXPECT_EQ(name_of_key(look->merged[0].from_key), "redis");
  EXPECT_EQ(look->waiting, 4);
  EXPECT_EQ(bank_->resolved_mark()->up_to, 0) << "the others wait";
  // A later run that may look at more, or a person, does the rest.
  const auto rest = resolve_changed(*bank_, now(), {.at_most = 100});
  ASSERT_THAT(rest, Succeeds());
  ASSERT_THAT(rest->merged, SizeIs(1));
  EXPECT_EQ(rest->waiting, 0);
  EXPECT_GT(bank_->resolved_mark()->up_to, bounds.brought_after);
}

TEST_F(ResolveChanged, LooksAtAllThatARunBroughtHoweverMuch) {
  for (const char* name : {"Node.js", "NodeJS", "Redis", "Re-dis"}) write(*bank_, name);
  const auto look = resolve_changed(*bank_, now(), {.at_most = 1});
  ASSERT_THAT(look, Succeeds());
  EXPECT_THAT(look->merged, SizeIs(2));
  EXPECT_EQ(look->waiting, 0);
}

/// Names that are one in groups, written at once, one by one and in any order.
TEST_F(ResolveChanged, ItDoesNotMatterInHowManyRunsAndInWhatOrderTheyCame) {
  std::vector<std::pair<std::string, std::int64_t>> names;
  for (int i = 0; i < 40; ++i) {
    const std::string word{static_cast<char>('a' + i % 10), static_cast<char>('p' + i / 10)};
    names.emplace_back("Server" + word + " Engine", 100 + i);
    names.emplace_back("server" + word + "-engine", 50 + i);
    names.emplace_back("Server" + word + "Engine database", i + 1);
    names.emplace_back("Other" + word + " " + std::to_string(i), 3);
  }
  for (const auto& [name, mentions] : names) write(*bank_, name, mentions);
  ASSERT_THAT(merged(*bank_), SizeIs(80));
  std::mt19937 random(7);
  for (const std::size_t run : {1U, 7U, 50U}) {
    std::shuffle(names.begin(), names.end(), random);
    const auto other = new_in_memory_bank();
    for (std::size_t i = 0; i < names.size(); ++i) {
      write(*other, names[i].first, names[i].second);
      if (i % run == 0) merged(*other);
    }
    merged(*other);
    const EntityMerges ours(*bank_->merges());
    const EntityMerges theirs(*other->merges());
    for (const auto& [name, mentions] : names) {
      for (const auto& [second, other_mentions] : names) {
        const auto one = [&](const EntityMerges& merges) {
          return merges.root(entity_key(name, "technology")) ==
                 merges.root(entity_key(second, "technology"));
        };
        ASSERT_EQ(one(ours), one(theirs)) << name << " / " << second << ", run of " << run;
      }
    }
  }
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
  const auto merges = merged(*bank_);
  ASSERT_THAT(merges, testing::Not(IsEmpty()));
  // The other was killed before the merges; a run that writes nothing finds them.
  EXPECT_EQ(resolve_changed(*other, merges.front().at)->merged, merges);
  EXPECT_EQ(*bank_->merges(), *other->merges());
  EXPECT_EQ(keys(*bank_), keys(*other));
  EXPECT_THAT(look_at_all(*bank_)->merges(now()), IsEmpty()) << "nothing sure is left";
}

}  // namespace
}  // namespace bb5
