#include <functional>
#include <limits>
#include <map>
#include <random>

#include "tests/contract/bank_contract.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

EntityFact seen(EntityFact fact, const char* time) {
  fact.first_seen = parse_time(time);
  return fact;
}

RelationshipFact sure(RelationshipFact fact, double confidence) {
  fact.confidence = confidence;
  return fact;
}

TEST_P(BankContract, KeepsFactsAsGiven) {
  EntityFact entity = make_entity(" Redis ", "Technology", 3);
  entity.first_seen = parse_time("2026-02-04T01:02:03.000004");
  entity.last_seen = parse_time("2026-02-05");
  entity.aliases = {"redis-server", ""};
  entity.raw = R"({"name": "Redis\ud800"})";
  RelationshipFact edge = make_relationship("RALF", "works on", "bb5");
  edge.confidence = 0.1;
  edge.observation_count = 4;
  edge.first_observed = parse_time("2026-02-04");
  edge.last_observed = parse_time("2026-02-06");
  edge.raw = "{}";
  must_write_facts({entity}, {edge});
  auto entities = *bank().entity_facts(0, 10);
  auto edges = *bank().relationship_facts(0, 10);
  ASSERT_THAT(entities, SizeIs(1));
  ASSERT_THAT(edges, SizeIs(1));
  EXPECT_GT(entities[0].seq, 0);
  entities[0].seq = 0;
  edges[0].seq = 0;
  EXPECT_EQ(entities[0], entity);
  EXPECT_EQ(edges[0], edge);
  const FactId ids[] = {entity.id, FactId{Uuid::random()}};
  EXPECT_THAT(*bank().get_entity_facts(ids), SizeIs(1));
  const FactId edge_ids[] = {edge.id};
  EXPECT_THAT(*bank().get_relationship_facts(edge_ids), SizeIs(1));
}

TEST_P(BankContract, CountsThatNoNumberHoldsStayAtTheLargest) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  EntityFact entity = make_entity("Redis");
  entity.mentions = largest;
  EntityFact other = make_entity("redis");
  other.mentions = largest;
  RelationshipFact edge = make_relationship("a", "uses", "b");
  edge.observation_count = largest;
  RelationshipFact again = make_relationship("a", "uses", "b");
  again.observation_count = largest;
  must_write_facts({entity, other}, {edge, again});
  EXPECT_EQ((*bank().entity_named("redis"))->mention_count, largest);
  EXPECT_EQ(bank().relationships("", 10)->front().observation_count, largest);
}

TEST_P(BankContract, TheSameFactAgainIsIdentical) {
  const EntityFact entity = make_entity("Redis");
  const RelationshipFact edge = make_relationship("a", "uses", "b");
  must_write_facts({entity}, {edge});
  const auto before = *bank().stats();
  const auto outcome = must_write_facts({entity}, {edge});
  EXPECT_THAT(outcome.entity_facts, ElementsAre(WriteAction::identical));
  EXPECT_THAT(outcome.relationship_facts, ElementsAre(WriteAction::identical));
  EntityFact other = entity;
  other.mentions = 9;
  EXPECT_THAT(must_write_facts({other}).entity_facts, ElementsAre(WriteAction::conflict));
  EXPECT_EQ(stored_graph().entities.at("technology:redis").mention_count, 1);
}

TEST_P(BankContract, FoldsSpellingsOfOneEntityTogether) {
  must_write_facts({seen(make_entity("postgresql", "technology", 2), "2026-02-05"),
                    seen(make_entity("PostgreSQL", "Technology", 5), "2026-02-04"),
                    make_entity("PostgreSQL", "company", 1), make_entity("", "technology", 7)});
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  ASSERT_THAT(graph.entities, SizeIs(2));
  const Entity& entity = graph.entities.at("technology:postgresql");
  EXPECT_EQ(entity.name, "PostgreSQL");
  EXPECT_EQ(entity.type, "Technology");
  EXPECT_THAT(entity.aliases, ElementsAre("postgresql"));
  EXPECT_EQ(entity.mention_count, 7);
  EXPECT_EQ(entity.first_seen, parse_time("2026-02-04"));
  EXPECT_EQ(entity.last_seen, parse_time("2026-02-05"));
}

