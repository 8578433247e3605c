#include <algorithm>
#include <random>

#include "tests/contract/bank_contract.hpp"
#include "tests/support/model_projection.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

EntityMerge merge(const std::string& from, const std::string& into, const std::string& name = {}) {
  return {.from_key = from,
          .into_key = into,
          .name = name,
          .reason = "a test says so",
          .at = *parse_time("2026-02-04T01:02:03.000004")};
}

Result<> record(Bank& bank, const EntityMerge& merge) {
  return bank.merge_entities(std::span(&merge, 1));
}

/// All pending changes applied, as the relay does.
void drain(Bank& bank, ModelProjection& projection) {
  while (true) {
    const auto changes = *bank.pending_changes(7);
    if (changes.empty()) return;
    ASSERT_THAT(projection.apply(changes), Succeeds());
    ASSERT_THAT(bank.mark_applied(changes), Succeeds());
  }
}

/// The projection holds exactly the bank's rows, revisions included.
void expect_projected(Bank& bank, ModelProjection& projection) {
  drain(bank, projection);
  EXPECT_EQ(*projection.entities({}, 1'000'000), *bank.entities({}, 1'000'000));
  EXPECT_EQ(*projection.relationships({}, 1'000'000), *bank.relationships({}, 1'000'000));
  EXPECT_EQ(*projection.mentions({}, 1'000'000), *bank.mentions({}, 1'000'000));
}

TEST_P(BankContract, AMergeFoldsOneEntityIntoAnotherAndTheSplitUndoesIt) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Jon Smith","John Smith"]})"),
              with_metadata(make_memory("n"), R"({"entities":["jon smith"]})")});
  must_write_facts({make_entity("John Smith", "person", 2), make_entity("Jon Smith", "human", 5),
                    make_entity("Acme", "company")},
                   {make_relationship("Jon Smith", "runs", "Acme"),
                    make_relationship("John Smith", "runs", "Acme"),
                    make_relationship("Acme", "pays", "Jon Smith")});
  ModelProjection projection;
  expect_projected(bank(), projection);
  const auto before = stored_graph();
  ASSERT_THAT(record(bank(), merge("human:jon smith", "person:john smith", "Jon Smith")),
              Succeeds());
  const auto merged = stored_graph();
  EXPECT_EQ(merged, expected_graph());
  ASSERT_THAT(merged.entities, SizeIs(2));
  const Entity& john = merged.entities.at("person:john smith");
  EXPECT_EQ(john.name, "John Smith");
  EXPECT_EQ(john.type, "person");
  EXPECT_EQ(john.mention_count, 7);
  EXPECT_THAT(john.aliases, ElementsAre("Jon Smith"));
  EXPECT_THAT(john.names, ElementsAre("jon smith"));
  EXPECT_THAT(merged.relationships, SizeIs(2));
  EXPECT_THAT(merged.mentions, SizeIs(2));
  EXPECT_EQ((*bank().entity_named("JON SMITH"))->key, "person:john smith");
  EXPECT_THAT(bank().neighbours("person:john smith", 10), HasValue(SizeIs(2)));
  expect_projected(bank(), projection);
  EXPECT_EQ((*projection.entity_named("JON SMITH"))->key, "person:john smith");

  EXPECT_THAT(bank().split_entity("human:jon smith"), HasValue(true));
  EXPECT_EQ(stored_graph(), before);
  EXPECT_THAT(bank().merges(), HasValue(IsEmpty()));
  expect_projected(bank(), projection);
  EXPECT_THAT(bank().split_entity("human:jon smith"), HasValue(false));
}

