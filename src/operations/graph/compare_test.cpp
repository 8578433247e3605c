#include "operations/graph/compare.hpp"

#include "operations/graph/graph_test_tools.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

GraphChange entity(const std::string& key, const std::string& name = "n") {
  GraphChange change{.kind = GraphChange::Kind::entity, .rev = 1};
  change.entity = {.key = key, .name = name, .type = "t", .mention_count = 1, .rev = 1};
  return change;
}
GraphChange relationship(const std::string& subject, const std::string& object) {
  GraphChange change{.kind = GraphChange::Kind::relationship, .rev = 1};
  change.relationship = {
      .subject_key = subject, .predicate = "uses", .object_key = object, .rev = 1};
  return change;
}
GraphChange mention(const std::string& memory, const std::string& key) {
  GraphChange change{.kind = GraphChange::Kind::mention, .rev = 1};
  change.mention = {.memory = {Uuid::v5({}, memory)}, .entity_key = key, .rev = 1};
  return change;
}

std::vector<std::string> found(const EntityGraph& left, const EntityGraph& right,
                               const CompareOptions& options = {}) {
  const auto compared = compare_graphs(left, right, options);
  EXPECT_THAT(compared, Succeeds());
  std::vector<std::string> lines;
  if (!compared) return lines;
  for (const auto& each : compared->differences)
    lines.push_back(std::string(name_of(each.kind)) + " " + each.key + " " + each.field + ": " +
                    each.left + " | " + each.right);
  return lines;
}

TEST(CompareGraphs, EqualGraphsHaveNoDifferenceAtAnyPageSize) {
  ModelProjection left;
  ModelProjection right;
  const std::vector changes = {entity("a"),
                               entity("b"),
                               entity("c"),
                               relationship("a", "b"),
                               relationship("a", "c"),
                               mention("m", "a"),
                               mention("m", "b")};
  ASSERT_THAT(left.apply(changes), Succeeds());
  ASSERT_THAT(right.apply(changes), Succeeds());
  for (const std::size_t page : {0U, 1U, 2U, 3U, 100U}) {
    CompareOptions options;
    options.page = page;
    const auto compared = compare_graphs(left, right, options);
    ASSERT_THAT(compared, Succeeds());
    EXPECT_TRUE(compared->equal());
    EXPECT_EQ(compared->left, (GraphCounts{3, 2, 2}));
    EXPECT_EQ(compared->right, compared->left);
  }
}

TEST(CompareGraphs, NamesEveryFieldThatDiffers) {
  ModelProjection left;
  ModelProjection right;
  GraphChange one = entity("a");
  GraphChange edge = relationship("a", "a");
  ASSERT_THAT(left.apply(std::vector{one, edge, mention("m", "a")}), Succeeds());
  one.entity = {.key = "a",
                .name = "m",
                .type = "u",
                .mention_count = 2,
                .first_seen = Timestamp(std::chrono::microseconds(1)),
                .last_seen = Timestamp(std::chrono::microseconds(1'500'000)),
                .aliases = {"x", "y"},
                .placeholder = true,
                .rev = 7};
  edge.relationship.confidence = 0.1;
  edge.relationship.observation_count = 4;
  edge.relationship.first_observed = Timestamp(std::chrono::microseconds(0));
  edge.relationship.last_observed = Timestamp(std::chrono::microseconds(0));
  edge.relationship.rev = 2;
  GraphChange other = mention("m", "a");
  other.mention.rev = 3;
  ASSERT_THAT(right.apply(std::vector{one, edge, other}), Succeeds());
  EXPECT_THAT(
      found(left, right),
      ElementsAre("entity a name: n | m", "entity a type: t | u", "entity a mention_count: 1 | 2",
                  "entity a first_seen: none | 1970-01-01T00:00:00.000001Z",
                  "entity a last_seen: none | 1970-01-01T00:00:01.500000Z",
                  "entity a aliases: [] | [x, y]", "entity a placeholder: false | true",
                  "entity a rev: 1 | 7", "relationship a\u241Fuses\u241Fa confidence: none | 0.1",
                  "relationship a\u241Fuses\u241Fa observation_count: 0 | 4",
                  "relationship a\u241Fuses\u241Fa first_observed: none | 1970-01-01T00:00:00Z",
                  "relationship a\u241Fuses\u241Fa last_observed: none | 1970-01-01T00:00:00Z",
                  "relationship a\u241Fuses\u241Fa rev: 1 | 2", HasSubstr("a rev: 1 | 3")));
  CompareOptions options;
  options.compare_revisions = false;
  EXPECT_THAT(found(left, right, options), SizeIs(11));
}