TEST_P(BankContract, EndpointsGoToTheMostMentionedEntityOrToAPlaceholder) {
  must_write_facts(
      {make_entity("Redis", "person", 1), make_entity("Redis", "technology", 4)},
      {sure(make_relationship("redis", "uses", "Disk"), 0.5),
       sure(make_relationship("Redis", "uses", "disk"), 0.75),
       make_relationship("", "uses", "Disk"), make_relationship("Redis", "uses", "Redis")});
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  ASSERT_THAT(graph.relationships, SizeIs(2));
  const Relationship& edge = graph.relationships.begin()->second;
  EXPECT_EQ(edge.subject_key, "technology:redis");
  EXPECT_EQ(edge.object_key, "technology:redis");
  const Relationship& disk = graph.relationships.rbegin()->second;
  EXPECT_EQ(disk.object_key, "unknown:disk");
  EXPECT_EQ(disk.confidence, 0.75);
  EXPECT_EQ(disk.observation_count, 2);
  EXPECT_TRUE(graph.entities.at("unknown:disk").placeholder);
  EXPECT_EQ(graph.entities.at("unknown:disk").name, "Disk");
}

// The separator of relationship keys, U+241F, in names and predicates.
TEST_P(BankContract, NoNameOrPredicateMakesTwoRelationshipsOne) {
  must_write_facts({make_entity("a", "t"), make_entity("a\u241Fp", "t"), make_entity("b", "t"),
                    make_entity("a\u241Ft:b", "t"), make_entity("c", "t")},
                   {sure(make_relationship("a\u241Fp", "q", "c"), 0.25),
                    sure(make_relationship("a", "p\u241Fq", "c"), 0.5),
                    sure(make_relationship("a", "t:b\u241Fq", "c"), 0.75),
                    sure(make_relationship("a\u241Ft:b", "q", "c"), 1)});
  EXPECT_THAT(stored_graph().relationships, SizeIs(4));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(bank().neighbours("t:c", 10), HasValue(SizeIs(4)));
  EXPECT_EQ((*bank().entity_named("A\u241FP"))->name, "a\u241Fp");
}

TEST_P(BankContract, APlaceholderGivesWayWhenTheEntityAppears) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Disk","disk"]})")});
  must_write_facts({}, {make_relationship("Redis", "uses", "Disk")});
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().entities.at("unknown:disk").mention_count, 1);
  must_write_facts({make_entity("Disk", "hardware")});
  const auto graph = stored_graph();
  EXPECT_EQ(graph, expected_graph());
  EXPECT_FALSE(graph.entities.contains("unknown:disk"));
  EXPECT_EQ(graph.mentions.begin()->entity_key, "hardware:disk");
}

TEST_P(BankContract, PseudoMemoriesAreFactsAndErasingThemTakesTheFactsAway) {
  must_write(
      {with_metadata(
           make_memory("e"),
           R"({"is_entity":true,"entity_name":"Redis","entity_type":"technology","mention_count":2})"),
       with_metadata(
           make_memory("r"),
           R"({"is_relationship":true,"subject":"RALF","predicate":"uses","object":"Redis","confidence":0.9})"),
       with_metadata(make_memory("m"), R"({"entities":["redis"]})")});
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(stored_graph().relationships.begin()->second.confidence, 0.9);
  EXPECT_THAT(stored_graph().mentions, SizeIs(1));
  ASSERT_THAT(bank().erase(memory_id_of("\"e\"")), HasValue(true));
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_TRUE(stored_graph().entities.at("unknown:redis").placeholder);
  ASSERT_THAT(bank().erase(memory_id_of("\"r\"")), HasValue(true));
  ASSERT_THAT(bank().erase(memory_id_of("\"m\"")), HasValue(true));
  EXPECT_EQ(stored_graph(), FoldedGraph{});
}

TEST_P(BankContract, ReplacingAMemoryReplacesItsFacts) {
  must_write({with_metadata(make_memory("e"),
                            R"({"is_entity":true,"entity_name":"Redis","mention_count":2})"),
              with_metadata(make_memory("m"), R"({"entities":["Redis"]})")});
  must_write({with_metadata(make_memory("e"),
                            R"({"is_entity":true,"entity_name":"Valkey","mention_count":5})"),
              with_metadata(make_memory("m"), R"({"entities":["Valkey","Lua"]})")},
             OnConflict::replace);
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(stored_graph().entities, SizeIs(2));
  EXPECT_EQ(stored_graph().entities.at("concept:valkey").mention_count, 5);
}

