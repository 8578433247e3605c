#include "stores/neo4j/neo4j_projection.hpp"

#include <deque>
#include <functional>
#include <limits>

#include "stores/neo4j/graph_schema.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5::neo4j {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// Answers what the test says, and keeps what was asked.
class FakeTransport final : public GraphTransport {
 public:
  using Reply = std::function<Result<Answer>(std::span<const Statement>)>;

  Result<Answer> run(std::span<const Statement> statements, Access access) override {
    asked.emplace_back(statements.begin(), statements.end());
    accesses.push_back(access);
    if (!replies.empty()) {
      const Reply reply = replies.front();
      replies.pop_front();
      return reply(statements);
    }
    return Answer{.results = std::vector<Rows>(statements.size()), .error = std::nullopt};
  }
  Result<std::string> server_version() override { return version; }

  void then_error(const std::string& code, int times = 1) {
    for (int i = 0; i < times; ++i)
      replies.emplace_back([code](auto) -> Result<Answer> {
        return Answer{.results = {}, .error = ServerError{code, "said"}};
      });
  }
  void then_rows(const std::vector<std::vector<json>>& results) {
    replies.emplace_back([results](auto) -> Result<Answer> {
      Answer answer;
      for (const auto& rows : results) answer.results.push_back({rows});
      return answer;
    });
  }
  void then_away(Errc code = Errc::unavailable) {
    replies.emplace_back(
        [code](auto) -> Result<Answer> { return Error{.code = code, .message = "away"}; });
  }

  std::deque<Reply> replies;
  std::vector<std::vector<Statement>> asked;
  std::vector<Access> accesses;
  Result<std::string> version = std::string("5.26.18");
};

class Neo4jProjectionTest : public testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(PieceLimits pieces) {
    auto transport = std::make_unique<FakeTransport>();
    fake_ = transport.get();
    graph_ = new_neo4j_projection(
        std::move(transport),
        {.bank = "bank",
         .pieces = pieces,
         .retry = {.attempts = 4,
                   .first_pause = 100ms,
                   .longest_pause = 250ms,
                   .sleep = [this](std::chrono::milliseconds pause) { pauses_.push_back(pause); },
                   .seed = 7}});
  }
  FakeTransport* fake_ = nullptr;
  std::unique_ptr<GraphProjection> graph_;
  std::vector<std::chrono::milliseconds> pauses_;
};

GraphChange entity(const std::string& key, std::int64_t rev = 1) {
  GraphChange change{.kind = GraphChange::Kind::entity, .rev = rev};
  change.entity = {.key = key, .name = key, .type = "concept", .mention_count = 1, .rev = rev};
  return change;
}

GraphChange relationship(const std::string& subject, const std::string& predicate,
                         const std::string& object, std::int64_t rev = 1) {
  GraphChange change{.kind = GraphChange::Kind::relationship, .rev = rev};
  change.relationship = {
      .subject_key = subject, .predicate = predicate, .object_key = object, .rev = rev};
  return change;
}

GraphChange removal(GraphChange change, std::int64_t rev) {
  change.removed = true;
  change.rev = rev;
  return change;
}

TEST_F(Neo4jProjectionTest, ADeadlockIsTriedAgainAfterGrowingPauses) {
  fake_->then_error("Neo.TransientError.Transaction.DeadlockDetected", 3);
  EXPECT_THAT(graph_->apply(std::vector{entity("a")}), Succeeds());
  ASSERT_THAT(pauses_, SizeIs(3));
  EXPECT_GE(pauses_[0], 50ms);
  EXPECT_LE(pauses_[0], 100ms);
  EXPECT_GE(pauses_[1], 100ms);
  EXPECT_LE(pauses_[1], 200ms);
  EXPECT_LE(pauses_[2], 250ms);
  EXPECT_THAT(fake_->asked, SizeIs(4));
}

