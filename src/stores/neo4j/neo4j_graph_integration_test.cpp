// Against a real server: BB5_TEST_NEO4J (a graph URL) and NEO4J_PASSWORD, as
// `scripts/services start` prints them.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include <unistd.h>

#include "base/environment.hpp"
#include "base/utf8.hpp"
#include "http/http_client.hpp"
#include "operations/graph/compare.hpp"
#include "operations/graph/graph_test_tools.hpp"
#include "operations/graph/relay.hpp"
#include "stores/embedded/embedded_bank.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "stores/neo4j/graph_statements.hpp"
#include "stores/neo4j/http_transport.hpp"
#include "stores/neo4j/neo4j_errors.hpp"
#include "stores/neo4j/neo4j_graph.hpp"
#include "stores/neo4j/neo4j_projection.hpp"
#include "tests/support/model_projection.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string fresh_bank() {
  static std::atomic<int> count = 0;
  return "test_" + std::to_string(getpid()) + "_" + std::to_string(count++);
}

Timestamp at(std::int64_t microseconds) {
  return Timestamp(std::chrono::microseconds(microseconds));
}

MemoryId memory(int number) {
  return {Uuid::v5(Uuid{}, "memory " + std::to_string(number))};
}

GraphChange entity(std::string key, std::int64_t rev = 1) {
  GraphChange change{.kind = GraphChange::Kind::entity, .rev = rev};
  change.entity = {
      .key = std::move(key), .name = "", .type = "concept", .mention_count = 1, .rev = rev};
  const std::size_t colon = change.entity.key.find(':');
  change.entity.name = change.entity.key.substr(colon == std::string::npos ? 0 : colon + 1);
  return change;
}

GraphChange relationship(std::string subject, std::string predicate, std::string object,
                         std::int64_t rev = 1) {
  GraphChange change{.kind = GraphChange::Kind::relationship, .rev = rev};
  change.relationship = {.subject_key = std::move(subject),
                         .predicate = std::move(predicate),
                         .object_key = std::move(object),
                         .confidence = 0.7,
                         .observation_count = 1,
                         .rev = rev};
  return change;
}

GraphChange mention(int number, std::string key, std::int64_t rev = 1) {
  GraphChange change{.kind = GraphChange::Kind::mention, .rev = rev};
  change.mention = {.memory = memory(number), .entity_key = std::move(key), .rev = rev};
  change.mention_network = "world";
  return change;
}

GraphChange removal(GraphChange change, std::int64_t rev) {
  change.removed = true;
  change.rev = rev;
  return change;
}

/// Names and predicates with everything that has ever broken a query.
const std::vector<std::string> hazards = {
    "plain",
    "with space",
    "tab\tand\nnewline\r",
    "back`quote",
    "back``quotes",
    "quote'and\"double",
    "back\\slash",
    "\\u0060 escaped backquote",
    "`]->() DETACH DELETE n //",
    "'}) MATCH (n) DETACH DELETE n //",
    "$rows {row.k} %s {}",
    "emoji \U0001F600\U0001F469\u200D\U0001F680",
    "\uFF5Efullwidth",
    "\uE000private",
    "\uFFFDreplaced",
    "nul\u0001control\u007F",
    "combining e\u0301",
    "rtl \u202Eabc",
    "null",
    "|pipe}brace",
    "a",
    "a b",
    "ab",
    "A",
    "\u00E9",
    "\U00010000first astral",
    "\U0010FFFFlast",
    "10",
    "9",
};

/// The same rows through one door of a real server, in a bank of its own.
class Neo4jGraph : public testing::TestWithParam<Neo4jOptions::Door> {
 protected:
  void SetUp() override {
    options_.url = environment("BB5_TEST_NEO4J");
    options_.password = environment("NEO4J_PASSWORD");
    options_.bank = fresh_bank();
    options_.door = GetParam();
    if (options_.url.empty() || options_.password.empty())
      GTEST_SKIP() << "no Neo4j: set BB5_TEST_NEO4J and NEO4J_PASSWORD (scripts/services start)";
    graph_ = open(options_);
    const auto prepared = graph_->prepare();
    ASSERT_THAT(prepared, Succeeds());
  }
  void TearDown() override {
    if (!graph_) return;
    EXPECT_THAT(graph_->clear(), Succeeds());
  }