TEST_P(BankContract, FactsThatNameAMemoryGoWithItAndMayComeAgain) {
  const MemoryId memory = memory_id_of("\"m\"");
  EntityFact entity = make_entity("Redis");
  RelationshipFact edge = make_relationship("RALF", "uses", "Redis");
  entity.memory = edge.memory = memory;  // their ids are their own
  const FactId entity_ids[] = {entity.id};
  const FactId edge_ids[] = {edge.id};
  const auto forget = {
      std::function<void()>([&] { ASSERT_THAT(bank().erase(memory), HasValue(true)); }),
      std::function<void()>(
          [&] { must_write({make_memory("m", "another content")}, OnConflict::replace); })};
  for (const auto& step : forget) {
    must_write({make_memory("m")}, OnConflict::replace);
    const auto first = must_write_facts({entity}, {edge});
    EXPECT_THAT(first.entity_facts, ElementsAre(WriteAction::inserted));
    EXPECT_THAT(first.relationship_facts, ElementsAre(WriteAction::inserted));
    step();
    EXPECT_THAT(bank().get_entity_facts(entity_ids), HasValue(IsEmpty()));
    EXPECT_THAT(bank().get_relationship_facts(edge_ids), HasValue(IsEmpty()));
    EXPECT_EQ(stored_graph(), FoldedGraph{});
  }
}

TEST_P(BankContract, AnEntityFactAndARelationshipFactMayShareAnId) {
  const EntityFact entity = make_entity("Redis");
  RelationshipFact edge = make_relationship("RALF", "uses", "Redis");
  edge.id = entity.id;
  const auto outcome = must_write_facts({entity}, {edge});
  EXPECT_THAT(outcome.entity_facts, ElementsAre(WriteAction::inserted));
  EXPECT_THAT(outcome.relationship_facts, ElementsAre(WriteAction::inserted));
  EXPECT_THAT(must_write_facts({entity}, {edge}).relationship_facts,
              ElementsAre(WriteAction::identical));
  EXPECT_EQ(stored_graph(), expected_graph());
}

TEST_P(BankContract, ABulkLoadFoldsAtItsEnd) {
  const std::vector<EntityFact> facts = {make_entity("Redis")};
  ASSERT_THAT(bank().write({.entity_facts = facts, .fold = false}), Succeeds());
  ASSERT_THAT(bank().fold_graph(), Succeeds());
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_THAT(stored_graph().entities, SizeIs(1));
}

TEST_P(BankContract, RevisionsGrowOnlyWithChanges) {
  must_write_facts({make_entity("Redis"), make_entity("Lua")});
  const auto before = *bank().entities({}, 10);
  ASSERT_THAT(bank().fold_graph(), Succeeds());
  EXPECT_EQ(*bank().entities({}, 10), before);
  must_write_facts({make_entity("redis")});
  const auto after = *bank().entities({}, 10);
  EXPECT_EQ(after[0], before[0]);  // technology:lua
  EXPECT_GT(after[1].rev, before[1].rev);
}

TEST_P(BankContract, TheOutboxHoldsWhatChangedUntilItIsMarked) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Redis"]})")});
  must_write_facts({make_entity("Redis")}, {make_relationship("Redis", "uses", "Disk")});
  auto changes = *bank().pending_changes(100);
  std::size_t removed = 0;
  for (const GraphChange& change : changes) removed += change.removed ? 1 : 0;
  // two entities, an edge, a mention; the placeholder `unknown:redis` came and went, and its
  // mention
  EXPECT_EQ(changes.size() - removed, 4u);
  EXPECT_TRUE(std::is_sorted(changes.begin(), changes.end(),
                             [](const auto& a, const auto& b) { return a.kind < b.kind; }));
  ASSERT_THAT(bank().mark_applied(changes), Succeeds());
  EXPECT_THAT(bank().pending_changes(100), HasValue(IsEmpty()));

  must_write_facts({make_entity("Redis")});
  changes = *bank().pending_changes(100);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].entity.mention_count, 2);
  must_write_facts({make_entity("Redis")});  // changed again before the mark
  ASSERT_THAT(bank().mark_applied(changes), Succeeds());
  changes = *bank().pending_changes(100);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].entity.mention_count, 3);
}

TEST_P(BankContract, RemovalsAreInTheOutboxToo) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Redis"]})")});
  ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());
  ASSERT_THAT(bank().erase(memory_id_of("\"m\"")), HasValue(true));
  const auto changes = *bank().pending_changes(100);
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_TRUE(changes[0].removed);
  EXPECT_EQ(changes[0].entity.key, "unknown:redis");
  EXPECT_TRUE(changes[1].removed);
  EXPECT_EQ(changes[1].mention.entity_key, "unknown:redis");
}