TEST_P(BankContract, KeepsMergesAsGivenInOrderOfTheirKeys) {
  const EntityMerge first = merge("a:b", "a:c", "B \u00C4");
  const EntityMerge second = merge(alias_key("K8s"), "technology:kubernetes", "K8s");
  const EntityMerge both[] = {first, second};
  ASSERT_THAT(bank().merge_entities(both), Succeeds());
  EXPECT_THAT(bank().merges(), HasValue(ElementsAre(second, first)));
  EntityMerge again = first;
  again.reason = "another reason";
  ASSERT_THAT(record(bank(), again), Succeeds());
  EXPECT_THAT(bank().merges(), HasValue(ElementsAre(second, first)));
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, AnAliasLeadsToItsEntityBeforeAndAfterFactsBearIt) {
  must_write_facts({make_entity("Kubernetes", "technology", 2)});
  ASSERT_THAT(record(bank(), merge(alias_key("K8s"), "technology:kubernetes", "K8s")), Succeeds());
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(stored_graph().entities.at("technology:kubernetes").aliases, ElementsAre("K8s"));
  EXPECT_EQ((*bank().entity_named("k8s"))->name, "Kubernetes");
  must_write({with_metadata(make_memory("m"), R"({"entities":["K8S"]})")});
  must_write_facts({}, {make_relationship("RALF", "uses", "k8s")});
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().mentions.begin()->entity_key, "technology:kubernetes");
  EXPECT_FALSE(stored_graph().entities.contains("unknown:k8s"));
  must_write_facts({make_entity("k8s", "concept", 7)});
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  EXPECT_EQ(graph.entities.at("technology:kubernetes").mention_count, 9);
  EXPECT_EQ(graph.entities.at("technology:kubernetes").name, "Kubernetes");
  EXPECT_FALSE(graph.entities.contains("concept:k8s"));
  EXPECT_THAT(bank().split_entity(alias_key("k8s")), HasValue(true));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().entities.at("concept:k8s").mention_count, 7);
}

TEST_P(BankContract, FollowsChainsOfMergesAndRefusesCircles) {
  must_write_facts({make_entity("a", "t", 1), make_entity("b", "t", 2), make_entity("c", "t", 4)},
                   {make_relationship("a", "uses", "b"), make_relationship("b", "uses", "c")});
  const EntityMerge chain[] = {merge("t:a", "t:b", "a"), merge("t:b", "t:c", "b")};
  ASSERT_THAT(bank().merge_entities(chain), Succeeds());
  EXPECT_EQ(stored_graph(), expected_graph());
  ASSERT_THAT(stored_graph().entities, SizeIs(1));
  EXPECT_EQ(stored_graph().entities.at("t:c").mention_count, 7);
  EXPECT_THAT(stored_graph().relationships, SizeIs(1));
  const auto before = stored_graph();
  EXPECT_THAT(record(bank(), merge("t:c", "t:a")), FailsWith(Errc::conflict));
  EXPECT_THAT(record(bank(), merge("t:a", "t:z")), FailsWith(Errc::conflict));
  EXPECT_THAT(record(bank(), merge("t:z", "t:z")), FailsWith(Errc::invalid_argument));
  const EntityMerge one_bad[] = {merge("t:y", "t:x"), merge("t:c", "t:a")};
  EXPECT_THAT(bank().merge_entities(one_bad), FailsWith(Errc::conflict));
  EXPECT_THAT(bank().merges(), HasValue(SizeIs(2)));
  EXPECT_EQ(stored_graph(), before);
  EXPECT_THAT(bank().split_entity("t:b"), HasValue(true));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().entities.at("t:b").mention_count, 3);
}

TEST_P(BankContract, AnotherEntityOfTheMergedNameStays) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Mercury"]})")});
  must_write_facts({make_entity("Mercury", "technology", 50), make_entity("Mercury", "person", 2),
                    make_entity("Freddie Mercury", "person", 10)});
  ASSERT_THAT(record(bank(), merge("person:mercury", "person:freddie mercury", "Mercury")),
              Succeeds());
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  EXPECT_EQ(graph.entities.at("technology:mercury").mention_count, 50);
  EXPECT_EQ(graph.entities.at("person:freddie mercury").mention_count, 12);
  EXPECT_EQ(graph.mentions.begin()->entity_key, "technology:mercury");
}