  static std::unique_ptr<GraphProjection> open(const Neo4jOptions& options) {
    auto opened = open_neo4j_graph(options);
    EXPECT_THAT(opened, Succeeds());
    return opened ? *std::move(opened) : nullptr;
  }

  /// Applies to the server and to the model.
  void apply(const std::vector<GraphChange>& changes) {
    ASSERT_THAT(graph_->apply(changes), Succeeds());
    ASSERT_THAT(model_.apply(changes), Succeeds());
  }

  void expect_equals_model(std::size_t page = 1'000) { expect_equal(model_, *graph_, page); }

  static void expect_equal(const EntityGraph& left, const EntityGraph& right,
                           std::size_t page = 1'000) {
    CompareOptions options{.limit = 10, .page = page};
    const auto compared = compare_graphs(left, right, options);
    ASSERT_THAT(compared, Succeeds());
    for (const auto& difference : compared->differences)
      ADD_FAILURE() << name_of(difference.kind) << ' ' << difference.key << ": " << difference.field
                    << ' ' << difference.left << " | " << difference.right;
    EXPECT_EQ(compared->found, 0);
    EXPECT_EQ(compared->left, compared->right);
    const auto counts = right.graph_counts();
    ASSERT_THAT(counts, Succeeds());
    EXPECT_EQ(*counts, compared->left);
  }

  std::unique_ptr<neo4j::GraphTransport> transport(neo4j::HttpTransportOptions options = {}) const {
    const std::size_t user_end = options_.url.find('@');
    const std::size_t port_end = options_.url.rfind('/');
    options.door = options_.door;
    return neo4j::new_http_transport(
        new_http_client(
            {.base_url = "http://" + options_.url.substr(user_end + 1, port_end - user_end - 1),
             .user = "neo4j",
             .password = options_.password}),
        options);
  }

  /// Cypher as an administrator would type it.
  std::vector<nlohmann::json> cypher(const std::string& text) {
    const neo4j::Statement statement{.text = text, .parameters = {{"bank", options_.bank}}};
    auto answer = transport()->run({&statement, 1}, neo4j::Access::write);
    EXPECT_THAT(answer, Succeeds());
    if (!answer) return {};
    if (answer->error) {
      ADD_FAILURE() << answer->error->code << ": " << answer->error->message;
      return {};
    }
    return std::move(answer->results.front().rows);
  }

  Neo4jOptions options_;
  std::unique_ptr<GraphProjection> graph_;
  ModelProjection model_;
};

TEST_P(Neo4jGraph, AnEmptyBankHasNothing) {
  expect_equals_model();
  EXPECT_THAT(graph_->entity_named("nobody"), HasValue(std::optional<Entity>{}));
  EXPECT_THAT(graph_->neighbours("concept:nobody", 10), HasValue(IsEmpty()));
}

TEST_P(Neo4jGraph, EveryFieldComesBackAsItWent) {
  GraphChange full = entity("technology:redis", 7);
  full.entity = {.key = "technology:redis",
                 .name = "Redis",
                 .type = "Technology",
                 .mention_count = 9'007'199'254'740'993,
                 .first_seen = at(1'704'067'200'123'456),
                 .last_seen = at(-1),
                 .aliases = {"redis", "re\"dis", ""},
                 .placeholder = false,
                 .rev = 7};
  GraphChange empty = entity("unknown:pgvector", 9'223'372'036'854'775'806);
  empty.entity.placeholder = true;
  GraphChange edge = relationship("technology:redis", "uses", "unknown:pgvector", 8);
  edge.relationship.confidence = 0.1 + 0.2;
  edge.relationship.observation_count = 4'611'686'018'427'387'905;
  edge.relationship.first_observed = at(951'782'399'999'999);
  edge.relationship.last_observed = at(253'402'300'799'999'999);
  GraphChange bare_edge = relationship("unknown:pgvector", "helps", "technology:redis", 8);
  bare_edge.relationship.confidence.reset();
  GraphChange tiny = relationship("unknown:pgvector", "tiny", "technology:redis", 8);
  tiny.relationship.confidence = 5e-324;
  GraphChange one = relationship("unknown:pgvector", "one", "technology:redis", 8);
  one.relationship.confidence = 1.0;
  apply({full, empty, edge, bare_edge, tiny, one, mention(1, "technology:redis", 5)});
  expect_equals_model();

  EXPECT_THAT(graph_->entity_named("  REDIS "), HasValue(std::optional(full.entity)));
  const auto around = graph_->neighbours("technology:redis", 10);
  const auto expected = model_.neighbours("technology:redis", 10);
  ASSERT_THAT(around, Succeeds());
  ASSERT_EQ(around->size(), 4U);
  for (std::size_t i = 0; i < around->size(); ++i) {
    EXPECT_EQ((*around)[i].entity, (*expected)[i].entity);
    EXPECT_EQ((*around)[i].predicate, (*expected)[i].predicate);
    EXPECT_EQ((*around)[i].outgoing, (*expected)[i].outgoing);
    EXPECT_EQ((*around)[i].confidence, (*expected)[i].confidence);
  }
  // Its users find times as times, and the relationship by its type.
  const auto native = cypher(
      "MATCH (e:Entity {name: 'Redis', bank: $bank})-[r:USES]->() "
      "RETURN e.first_seen < datetime('2024-01-02'), e.first_seen.year, r.predicate");
  ASSERT_THAT(native, SizeIs(1));
  EXPECT_EQ(native.front(), nlohmann::json({true, 2024, "uses"}));
}

TEST_P(Neo4jGraph, HazardousNamesAndPredicatesArePlainText) {
  std::vector<GraphChange> changes;
  for (std::size_t i = 0; i < hazards.size(); ++i) {
    changes.push_back(entity("concept:" + hazards[i]));
    changes.back().entity.name = hazards[i];
    changes.back().entity.type = hazards[hazards.size() - 1 - i];
    changes.back().entity.aliases = {hazards[(i + 1) % hazards.size()], hazards[i]};
    changes.push_back(relationship("concept:" + hazards[i], hazards[i],
                                   "concept:" + hazards[(i * 7 + 1) % hazards.size()]));
    changes.push_back(relationship("concept:a", hazards[i], "concept:ab"));
    changes.push_back(mention(1, "concept:" + hazards[i]));
  }
  changes.push_back(relationship("concept:a", "", "concept:ab"));
  changes.push_back(relationship("concept:a", std::string(500, 'p'), "concept:ab"));
  std::string emoji;
  for (int i = 0; i < 500; ++i) emoji += "\U0001F600";
  changes.push_back(relationship("concept:a", emoji, "concept:ab"));
  apply(changes);
  expect_equals_model();
  for (const std::size_t page : {1U, 3U}) expect_equals_model(page);
  for (const auto& name : hazards) {
    const auto found = graph_->entity_named(name);
    ASSERT_THAT(found, Succeeds());
    EXPECT_EQ(*found, *model_.entity_named(name)) << name;
  }
  const auto around = graph_->neighbours("concept:a", 1'000);
  const auto expected = model_.neighbours("concept:a", 1'000);
  ASSERT_THAT(around, Succeeds());
  ASSERT_EQ(around->size(), expected->size());
  for (std::size_t i = 0; i < around->size(); ++i) {
    EXPECT_EQ((*around)[i].predicate, (*expected)[i].predicate) << i;
    EXPECT_EQ((*around)[i].entity.key, (*expected)[i].entity.key) << i;
  }
}

TEST_P(Neo4jGraph, KeysThatNoIndexHoldsAreKeptAndSorted) {
  const std::string long_start(9'000, 'x');
  std::string wide;
  for (int i = 0; i < 4'000; ++i) wide += "\U0001F600";
  const std::string pair_a = "concept:" + long_start + "a";
  const std::string pair_b = "concept:" + long_start + "b";
  std::vector<GraphChange> changes;
  for (const std::string& key :
       {pair_b, pair_a, "concept:" + long_start, "concept:" + wide, std::string("concept:x"),
        "concept:" + std::string(3'999, 'x'), std::string("concept:y"), std::string("concept:a"),
        std::string("concept:a\u241Fb"), std::string("concept:ab")}) {
    changes.push_back(entity(key));
    changes.push_back(relationship(key, "uses", "concept:y"));
    changes.push_back(relationship(pair_a, "uses", key));
    changes.push_back(mention(3, key));
  }
  apply(changes);
  for (const std::size_t page : {1U, 4U, 1'000U}) expect_equals_model(page);
  EXPECT_THAT(graph_->entity_named(long_start + "b"),
              HasValue(*model_.entity_named(long_start + "b")));
  apply({removal(entity(pair_a), 5), removal(relationship(pair_a, "uses", pair_b), 5)});
  expect_equals_model();
}

TEST_P(Neo4jGraph, ARepeatedCallAndAnOlderRevisionChangeNothing) {
  std::vector<GraphChange> changes = {entity("a:a", 3), entity("b:b", 3),
                                      relationship("a:a", "uses", "b:b", 3), mention(1, "a:a", 3)};
  apply(changes);
  apply(changes);
  expect_equals_model();
  auto older = changes;
  for (auto& change : older) {
    change.rev = 2;
    change.entity.rev = change.relationship.rev = change.mention.rev = 2;
    change.entity.name = "older";
    change.relationship.observation_count = 99;
  }
  apply(older);
  expect_equals_model();
  EXPECT_THAT(graph_->entity_named("older"), HasValue(std::optional<Entity>{}));
}

TEST_P(Neo4jGraph, ARemovedRowIsNotResurrectedByALateOlderWrite) {
  const std::vector<GraphChange> rows = {
      entity("a:a", 3), entity("b:b", 3), relationship("a:a", "uses", "b:b", 3),
      relationship("a:a", "uses", "a:a", 3), mention(1, "a:a", 3)};
  apply(rows);
  EXPECT_THAT(graph_->neighbours("a:a", 9), HasValue(SizeIs(3)));  // One of them twice: itself.
  std::vector<GraphChange> removed;
  for (const auto& row : rows) removed.push_back(removal(row, 5));
  apply(removed);
  expect_equals_model();
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{}));
  apply(rows);
  expect_equals_model();
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{}));
  EXPECT_THAT(cypher("MATCH (n) WHERE n.bank = $bank AND NOT n:Tombstone AND NOT n:SyncState "
                     "RETURN labels(n), properties(n)"),
              IsEmpty());

  std::vector<GraphChange> newer = {entity("a:a", 6), entity("b:b", 6),
                                    relationship("a:a", "uses", "b:b", 6), mention(1, "a:a", 6)};
  apply(newer);
  expect_equals_model();
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{2, 1, 1}));
}

TEST_P(Neo4jGraph, ARemovalBeforeTheFirstWriteHoldsToo) {
  apply({removal(entity("a:a"), 5), removal(relationship("a:a", "uses", "b:b"), 5),
         removal(mention(1, "a:a"), 5)});
  apply({entity("a:a", 4), relationship("a:a", "uses", "b:b", 4), mention(1, "a:a", 4)});
  expect_equals_model();
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{}));
}

TEST_P(Neo4jGraph, ARelationshipMayComeBeforeItsEntities) {
  apply({relationship("a:a", "uses", "b:b", 2), mention(1, "b:b", 2)});
  expect_equals_model();
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{0, 1, 1}));
  EXPECT_THAT(graph_->neighbours("a:a", 5), HasValue(IsEmpty()));
  apply({entity("a:a", 1), entity("b:b", 1)});
  expect_equals_model();
  EXPECT_THAT(graph_->neighbours("a:a", 5), HasValue(SizeIs(1)));
}