/// The changes of mentions among those that are pending.
std::vector<GraphChange> pending_mentions(Bank& bank) {
  auto changes = *bank.pending_changes(1'000);
  std::erase_if(
      changes, [](const GraphChange& change) { return change.kind != GraphChange::Kind::mention; });
  return changes;
}

// A projection shows a memory's network beside its mentions: they once kept the old one for ever.
TEST_P(BankContract, AMemoryThatChangesItsNetworkIsProjectedAnew) {
  Memory memory = with_metadata(make_memory("m"), R"({"entities":["Lua","Redis"]})");
  must_write({memory, with_metadata(make_memory("other"), R"({"entities":["Redis"]})")});
  std::map<std::pair<MemoryId, std::string>, std::int64_t> revs;
  const auto first = *bank().mentions({}, 10);
  for (const Mention& mention : first) revs[{mention.memory, mention.entity_key}] = mention.rev;
  ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());

  memory.network = "opinion";
  must_write({memory}, OnConflict::replace);
  const auto changes = pending_mentions(bank());
  ASSERT_THAT(changes, SizeIs(2));
  for (const GraphChange& change : changes) {
    EXPECT_FALSE(change.removed);
    EXPECT_EQ(change.mention.memory, memory.id);
    EXPECT_EQ(change.mention_network, "opinion");
    EXPECT_EQ(change.rev, change.mention.rev);
  }
  const auto second = *bank().mentions({}, 10);
  ASSERT_THAT(second, SizeIs(3));
  for (const Mention& mention : second) {
    const std::int64_t before = revs.at({mention.memory, mention.entity_key});
    if (mention.memory == memory.id) {
      EXPECT_GT(mention.rev, before);
    } else {
      EXPECT_EQ(mention.rev, before);
    }
  }
  EXPECT_EQ(stored_graph(), expected_graph());

  ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());
  EXPECT_THAT(bank().pending_changes(100), HasValue(IsEmpty()));
  memory.content = "a projection does not show this";
  must_write({memory}, OnConflict::replace);
  EXPECT_THAT(bank().pending_changes(100), HasValue(IsEmpty()));
}

TEST_P(BankContract, ANewNetworkAndNewNamesAtOnceAreProjectedWithoutOrAfterAFold) {
  Memory memory = with_metadata(make_memory("m"), R"({"entities":["Lua","Redis"]})");
  must_write({memory});
  for (const bool fold : {true, false}) {
    ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());
    memory = with_metadata(
        memory, fold ? R"({"entities":["Redis","Disk"]})" : R"({"entities":["Redis","Lua"]})");
    memory.network = fold ? "opinion" : "world";
    const std::vector<Memory> batch = {memory};
    ASSERT_THAT(bank().write({.memories = batch, .on_conflict = OnConflict::replace, .fold = fold}),
                Succeeds());
    if (!fold) {
      ASSERT_THAT(bank().fold_graph(), Succeeds());
    }
    std::map<std::string, bool> removed;
    for (const GraphChange& change : pending_mentions(bank())) {
      removed[change.mention.entity_key] = change.removed;
      if (!change.removed) {
        EXPECT_EQ(change.mention_network, memory.network);
      }
    }
    const std::map<std::string, bool> expected = {
        {"unknown:redis", false}, {"unknown:disk", !fold}, {"unknown:lua", fold}};
    EXPECT_EQ(removed, expected) << (fold ? "folded with the write" : "folded later");
    EXPECT_EQ(stored_graph(), expected_graph());
  }
}

TEST_P(BankContract, RequeuesEverythingForARebuild) {
  must_write({with_metadata(make_memory("m"), R"({"entities":["Redis"]})")});
  must_write_facts({make_entity("Redis")}, {make_relationship("Redis", "uses", "Disk")});
  ASSERT_THAT(bank().mark_applied(*bank().pending_changes(100)), Succeeds());
  ASSERT_THAT(bank().requeue_all(), Succeeds());
  EXPECT_THAT(bank().pending_changes(100), HasValue(SizeIs(4)));
}

TEST_P(BankContract, WalksToNeighboursStrongestFirst) {
  must_write_facts(
      {make_entity("a", "t"), make_entity("b", "t"), make_entity("c", "t")},
      {sure(make_relationship("a", "uses", "b"), 0.5),
       sure(make_relationship("c", "part_of", "a"), 0.9), make_relationship("a", "uses", "a")});
  const auto found = *bank().neighbours("t:a", 10);
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_EQ(found[0].entity.key, "t:c");
  EXPECT_FALSE(found[0].outgoing);
  EXPECT_EQ(found[1].entity.key, "t:b");
  EXPECT_EQ(found[2].entity.key, "t:a");
  EXPECT_TRUE(found[2].outgoing);
  EXPECT_THAT(bank().neighbours("t:a", 2), HasValue(SizeIs(2)));
  EXPECT_THAT(bank().neighbours("t:none", 2), HasValue(IsEmpty()));
  EXPECT_EQ((*bank().entity_named(" A "))->key, "t:a");
  EXPECT_EQ(*bank().entity_named("none"), std::nullopt);
}

