#include "model/entity_merges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/graph_fold.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

EntityMerge merge(const std::string& from, const std::string& into, const std::string& name = {}) {
  return {.from_key = from, .into_key = into, .name = name, .reason = "test"};
}

EntityMerges merges_of(std::vector<EntityMerge> merges) {
  return EntityMerges(merges);
}

TEST(EntityMerges, FollowsChainsToTheirEnd) {
  const auto merges = merges_of({merge("p:a", "p:b"), merge("p:b", "p:c")});
  EXPECT_EQ(merges.root("p:a"), "p:c");
  EXPECT_EQ(merges.root("p:b"), "p:c");
  EXPECT_EQ(merges.root("p:c"), "p:c");
  EXPECT_EQ(merges.root("q:a"), "q:a");
  EXPECT_THAT(merges.leading_to("p:c"), SizeIs(2));
  EXPECT_THAT(merges.leading_to("p:b"), SizeIs(0));
}

TEST(EntityMerges, AnAliasLeadsEveryTypeOfItsNameButNotWhatIsMergedElsewhere) {
  const auto merges = merges_of({merge(alias_key(" K8S"), "t:kubernetes"),
                                 merge("x:k8s", "x:other"), merge(alias_key("pg"), "t:pg")});
  EXPECT_EQ(merges.root("t:k8s"), "t:kubernetes");
  EXPECT_EQ(merges.root("concept:k8s"), "t:kubernetes");
  EXPECT_EQ(merges.root("x:k8s"), "x:other");
  EXPECT_EQ(merges.root_of_bare("k8s"), "t:kubernetes");
  EXPECT_EQ(merges.root("concept:pg"), "t:pg");
  EXPECT_EQ(merges.root("t:pg"), "t:pg");
  EXPECT_EQ(merges.root_of_bare("new"), "unknown:new");
}

TEST(EntityMerges, ABareNameMeansTheEntityThatOthersWereMergedInto) {
  const auto merges = merges_of({merge("unknown:jon", "person:john")});
  EXPECT_EQ(merges.root_of_bare("jon"), "person:john");
  EXPECT_EQ(merges.root_of_bare("john"), "person:john");
}

TEST(EntityMerges, GroupsTheNamesThatFoldTogether) {
  const auto merges = merges_of(
      {merge("p:a", "p:b"), merge("q:c", "p:b"), merge(":x", "p:y"), merge("p:y", "p:z")});
  EXPECT_EQ(merges.group_of("a"), merges.group_of("c"));
  EXPECT_EQ(merges.group_of("x"), merges.group_of("z"));
  EXPECT_NE(merges.group_of("a"), merges.group_of("x"));
  EXPECT_EQ(merges.group_of("other"), std::nullopt);
  EXPECT_THAT(names_touched(merges, EntityMerges()), ElementsAre("a", "b", "c", "x", "y", "z"));
  const auto fewer = merges_of({merge("p:a", "p:b"), merge("q:c", "p:b"), merge("p:y", "p:z")});
  EXPECT_THAT(names_touched(merges, fewer), ElementsAre("x", "y", "z"));
}

TEST(EntityMerges, RefusesCirclesAndWhatIsNoEntity) {
  const auto fails = [](std::vector<EntityMerge> held, const EntityMerge& more) {
    const EntityMerge all[] = {more};
    const auto result = with_merges(EntityMerges(held), all);
    return result ? std::string{} : std::string(name_of(result.error().code));
  };
  EXPECT_EQ(fails({merge("p:a", "p:b"), merge("p:b", "p:c")}, merge("p:c", "p:a")), "conflict");
  EXPECT_EQ(fails({merge("p:a", "p:b")}, merge(":b", "p:a")), "conflict");
  EXPECT_EQ(fails({}, merge("p:a", "p:a")), "invalid_argument");
  EXPECT_EQ(fails({}, merge("a", "p:a")), "invalid_argument");
  EXPECT_EQ(fails({}, merge("p:a", ":a")), "invalid_argument");
  EXPECT_EQ(fails({}, merge(":", "p:a")), "invalid_argument");
  EXPECT_EQ(fails({merge("p:a", "p:b")}, merge("p:a", "p:c")), "conflict");
  EXPECT_EQ(fails({merge("p:a", "p:b")}, merge("p:a", "p:b")), "");
  EXPECT_EQ(fails({merge("p:a", "p:b")}, merge(":a", "p:a")), "");
  const auto circle =
      with_merges(EntityMerges(std::vector{merge("p:a", "p:b")}), std::vector{merge("p:b", "p:a")});
  ASSERT_FALSE(circle);
  EXPECT_THAT(circle.error().message, HasSubstr("`p:b` into `p:a`"));
  EXPECT_FALSE(circle.error().remedy.empty());
}

// Without the exact record the alias would lead `a:n` back to where it came from.
TEST(EntityMerges, RefusesASplitThatWouldCloseACircle) {
  const auto held = merges_of({merge("a:n", "x:end"), merge(":n", "y:m"), merge("y:m", "a:n")});
  ASSERT_THAT(held.check(), Succeeds());
  EXPECT_THAT(without_merge(held, "a:n"), FailsWith(Errc::conflict));
  EXPECT_EQ(without_merge(held, "none")->has_value(), false);
  EXPECT_THAT(**without_merge(held, "y:m"), SizeIs(2));
}

TEST(MergedFold, TheTargetKeepsNameAndTypeAndTheOtherBecomesAnAlias) {
  std::vector<EntityFact> facts(3);
  facts[0] = {.name = "John Smith", .type = "person", .mentions = 1};
  facts[1] = {.name = "Jon Smith", .type = "Human", .mentions = 9};
  facts[2] = {.name = "Acme", .type = "company"};
  std::vector<RelationshipFact> edges(2);
  edges[0] = {
      .seq = 1, .subject = "jon smith", .predicate = "runs", .object = "Acme", .confidence = 0.5};
  edges[1] = {
      .seq = 2, .subject = "John Smith", .predicate = "runs", .object = "Acme", .confidence = 0.25};
  const MemoryMentions mention{.memory = memory_id_of("\"m\""),
                               .names = {"Jon Smith", "John Smith"}};
  const auto graph = fold(facts, edges, std::span(&mention, 1),
                          merges_of({merge("human:jon smith", "person:john smith", "Jon Smith")}));
  ASSERT_THAT(graph.entities, SizeIs(2));
  const Entity& john = graph.entities.at("person:john smith");
  EXPECT_EQ(john.name, "John Smith");
  EXPECT_EQ(john.type, "person");
  EXPECT_EQ(john.mention_count, 10);
  EXPECT_THAT(john.aliases, ElementsAre("Jon Smith"));
  EXPECT_THAT(john.names, ElementsAre("jon smith"));
  ASSERT_THAT(graph.relationships, SizeIs(1));
  EXPECT_EQ(graph.relationships.begin()->second.observation_count, 2);
  EXPECT_EQ(graph.relationships.begin()->second.confidence, 0.25);
  EXPECT_THAT(graph.mentions, SizeIs(1));
  EXPECT_EQ(graph.meanings.at("jon smith"), "person:john smith");
}

}  // namespace
}  // namespace bb5