/// Changes of a few rows with rising revisions: what an outbox sees over time.
std::vector<GraphChange> history(std::mt19937_64& random, std::size_t length, int keys) {
  const auto any = [&random](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  std::vector<GraphChange> changes;
  for (std::size_t i = 0; i < length; ++i) {
    const auto rev = static_cast<std::int64_t>(i + 1);
    const auto key = [&] { return "k:" + std::to_string(any(keys)); };
    GraphChange change;
    switch (any(3)) {
      case 0:
        change = entity(key(), rev);
        change.entity.mention_count = rev;
        if (any(2) == 0) change.entity.aliases = {"v" + std::to_string(rev)};
        if (any(2) == 0) change.entity.first_seen = at(rev * 1'000'003);
        break;
      case 1:
        change = relationship(key(), any(2) == 0 ? "uses" : "Uses", key(), rev);
        change.relationship.observation_count = rev;
        break;
      default:
        change = mention(any(keys), key(), rev);
        break;
    }
    change.outbox_id = rev;
    if (any(3) == 0) change = removal(change, rev);
    changes.push_back(change);
  }
  return changes;
}

TEST_P(Neo4jGraph, EveryOrderOfTheSameBatchesGivesTheSameGraph) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < (soak() ? 50 : 4); ++round) {
    const auto changes = history(random, 120, 4);
    std::vector<std::vector<GraphChange>> batches;
    for (std::size_t at_change = 0; at_change < changes.size();) {
      const std::size_t size = 1 + random() % 20;
      const std::size_t end = std::min(changes.size(), at_change + size);
      batches.emplace_back(changes.begin() + static_cast<std::ptrdiff_t>(at_change),
                           changes.begin() + static_cast<std::ptrdiff_t>(end));
      at_change = end;
    }
    std::shuffle(batches.begin(), batches.end(), random);
    for (auto& batch : batches) {
      std::shuffle(batch.begin(), batch.end(), random);
      apply(batch);
    }
    expect_equals_model();
    // Nothing is left over of what was removed.
    EXPECT_THAT(
        cypher(
            "MATCH (e:Entity {bank: $bank}) WHERE e.bare AND NOT EXISTS { (e)--() } RETURN e.key"),
        IsEmpty());
    EXPECT_THAT(cypher("MATCH (m:Memory {bank: $bank}) WHERE NOT EXISTS { (m)--() } RETURN m.key"),
                IsEmpty());
    ASSERT_THAT(graph_->clear(), Succeeds());
    ASSERT_THAT(model_.clear(), Succeeds());
  }
}