TEST(CompareGraphs, NamesRowsThatASideLacks) {
  ModelProjection left;
  ModelProjection right;
  ASSERT_THAT(left.apply(std::vector{entity("a"), entity("c"), entity("e"), mention("m", "a")}),
              Succeeds());
  ASSERT_THAT(
      right.apply(std::vector{entity("b"), entity("c"), entity("d"), relationship("b", "c")}),
      Succeeds());
  for (const std::size_t page : {1U, 2U, 100U}) {
    CompareOptions options;
    options.page = page;
    std::vector<std::string> extra;
    options.extra = [&extra](const GraphChange& change) {
      EXPECT_TRUE(change.removed);
      extra.push_back(key_of(change));
      return ok();
    };
    EXPECT_THAT(found(left, right, options),
                ElementsAre("entity a row: one | none", "entity b row: none | one",
                            "entity d row: none | one", "entity e row: one | none",
                            "relationship b\u241Fuses\u241Fc row: none | one",
                            HasSubstr("row: one | none")));
    EXPECT_THAT(extra, ElementsAre("b", "d", "b\u241Fuses\u241Fc"));
  }
}

TEST(CompareGraphs, CountsAllDifferencesAndNamesTheFirst) {
  ModelProjection left;
  ModelProjection right;
  for (int i = 0; i < 50; ++i)
    ASSERT_THAT(left.apply(std::vector{entity("k" + std::to_string(i))}), Succeeds());
  CompareOptions options;
  options.limit = 3;
  const auto compared = compare_graphs(left, right, options);
  ASSERT_THAT(compared, Succeeds());
  EXPECT_EQ(compared->found, 50);
  EXPECT_THAT(compared->differences, SizeIs(3));
}

/// A graph that changes while it is read: rows come to it late.
class LateProjection final : public ModelProjection {
 public:
  explicit LateProjection(std::vector<GraphChange> late) : late_(std::move(late)) {}
  Result<std::vector<Entity>> entities(std::string_view after, std::size_t limit) const override {
    auto page = ModelProjection::entities(after, limit);
    auto& self = const_cast<LateProjection&>(*this);
    if (!late_.empty()) BB5_TRY(self.apply(std::exchange(self.late_, {})));
    return page;
  }

 private:
  std::vector<GraphChange> late_;
};

TEST(CompareGraphs, WhatWasOnItsWayIsLookedAtOnceMore) {
  ModelProjection left;
  const std::vector changes = {entity("a"), entity("b"), entity("c")};
  ASSERT_THAT(left.apply(changes), Succeeds());
  GraphChange renamed = entity("b", "new name");
  renamed.rev = renamed.entity.rev = 2;
  LateProjection right({renamed, entity("c")});
  ASSERT_THAT(right.apply(std::vector{entity("a"), entity("b")}), Succeeds());
  ASSERT_THAT(left.apply(std::vector{renamed}), Succeeds());
  EXPECT_THAT(found(left, right), IsEmpty());
}

/// A graph with a fault.
class FaultyGraph final : public ModelProjection {
 public:
  std::vector<Entity> rows;
  int calls_until_failure = -1;
  Result<std::vector<Entity>> entities(std::string_view after, std::size_t) const override {
    if (calls_until_failure >= 0 && calls_++ >= calls_until_failure)
      return Error{.code = Errc::unavailable, .message = "gone"};
    return after.empty() ? rows : std::vector<Entity>{};
  }

 private:
  mutable int calls_ = 0;
};

TEST(CompareGraphs, ARowThatASideHasTwiceIsNamed) {
  FaultyGraph left;
  FaultyGraph right;
  left.rows = {{.key = "a"}, {.key = "b"}};
  right.rows = {{.key = "a"}, {.key = "a"}, {.key = "b"}};
  EXPECT_THAT(found(left, right), ElementsAre("entity a row: one | two"));
  EXPECT_THAT(found(right, left), ElementsAre("entity a row: two | one"));
}

TEST(CompareGraphs, KeysOutOfOrderAreCorruptAndFailuresPassThrough) {
  FaultyGraph left;
  FaultyGraph right;
  left.rows = {{.key = "b"}, {.key = "a"}};
  EXPECT_THAT(compare_graphs(left, right), FailsWith(Errc::corrupt));
  for (int n = 0; n < 3; ++n) {
    FaultyGraph failing;
    failing.rows = {{.key = "a"}};
    failing.calls_until_failure = n;
    ModelProjection empty;
    EXPECT_THAT(compare_graphs(failing, empty), FailsWith(Errc::unavailable)) << n;
    EXPECT_THAT(compare_graphs(empty, failing), FailsWith(Errc::unavailable)) << n;
  }
}

TEST(CompareGraphs, StopsWhenToldTo) {
  ModelProjection left;
  ModelProjection right;
  ASSERT_THAT(left.apply(std::vector{entity("a"), entity("b")}), Succeeds());
  CompareOptions options;
  options.progress = [](std::int64_t) { return false; };
  EXPECT_THAT(compare_graphs(left, right, options), FailsWith(Errc::cancelled));
}

TEST(CompareGraphs, ReadsABanksOwnTables) {
  const auto left = new_in_memory_bank();
  const auto right = new_in_memory_bank();
  fill_bank(*left, 200, 1);
  fill_bank(*right, 200, 1);
  CompareOptions options;
  options.compare_revisions = false;
  options.page = 17;
  EXPECT_THAT(found(*left, *right, options), IsEmpty());
  erase_some(*right, 2);
  EXPECT_GT(compare_graphs(*left, *right, options)->found, 0);
}

}  // namespace
}  // namespace bb5