TEST_F(Neo4jProjectionTest, ADeadlockThatStaysIsUnavailable) {
  fake_->then_error("Neo.TransientError.Transaction.DeadlockDetected", 9);
  const auto applied = graph_->apply(std::vector{entity("a")});
  ASSERT_THAT(applied, FailsWith(Errc::unavailable));
  EXPECT_THAT(applied.error().detail, HasSubstr("DeadlockDetected"));
  EXPECT_THAT(fake_->asked, SizeIs(4));
}

TEST_F(Neo4jProjectionTest, OtherErrorsAreNotTriedAgain) {
  for (const auto& [code, errc] :
       {std::pair{"Neo.ClientError.Security.Unauthorized", Errc::refused},
        std::pair{"Neo.ClientError.Transaction.TransactionTimedOut", Errc::unavailable},
        std::pair{"Neo.ClientError.Statement.TypeError", Errc::invalid_argument},
        std::pair{"Neo.DatabaseError.Statement.ExecutionFailed", Errc::internal}}) {
    fake_->asked.clear();
    fake_->then_error(code);
    EXPECT_THAT(graph_->apply(std::vector{entity("a")}), FailsWith(errc));
    EXPECT_THAT(fake_->asked, SizeIs(1)) << code;
  }
}

TEST_F(Neo4jProjectionTest, AServerThatIsAwayIsNotWaitedFor) {
  fake_->then_away();
  EXPECT_THAT(graph_->neighbours("a", 5), FailsWith(Errc::unavailable));
  EXPECT_THAT(pauses_, IsEmpty());
  fake_->then_away(Errc::refused);
  EXPECT_THAT(graph_->graph_counts(), FailsWith(Errc::refused));
}

TEST_F(Neo4jProjectionTest, OneCallIsOneTransactionThatLocksTheBankFirst) {
  EXPECT_THAT(graph_->apply(std::vector{removal(entity("gone"), 9), relationship("b", "uses", "a"),
                                        entity("b"), entity("a")}),
              Succeeds());
  ASSERT_THAT(fake_->asked, SizeIs(1));
  const auto& statements = fake_->asked.front();
  ASSERT_THAT(statements, SizeIs(5));
  EXPECT_THAT(statements[0].text, HasSubstr("MERGE (s:SyncState"));
  EXPECT_EQ(statements[0].parameters["rev"], 9);
  EXPECT_EQ(statements[0].parameters["removed_rev"], 9);
  EXPECT_THAT(statements[1].text, HasSubstr("MERGE (e:Entity"));
  ASSERT_THAT(statements[1].parameters["rows"], SizeIs(2));
  EXPECT_EQ(statements[1].parameters["rows"][0]["k"], "bank|a");  // In order of the keys.
  EXPECT_EQ(statements[1].parameters["rows"][1]["k"], "bank|b");
  EXPECT_THAT(statements[2].text, HasSubstr("$(row.y)"));
  EXPECT_THAT(statements[3].text, HasSubstr("MERGE (t:Tombstone"));
  EXPECT_THAT(statements[4].text, HasSubstr("NOT EXISTS { (e)--() }"));
  EXPECT_THAT(fake_->accesses, Each(Access::write));
}

TEST_F(Neo4jProjectionTest, NoNameOrPredicateIsEverPartOfAStatement) {
  const std::string evil = "`]->() DETACH DELETE n //'\"$\\u0060";
  GraphChange mention{.kind = GraphChange::Kind::mention, .rev = 1};
  mention.mention.entity_key = evil;
  mention.mention_network = evil;
  ASSERT_THAT(graph_->apply(std::vector{entity(evil), relationship(evil, evil, evil), mention,
                                        removal(entity(evil + "2"), 3),
                                        removal(relationship(evil, evil + "2", evil), 3)}),
              Succeeds());
  static_cast<void>(graph_->entities(evil, 5).has_value());
  static_cast<void>(graph_->relationships(evil, 5).has_value());
  static_cast<void>(graph_->mentions(mention.mention, 5).has_value());
  static_cast<void>(graph_->neighbours(evil, 5).has_value());
  static_cast<void>(graph_->entity_named(evil).has_value());
  ASSERT_GE(fake_->asked.size(), 6U);
  for (const auto& statements : fake_->asked)
    for (const auto& statement : statements) {
      EXPECT_THAT(statement.text, Not(HasSubstr("DETACH")));
      EXPECT_THAT(statement.text, Not(HasSubstr("`")));
    }
}