TEST_P(Neo4jGraph, TwoAppliersAtOnceEndInTheSameGraph) {
  std::mt19937_64 random(test_seed());
  const auto changes = history(random, 400, 6);
  const auto other = open(options_);
  const auto work = [&changes](GraphProjection& graph, bool forward) {
    constexpr std::size_t size = 20;
    for (std::size_t i = 0; i < changes.size(); i += size) {
      const std::size_t start = forward ? i : changes.size() - size - i;
      ASSERT_THAT(graph.apply(std::span(changes).subspan(start, size)), Succeeds());
    }
  };
  std::thread first([&] { work(*graph_, true); });
  std::thread second([&] { work(*other, false); });
  first.join();
  second.join();
  ASSERT_THAT(model_.apply(changes), Succeeds());
  expect_equals_model();
}

TEST_P(Neo4jGraph, FiveThousandRowsAreOneTransaction) {
  std::vector<GraphChange> changes;
  for (int i = 0; i < 2'000; ++i) changes.push_back(entity("k:" + std::to_string(i)));
  for (int i = 0; i < 2'000; ++i)
    changes.push_back(relationship("k:" + std::to_string(i), i % 3 == 0 ? "uses" : "needs",
                                   "k:" + std::to_string((i * 17) % 2'000)));
  for (int i = 0; i < 1'000; ++i) changes.push_back(mention(i % 300, "k:" + std::to_string(i)));
  apply(changes);
  expect_equals_model();
  expect_equals_model(777);
}

TEST_P(Neo4jGraph, SeveralRequestsAreStillOneTransaction) {
  neo4j::HttpTransportOptions options;
  options.longest_request_bytes = 4'000;
  const auto small = neo4j::new_neo4j_projection(
      transport(options), {.bank = options_.bank, .pieces = {.rows = 7, .bytes = 3'000}});
  std::vector<GraphChange> changes;
  for (int i = 0; i < 60; ++i) changes.push_back(entity("k:" + std::to_string(i)));
  for (int i = 0; i < 60; ++i)
    changes.push_back(relationship("k:" + std::to_string(i), "uses", "k:" + std::to_string(i / 2)));
  ASSERT_THAT(small->apply(changes), Succeeds());
  ASSERT_THAT(model_.apply(changes), Succeeds());
  expect_equals_model();

  // The last request fails: what the others brought is gone with it.
  std::vector<neo4j::Statement> statements(5, {.text = "CREATE (:Entity {key: $bank + '|' + $key})",
                                               .parameters = {{"bank", options_.bank}}});
  for (std::size_t i = 0; i < statements.size(); ++i) {
    statements[i].parameters["key"] = "extra" + std::to_string(i);
    statements[i].parameters["filling"] = std::string(3'000, 'x');
  }
  statements.back().text = "RETURN 1 / 0";
  const auto answer = transport(options)->run(statements, neo4j::Access::write);
  ASSERT_THAT(answer, Succeeds());
  ASSERT_TRUE(answer->error);
  EXPECT_EQ(answer->error->code, "Neo.ClientError.Statement.ArithmeticError");
  expect_equals_model();
}

TEST_P(Neo4jGraph, ADeadlockHasACodeThatIsTriedAgain) {
  // Two transactions that lock the same nodes in opposite order
  // do.
  const auto locks = [this](const char* first, const char* second) {
    const std::string text =
        "MERGE (a:Tombstone {key: $bank + $first}) SET a.rev = 1 WITH a "
        "CALL apoc.util.sleep(200) MERGE (b:Tombstone {key: $bank + $second}) SET b.rev = 1";
    const neo4j::Statement statement{
        .text = text,
        .parameters = {{"bank", options_.bank}, {"first", first}, {"second", second}}};
    return transport()->run({&statement, 1}, neo4j::Access::write);
  };
  ASSERT_THAT(locks("|1", "|2"), Succeeds());
  std::optional<neo4j::ServerError> loser;
  for (int attempt = 0; attempt < 20 && !loser; ++attempt) {
    Result<neo4j::Answer> one = neo4j::Answer{};
    std::thread other([&] { one = locks("|1", "|2"); });
    const auto two = locks("|2", "|1");
    other.join();
    ASSERT_THAT(one, Succeeds());
    ASSERT_THAT(two, Succeeds());
    loser = one->error ? one->error : two->error;
  }
  ASSERT_TRUE(loser) << "the two never met";
  EXPECT_TRUE(neo4j::is_transient(loser->code)) << loser->code;
}

TEST_P(Neo4jGraph, BanksAreApart) {
  Neo4jOptions options = options_;
  options.bank = options_.bank + "x";  // One name is the start of the other.
  const auto other = open(options);
  apply({entity("a:a"), entity("b:b"), relationship("a:a", "uses", "b:b"), mention(1, "a:a")});
  EXPECT_THAT(other->graph_counts(), HasValue(GraphCounts{}));
  EXPECT_THAT(other->entities("", 10), HasValue(IsEmpty()));
  ASSERT_THAT(other->apply(std::vector{entity("a:a", 9)}), Succeeds());
  EXPECT_THAT(other->neighbours("a:a", 10), HasValue(IsEmpty()));
  expect_equals_model();
  ASSERT_THAT(graph_->clear(), Succeeds());
  EXPECT_THAT(other->graph_counts(), HasValue(GraphCounts{1, 0, 0}));
  ASSERT_THAT(other->clear(), Succeeds());
  EXPECT_THAT(other->graph_counts(), HasValue(GraphCounts{}));
}

TEST_P(Neo4jGraph, ABadRowIsNamedAndNothingIsApplied) {
  auto bad = entity("b:b");
  bad.entity.name = "\xff";
  EXPECT_THAT(graph_->apply(std::vector{entity("a:a"), bad}), FailsWith(Errc::invalid_argument));
  auto infinite = relationship("a:a", "uses", "b:b");
  infinite.relationship.confidence = std::numeric_limits<double>::infinity();
  EXPECT_THAT(graph_->apply(std::vector{entity("a:a"), infinite}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(graph_->apply(std::vector{entity("")}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(graph_->graph_counts(), HasValue(GraphCounts{}));
}

TEST_P(Neo4jGraph, WhatWasEditedByHandIsNamed) {
  apply({entity("a:a"), entity("b:b"), entity("c:c"), relationship("a:a", "uses", "b:b"),
         relationship("b:b", "uses", "c:c"), mention(1, "c:c")});
  cypher("MATCH (e:Entity {key: $bank + '|c:c'}) DETACH DELETE e");
  cypher("MATCH (e:Entity {key: $bank + '|a:a'}) SET e.mention_count = 'many', e.first_seen = 5");
  cypher(
      "MATCH (a:Entity {key: $bank + '|a:a'}), (b:Entity {key: $bank + '|b:b'}) CREATE "
      "(b)-[:STRAY]->(a)");
  const auto compared = compare_graphs(model_, *graph_);
  ASSERT_THAT(compared, Succeeds());
  std::vector<std::string> found;
  for (const auto& each : compared->differences)
    found.push_back(std::string(name_of(each.kind)) + " " + each.key + " " + each.field + " " +
                    each.left + "|" + each.right);
  EXPECT_THAT(found, ElementsAre("entity a:a mention_count 1|-1", "entity c:c row one|none",
                                 "relationship b:b\u241FSTRAY\u241Fa:a row none|one",
                                 "relationship b:b\u241Fuses\u241Fc:c row one|none",
                                 HasSubstr("c:c row one|none")));
  // The stray one goes like any other row; the rest comes back with the rows.
  ASSERT_THAT(graph_->apply(std::vector{removal(relationship("b:b", "STRAY", "a:a"), 0)}),
              Succeeds());
  ASSERT_THAT(graph_->apply(std::vector{entity("a:a"), entity("c:c"),
                                        relationship("b:b", "uses", "c:c"), mention(1, "c:c")}),
              Succeeds());
  expect_equals_model();
}

TEST_P(Neo4jGraph, AWrongPasswordIsRefusedAndAnUnknownDatabaseNotFound) {
  Neo4jOptions options = options_;
  options.password = "wrong";
  EXPECT_THAT(open(options)->prepare(), FailsWith(Errc::refused));
  EXPECT_THAT(open(options)->graph_counts(), FailsWith(Errc::refused));
  options = options_;
  options.url.replace(options.url.rfind('/'), std::string::npos, "/nosuchdatabase");
  EXPECT_THAT(open(options)->prepare(), FailsWith(Errc::not_found));
  EXPECT_THAT(open(options)->graph_counts(), FailsWith(Errc::not_found));
}

TEST_P(Neo4jGraph, PrepareMayBeRepeatedAndRunTwiceAtOnce) {
  const auto other = open(options_);
  std::thread thread([&] { EXPECT_THAT(other->prepare(), Succeeds()); });
  EXPECT_THAT(graph_->prepare(), Succeeds());
  thread.join();
}

TEST_P(Neo4jGraph, ManyReadersShareThePool) {
  apply({entity("a:a"), entity("b:b"), relationship("a:a", "uses", "b:b")});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) {
        const auto around = graph_->neighbours("a:a", 5);
        if (around && around->size() == 1) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

/// All that a search asks of the graph has one answer, whoever gives it.
void expect_equal_answers(const EntityGraph& left, const EntityGraph& right) {
  const auto entities = left.entities("", 100'000);
  ASSERT_THAT(entities, Succeeds());
  for (const Entity& each : *entities) {
    for (const std::size_t limit : {1U, 3U, 1'000U}) {
      const auto on_left = left.neighbours(each.key, limit);
      const auto on_right = right.neighbours(each.key, limit);
      ASSERT_THAT(on_left, Succeeds());
      ASSERT_THAT(on_right, Succeeds());
      ASSERT_EQ(on_left->size(), on_right->size()) << each.key;
      for (std::size_t i = 0; i < on_left->size(); ++i) {
        const Neighbour& a = (*on_left)[i];
        const Neighbour& b = (*on_right)[i];
        EXPECT_EQ(a.entity, b.entity) << each.key << ' ' << i;
        EXPECT_EQ(std::tie(a.predicate, a.outgoing, a.confidence),
                  std::tie(b.predicate, b.outgoing, b.confidence))
            << each.key << ' ' << i;
      }
    }
    EXPECT_EQ(*left.entity_named(each.name), *right.entity_named(each.name)) << each.name;
  }
}

TEST_P(Neo4jGraph, TheRelayMakesItEqualToTheTablesOfABankOnDisk) {
  const TemporaryFolder folder;
  const auto opened = open_embedded_bank({.file = folder / "bank.db", .create = true});
  ASSERT_THAT(opened, Succeeds());
  Bank& bank = **opened;
  fill_bank(bank, 300, test_seed());
  ASSERT_THAT(drain_outbox(bank, *graph_), Succeeds());
  expect_equal(bank, *graph_, 70);
  erase_some(bank, 1);
  fill_bank(bank, 20, 5);
  ASSERT_THAT(drain_outbox(bank, *graph_), Succeeds());
  expect_equal(bank, *graph_);
  expect_equal_answers(bank, *graph_);
  ASSERT_THAT(rebuild_projection(bank, *graph_), Succeeds());
  expect_equal(bank, *graph_);
}

TEST_P(Neo4jGraph, TheRelayMakesItEqualToTheBanksOwnTables) {
  const auto bank = new_in_memory_bank();
  fill_bank(*bank, 200, test_seed());
  RelayOptions options;
  options.batch = 150;
  auto report = drain_outbox(*bank, *graph_, options);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->stopped_by, std::nullopt);
  expect_equal(*bank, *graph_);
  expect_equal_answers(*bank, *graph_);
  erase_some(*bank, 1);
  fill_bank(*bank, 20, 5);
  ASSERT_THAT(drain_outbox(*bank, *graph_, options), Succeeds());
  expect_equal(*bank, *graph_, 50);

  cypher("MATCH (e:Entity {bank: $bank}) WITH e ORDER BY e.key LIMIT 7 DETACH DELETE e");
  cypher("MATCH (e:Entity {bank: $bank}) WITH e ORDER BY e.key LIMIT 5 SET e.name = 'by hand'");
  cypher(
      "MATCH (e:Entity {bank: $bank}) WITH e ORDER BY e.key LIMIT 3 "
      "CREATE (e)-[:BY_HAND]->(e)");
  cypher("CREATE (:Entity {key: $bank + '|by:hand', bank: $bank, name: 'by hand', rev: 1})");
  const auto repaired = repair_projection(*bank, *graph_, options);
  ASSERT_THAT(repaired, Succeeds());
  EXPECT_EQ(repaired->removed, 4);
  EXPECT_EQ(repaired->remaining, 0);
  expect_equal(*bank, *graph_);
  expect_equal_answers(*bank, *graph_);

  report = rebuild_projection(*bank, *graph_, options);
  ASSERT_THAT(report, Succeeds());
  expect_equal(*bank, *graph_);
}

TEST_P(Neo4jGraph, TheRelayFollowsMergesAndSplits) {
  const TemporaryFolder folder;
  const auto opened = open_embedded_bank({.file = folder / "bank.db", .create = true});
  ASSERT_THAT(opened, Succeeds());
  Bank& bank = **opened;
  fill_bank(bank, 60, test_seed());
  ASSERT_THAT(drain_outbox(bank, *graph_), Succeeds());
  const auto entities = *bank.entities({}, 100);
  ASSERT_GT(entities.size(), 10u);
  std::vector<EntityMerge> merges;
  for (std::size_t i = 0; i + 1 < 8; ++i)
    merges.push_back({entities[i].key, entities[i + 1].key, entities[i].name, "test", at(1)});
  merges.push_back({alias_key("nobody says this"), entities[9].key, "Nobody says this", "", at(2)});
  ASSERT_THAT(bank.merge_entities(merges), Succeeds());
  EXPECT_LE(bank.graph_counts()->entities, std::ssize(entities) - 7);
  ASSERT_THAT(drain_outbox(bank, *graph_), Succeeds());
  expect_equal(bank, *graph_, 7);
  expect_equal_answers(bank, *graph_);
  for (const EntityMerge& merge : merges) {
    EXPECT_EQ(*graph_->entity_named(merge.name), *bank.entity_named(merge.name)) << merge.name;
  }
  EXPECT_EQ((*graph_->entity_named("NOBODY says this"))->key, entities[9].key);

  for (const EntityMerge& merge : merges)
    ASSERT_THAT(bank.split_entity(merge.from_key), HasValue(true));
  ASSERT_THAT(drain_outbox(bank, *graph_), Succeeds());
  expect_equal(bank, *graph_, 7);
  expect_equal_answers(bank, *graph_);
  EXPECT_EQ(bank.graph_counts()->entities, std::ssize(entities));
  EXPECT_EQ(*graph_->entity_named("nobody says this"), std::nullopt);
}

std::string door_name(const testing::TestParamInfo<Neo4jOptions::Door>& door) {
  return door.param == Neo4jOptions::Door::query_v2 ? "query_v2" : "tx_commit";
}

INSTANTIATE_TEST_SUITE_P(Door, Neo4jGraph,
                         testing::Values(Neo4jOptions::Door::probe, Neo4jOptions::Door::query_v2),
                         door_name);

}  // namespace
}  // namespace bb5