TEST_P(BankContract, GraphPagesAreInOrderOfBytes) {
  must_write_facts({make_entity("Ä", "t"), make_entity("z", "t"), make_entity("\U0001F600", "t"),
                    make_entity("\uFF5E", "t"), make_entity("a", "u")});
  std::vector<std::string> keys;
  std::string after;
  while (true) {
    const auto page = *bank().entities(after, 2);
    if (page.empty()) break;
    for (const Entity& entity : page) keys.push_back(entity.key);
    after = keys.back();
  }
  EXPECT_THAT(keys, SizeIs(5));
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_P(BankContract, AnyHistoryOfWritesFoldsToTheSameAsFoldingItsFacts) {
  std::mt19937_64 random(test_seed());
  const std::vector<std::string> names = {
      "Redis", "redis",      " REDIS",    "Lua",         "Disk", "",
      "Café",  "Cafe\u0301", "CAF\u00C9", "a\u241Fuses", "a"};
  const std::vector<std::string> types = {"technology", "Technology", "person", "", "a:b"};
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  const auto time = [&]() -> std::string {
    return "2026-02-" + std::to_string(10 + random() % 18);
  };
  std::vector<MemoryId> held;
  for (int round = 0; round < 60; ++round) {
    std::vector<Memory> memories;
    std::vector<EntityFact> entities;
    std::vector<RelationshipFact> edges;
    const std::string name = "m" + std::to_string(random() % 25);
    Memory memory = make_memory(name);
    memory.created_at = parse_time(time());
    switch (random() % 6) {
      case 0:
        memory = with_metadata(memory, R"({"is_entity":true,"entity_name":")" + pick(names) +
                                           R"(","entity_type":")" + pick(types) +
                                           R"(","mention_count":)" + std::to_string(random() % 4) +
                                           R"(,"first_seen":")" + time() + "\"}");
        memories.push_back(memory);
        break;
      case 1:
        memory =
            with_metadata(memory, R"({"is_relationship":true,"subject":")" + pick(names) +
                                      R"(","predicate":"uses","object":")" + pick(names) +
                                      R"(","confidence":0.)" + std::to_string(random() % 10) + "}");
        memories.push_back(memory);
        break;
      case 2:
        memories.push_back(with_metadata(
            memory, R"({"entities":[")" + pick(names) + R"(",")" + pick(names) + "\"]}"));
        break;
      case 3: {
        EntityFact fact =
            make_entity(pick(names), pick(types), static_cast<std::int64_t>(random() % 4));
        if (random() % 2 == 0) fact.first_seen = parse_time(time());
        if (random() % 2 == 0) fact.last_seen = parse_time(time());
        if (random() % 2 == 0) fact.aliases = {pick(names), "alias"};
        entities.push_back(fact);
        break;
      }
      case 4: {
        RelationshipFact fact =
            make_relationship(pick(names), random() % 2 == 0 ? "uses" : "Uses", pick(names));
        if (random() % 2 == 0) fact.confidence = 0.25;
        if (random() % 2 == 0) fact.first_observed = parse_time(time());
        if (random() % 2 == 0) fact.last_observed = parse_time(time());
        fact.observation_count = static_cast<std::int64_t>(1 + random() % 3);
        edges.push_back(fact);
        break;
      }
      default:
        if (!held.empty()) {
          ASSERT_THAT(bank().erase(pick(held)), Succeeds());
        }
    }
    ASSERT_THAT(bank().write({.memories = memories,
                              .entity_facts = entities,
                              .relationship_facts = edges,
                              .on_conflict = OnConflict::replace}),
                Succeeds());
    for (const Memory& written : memories) held.push_back(written.id);
    ASSERT_EQ(stored_graph(), expected_graph()) << "round " << round;
  }
  const auto before = *bank().stats();
  ASSERT_THAT(bank().fold_graph(), Succeeds());
  EXPECT_EQ(stored_graph(), expected_graph());
  EXPECT_EQ(bank().stats()->outbox_pending, before.outbox_pending);
}

}  // namespace
}  // namespace bb5