TEST_F(Neo4jProjectionTest, TheNewestChangeOfARowCounts) {
  GraphChange newer = entity("a", 5);
  newer.entity.name = "newer";
  ASSERT_THAT(graph_->apply(std::vector{entity("a", 3), newer, entity("a", 4), entity("b", 2),
                                        removal(entity("b"), 2)}),
              Succeeds());
  const auto& statements = fake_->asked.front();
  ASSERT_THAT(statements[1].parameters["rows"], SizeIs(1));
  EXPECT_EQ(statements[1].parameters["rows"][0]["n"], "newer");
  ASSERT_THAT(statements[2].parameters["rows"], SizeIs(1));
  EXPECT_EQ(statements[2].parameters["rows"][0]["k"], "bank|b");
}

TEST_F(Neo4jProjectionTest, RowsAreCutByNumberAndByBytes) {
  open({.rows = 10, .bytes = 1 << 20});
  std::vector<GraphChange> changes;
  for (int i = 0; i < 25; ++i) changes.push_back(entity("k" + std::to_string(i)));
  ASSERT_THAT(graph_->apply(changes), Succeeds());
  EXPECT_THAT(fake_->asked.front(), SizeIs(4));

  open({.rows = 1'000, .bytes = 10'000});
  for (auto& change : changes) change.entity.name = std::string(3'000, 'n');
  ASSERT_THAT(graph_->apply(changes), Succeeds());
  EXPECT_GT(fake_->asked.front().size(), 8U);
  for (const auto& statement : fake_->asked.front())
    EXPECT_LT(statement.parameters.dump().size(), 12'000U);
}

TEST_F(Neo4jProjectionTest, NothingToApplyAsksNothing) {
  EXPECT_THAT(graph_->apply({}), Succeeds());
  EXPECT_THAT(graph_->entities("", 0), HasValue(IsEmpty()));
  EXPECT_THAT(graph_->entity_named("  "), HasValue(std::optional<Entity>{}));
  EXPECT_THAT(fake_->asked, IsEmpty());
}

TEST_F(Neo4jProjectionTest, ABadRowIsNamedBeforeAnythingIsSent) {
  auto bad = entity("concept:bad");
  bad.entity.aliases = {"\xed\xa0\x80"};
  const auto applied = graph_->apply(std::vector{entity("a"), bad});
  ASSERT_THAT(applied, FailsWith(Errc::invalid_argument));
  EXPECT_THAT(applied.error().message, HasSubstr("concept:bad"));
  auto not_a_number = relationship("a", "uses", "b");
  not_a_number.relationship.confidence = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(graph_->apply(std::vector{not_a_number}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(graph_->apply(std::vector{relationship("", "uses", "b")}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(fake_->asked, IsEmpty());
}

TEST_F(Neo4jProjectionTest, OddKeysAreReadInFull) {
  fake_->then_rows({{json::array({true})}, {}});
  fake_->then_rows({{json::array(
      {"bank|t:x", "X", "t", 5, "2024-01-01T00:00:00.123456Z", nullptr, {"a"}, true, 9})}});
  const auto page = graph_->entities("", 5);
  ASSERT_THAT(page, HasValue(SizeIs(1)));
  const Entity expected{.key = "t:x",
                        .name = "X",
                        .type = "t",
                        .mention_count = 5,
                        .first_seen = parse_time("2024-01-01T00:00:00.123456"),
                        .last_seen = std::nullopt,
                        .aliases = {"a"},
                        .placeholder = true,
                        .rev = 9};
  EXPECT_EQ(page->front(), expected);
  EXPECT_THAT(fake_->asked[0][1].text, HasSubstr("USING INDEX"));
  EXPECT_THAT(fake_->asked[1][0].text, Not(HasSubstr("USING INDEX")));
}

TEST_F(Neo4jProjectionTest, ValuesOfAnotherTypeReadAsNoneOfOurs) {
  fake_->then_rows(
      {{}, {json::array({5, nullptr, {1}, "many", 7, "no time", {1, "a"}, "yes", 1.5})}});
  const auto page = graph_->entities("", 5);
  ASSERT_THAT(page, HasValue(SizeIs(1)));
  EXPECT_EQ(page->front().mention_count, -1);
  EXPECT_EQ(page->front().rev, -1);
  EXPECT_EQ(page->front().first_seen, std::nullopt);
  fake_->then_rows({{}, {json::array()}});
  EXPECT_THAT(graph_->relationships("", 5), HasValue(SizeIs(1)));
  fake_->then_rows({{json::array({"bank|no uuid", "bank|a", 1})}});
  EXPECT_THAT(graph_->mentions({}, 5), HasValue(IsEmpty()));
}

TEST_F(Neo4jProjectionTest, ClearGoesOnUntilNothingIsLeft) {
  for (int i = 0; i < 3; ++i)
    fake_->then_rows(std::vector<std::vector<json>>(6, {json::array({i == 2 ? 0 : 5})}));
  EXPECT_THAT(graph_->clear(), Succeeds());
  EXPECT_THAT(fake_->asked, SizeIs(3));
}

TEST_F(Neo4jProjectionTest, PrepareChecksTheVersion) {
  for (const char* good : {"5.26.0", "5.26.18", "5.27-aura", "2025.08.0", "6.0"}) {
    fake_->version = std::string(good);
    EXPECT_THAT(graph_->prepare(), Succeeds()) << good;
  }
  for (const char* old : {"5.25.1", "4.4.40", "3.5", "five"}) {
    fake_->version = std::string(old);
    const auto prepared = graph_->prepare();
    ASSERT_THAT(prepared, FailsWith(Errc::unsupported)) << old;
    EXPECT_THAT(prepared.error().remedy, HasSubstr("5.26"));
  }
  fake_->version = std::string();
  fake_->then_rows({{json::array({"5.26.3"})}});
  EXPECT_THAT(graph_->prepare(), Succeeds());
}

TEST_F(Neo4jProjectionTest, PrepareRefusesAnotherSchemaThanItsOwn) {
  const auto files = schema_files();
  fake_->then_rows({{json::array({files.back().version + 1, "x"})}});
  EXPECT_THAT(graph_->prepare(), FailsWith(Errc::unsupported));
  fake_->then_rows({{json::array({1, "of another text"})}});
  EXPECT_THAT(graph_->prepare(), FailsWith(Errc::corrupt));
  fake_->then_rows({{json::array({1, schema_checksum(files.front())})}});
  EXPECT_THAT(graph_->prepare(), Succeeds());
}

TEST_F(Neo4jProjectionTest, PrepareTakesWhatIsThereAndPassesRefusalsOn) {
  fake_->then_rows({{}});
  fake_->then_error("Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists", 2);
  EXPECT_THAT(graph_->prepare(), Succeeds());
  fake_->then_rows({{}});
  fake_->then_error("Neo.ClientError.Security.Forbidden");
  EXPECT_THAT(graph_->prepare(), FailsWith(Errc::refused));
}

TEST(GraphSchema, StatementsEndAtASemicolonAndCommentsAreLeftOut) {
  EXPECT_THAT(schema_statements("// one;\nCREATE a\n  b;\n\nCREATE c;\nlast"),
              ElementsAre("CREATE a\n  b", "CREATE c", "last"));
  for (const auto& file : schema_files()) EXPECT_THAT(schema_statements(file.text), Not(IsEmpty()));
}

}  // namespace
}  // namespace bb5::neo4j