TEST_P(BankContract, MergedPlaceholdersAreOnePlaceholder) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Disc","disk"]})"),
              with_metadata(make_memory("n"), R"({"entities":["disc"]})")});
  must_write_facts({}, {make_relationship("Redis", "uses", "Disk")});
  ASSERT_THAT(record(bank(), merge("unknown:disc", "unknown:disk", "Disc")), Succeeds());
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  EXPECT_EQ(graph.entities.at("unknown:disk").mention_count, 2);
  EXPECT_TRUE(graph.entities.at("unknown:disk").placeholder);
  EXPECT_EQ(graph.entities.at("unknown:disk").name, "Disk");
  EXPECT_THAT(graph.entities.at("unknown:disk").aliases, ElementsAre("Disc"));
  must_write_facts({make_entity("Disk", "hardware")});
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, AMergeIsPartOfABulkLoadsFold) {
  must_write_facts({make_entity("a", "t")});
  ASSERT_THAT(record(bank(), merge("t:b", "t:a", "b")), Succeeds());
  const std::vector<EntityFact> facts = {make_entity("b", "t", 3)};
  const std::vector<RelationshipFact> edges = {make_relationship("b", "uses", "c")};
  ASSERT_THAT(bank().write({.entity_facts = facts, .relationship_facts = edges, .fold = false}),
              Succeeds());
  ASSERT_THAT(record(bank(), merge("unknown:c", "t:a", "c")), Succeeds());
  ASSERT_THAT(bank().fold_graph(), Succeeds());
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().entities.at("t:a").mention_count, 4);
  EXPECT_THAT(bank().check(true), HasValue(IsEmpty()));
}

TEST_P(BankContract, AnyHistoryOfWritesMergesAndSplitsFoldsToTheSameAndReachesTheProjection) {
  const auto seed = test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> names = {"Redis", "redis", "Lua", "Disk", "Disc", "K8s", "a", "b"};
  const std::vector<std::string> types = {"technology", "person", "concept"};
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  const auto key = [&]() -> std::string {
    return entity_key(pick(names), random() % 4 == 0 ? "unknown" : pick(types));
  };
  ModelProjection projection;
  std::vector<MemoryId> held;
  for (int round = 0; round < 80; ++round) {
    std::vector<Memory> memories;
    std::vector<EntityFact> entities;
    std::vector<RelationshipFact> edges;
    switch (random() % 8) {
      case 0:
        memories.push_back(
            with_metadata(make_memory("m" + std::to_string(random() % 9)),
                          R"({"entities":[")" + pick(names) + R"(",")" + pick(names) + "\"]}"));
        break;
      case 1: {
        entities.push_back(
            make_entity(pick(names), pick(types), static_cast<std::int64_t>(random() % 4)));
        if (random() % 2 == 0) entities.back().memory = memory_id_of("\"m1\"");
        break;
      }
      case 2: {
        edges.push_back(make_relationship(pick(names), "uses", pick(names)));
        edges.back().confidence = static_cast<double>(random() % 4) / 4;
        if (random() % 2 == 0) edges.back().memory = memory_id_of("\"m2\"");
        break;
      }
      case 3:
        if (!held.empty()) {
          ASSERT_THAT(bank().erase(pick(held)), Succeeds());
        }
        break;
      case 4:
      case 5: {
        const std::string name = pick(names);
        const EntityMerge added = merge(random() % 3 == 0 ? alias_key(name) : key(), key(), name);
        const auto before = stored_graph();
        const auto known = *bank().merges();
        const auto result = record(bank(), added);
        if (!result) {
          ASSERT_TRUE(result.error().code == Errc::conflict ||
                      result.error().code == Errc::invalid_argument)
              << result.error().message;
          ASSERT_EQ(stored_graph(), before);
        } else if (random() % 3 == 0 && bank().merges()->size() > known.size()) {
          ASSERT_EQ(stored_graph(), expected_graph()) << "round " << round;
          ASSERT_THAT(bank().split_entity(added.from_key), HasValue(true));
          auto after = stored_graph();
          ASSERT_EQ(after, before) << "round " << round;
        }
        break;
      }
      case 6: {
        const auto merges = *bank().merges();
        if (!merges.empty()) {
          const auto split = bank().split_entity(pick(merges).from_key);
          ASSERT_TRUE(split || split.error().code == Errc::conflict);
        }
        break;
      }
      default:
        ASSERT_THAT(bank().fold_graph(), Succeeds());
    }
    ASSERT_THAT(bank().write({.memories = memories,
                              .entity_facts = entities,
                              .relationship_facts = edges,
                              .on_conflict = OnConflict::replace}),
                Succeeds());
    for (const Memory& written : memories) held.push_back(written.id);
    ASSERT_EQ(stored_graph(), expected_graph()) << "round " << round;
    if (random() % 4 == 0) expect_projected(bank(), projection);
    if (HasFailure()) return;
  }
  drain(bank(), projection);
  ASSERT_THAT(bank().fold_graph(), Succeeds());
  EXPECT_THAT(bank().pending_changes(10), HasValue(IsEmpty()));
  expect_projected(bank(), projection);
}

}  // namespace
}  // namespace bb5
