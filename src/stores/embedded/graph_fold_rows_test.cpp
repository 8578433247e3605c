#include <algorithm>
#include <map>
#include <set>

#include "model/graph_fold.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

using testing::IsEmpty;

/// The graph as the bank's tables hold it, with revisions.
struct StoredGraph {
  std::map<std::string, Entity> entities;
  std::map<std::string, Relationship> relationships;
  std::map<std::string, Mention> mentions;
};

std::string key_of(const Mention& mention) {
  return mention.memory.to_string() + mention.entity_key;
}

StoredGraph read_graph(Bank& bank) {
  StoredGraph graph;
  const auto entities = bank.entities({}, 1'000'000);
  const auto relationships = bank.relationships({}, 1'000'000);
  const auto mentions = bank.mentions({}, 1'000'000);
  for (const Entity& row : *entities) graph.entities.emplace(row.key, row);
  for (const Relationship& row : *relationships)
    graph.relationships.emplace(relationship_key(row), row);
  for (const Mention& row : *mentions) graph.mentions.emplace(key_of(row), row);
  return graph;
}

FoldedGraph expected_graph(Bank& bank) {
  const auto entities = bank.entity_facts(0, 1'000'000);
  const auto relationships = bank.relationship_facts(0, 1'000'000);
  const auto memories = bank.page({.limit = 1'000'000});
  std::vector<MemoryMentions> mentions;
  for (const Memory& memory : *memories) {
    if (memory.kind == MemoryKind::memory) mentions.push_back({memory.id, memory.entities});
  }
  return fold(*entities, *relationships, mentions, EntityMerges(*bank.merges()));
}

template <class Row>
Row without_rev(Row row) {
  row.rev = 0;
  return row;
}

class FoldHistory {
 public:
  explicit FoldHistory(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const bool folded = change();
      if (folded) expect_folded();
    }
    EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
  }

 private:
  std::string name() {
    static const char* const names[] = {"Redis",   "redis", " REDIS ", "Disk",  "disk",
                                        "Lua",     "LUA",   "x␟y",     "",      "Straße",
                                        "STRASSE", "a:b",   "unknown", "Ünique"};
    return names[random_() % std::size(names)];
  }
  std::string type() {
    static const char* const types[] = {"technology", "Technology", "person",
                                        "unknown",    "",           "a:b%"};
    return types[random_() % std::size(types)];
  }
  std::optional<Timestamp> time() {
    if (random_() % 3 == 0) return std::nullopt;
    return Timestamp(
        std::chrono::seconds(1'700'000'000 + static_cast<std::int64_t>(random_() % 50)));
  }
  FactId fact_id() { return {Uuid::v5({}, "fact" + std::to_string(random_() % 60))}; }

  EntityFact entity_fact() {
    EntityFact fact{.id = fact_id()};
    fact.name = name();
    fact.type = type();
    fact.mentions = static_cast<std::int64_t>(random_() % 4);
    fact.first_seen = time();
    fact.last_seen = time();
    while (random_() % 3 == 0) fact.aliases.push_back(name());
    return fact;
  }
  RelationshipFact relationship_fact() {
    RelationshipFact fact{.id = {Uuid::v5({}, "edge" + std::to_string(random_() % 60))}};
    fact.subject = name();
    fact.object = name();
    fact.predicate = random_() % 2 == 0 ? "uses" : "runs on";
    if (random_() % 2 == 0) fact.confidence = static_cast<double>(random_() % 10) / 10;
    fact.observation_count = static_cast<std::int64_t>(random_() % 3);
    fact.first_observed = time();
    fact.last_observed = time();
    return fact;
  }
  MemoryId memory_id() { return memory_id_of("\"m" + std::to_string(random_() % 40) + '"'); }

  Memory memory() {
    Memory memory;
    memory.id = memory_id();
    memory.legacy_id = memory.id.to_string();
    memory.content = "text " + std::to_string(random_() % 1000);
    switch (random_() % 4) {
      case 0:
        memory.metadata = R"({"is_entity":true,"entity_name":")" + name() + R"(","entity_type":")" +
                          type() + R"(","mention_count":)" + std::to_string(random_() % 5) + "}";
        break;
      case 1:
        memory.metadata = R"({"is_relationship":true,"subject":")" + name() +
                          R"(","predicate":"uses","object":")" + name() + R"(","confidence":0.5})";
        break;
      default:
        memory.metadata = R"({"entities":[")" + name() + R"(",")" + name() + R"("]})";
    }
    derive_columns(memory);
    return memory;
  }

  /// Does something at random. False: the graph may be behind now.
  bool change() {
    if (random_() % 6 == 0) {
      EXPECT_THAT(bank_->erase(memory_id()), Succeeds());
      // Erasing what is not there folds nothing.
      return !stale_ || bank_->fold_graph().has_value();
    }
    if (random_() % 15 == 0) bank_ = reopened();
    std::map<MemoryId, Memory> memories;
    std::map<FactId, EntityFact> entities;
    std::map<FactId, RelationshipFact> relationships;
    for (std::uint64_t i = random_() % 4; i > 0; --i) {
      auto made = memory();
      memories.insert_or_assign(made.id, made);
    }
    for (std::uint64_t i = random_() % 4; i > 0; --i) {
      auto made = entity_fact();
      entities.insert_or_assign(made.id, made);
    }
    for (std::uint64_t i = random_() % 4; i > 0; --i) {
      auto made = relationship_fact();
      relationships.insert_or_assign(made.id, made);
    }
    const auto values = [](const auto& map) {
      std::vector<typename std::decay_t<decltype(map)>::mapped_type> list;
      list.reserve(map.size());
      for (const auto& [id, value] : map) list.push_back(value);
      return list;
    };
    const bool fold = random_() % 5 != 0;
    EXPECT_THAT(
        bank_->write({.memories = values(memories),
                      .entity_facts = values(entities),
                      .relationship_facts = values(relationships),
                      .on_conflict = random_() % 3 == 0 ? OnConflict::keep : OnConflict::replace,
                      .fold = fold}),
        Succeeds());
    stale_ = stale_ || !fold;
    if (fold) stale_ = false;
    return fold;
  }

  /// The tables are the fold; a row's revision is new exactly when the row is; the outbox holds
  /// exactly what changed since it was emptied.
  void expect_folded() {
    stale_ = false;
    const StoredGraph now = read_graph(*bank_);
    const FoldedGraph expected = expected_graph(*bank_);
    compare(now.entities, expected.entities);
    compare(now.relationships, expected.relationships);
    std::set<std::string> mentions;
    for (const Mention& mention : expected.mentions) mentions.insert(key_of(mention));
    std::set<std::string> stored;
    for (const auto& [key, mention] : now.mentions) stored.insert(key);
    EXPECT_EQ(stored, mentions);

    std::set<std::string> changed;
    differ(before_.entities, now.entities, "entity ", changed);
    differ(before_.relationships, now.relationships, "relationship ", changed);
    differ(before_.mentions, now.mentions, "mention ", changed);
    const auto pending = bank_->pending_changes(1'000'000);
    ASSERT_THAT(pending, Succeeds());
    std::set<std::string> announced;
    for (const GraphChange& change : *pending) announced.insert(shown(change, now));
    for (const auto& change : changed)
      EXPECT_TRUE(announced.contains(change)) << change << " is not announced";
    for (const auto& change : announced)
      EXPECT_TRUE(changed.contains(change)) << change << " is announced, and did not";
    ASSERT_THAT(bank_->mark_applied(*pending), Succeeds());
    EXPECT_THAT(bank_->pending_changes(10), HasValue(IsEmpty()));
    before_ = now;
  }

  template <class Row>
  static void compare(const std::map<std::string, Row>& stored,
                      const std::map<std::string, Row>& expected) {
    for (const auto& [key, row] : expected) {
      ASSERT_TRUE(stored.contains(key)) << key << " is missing";
      EXPECT_TRUE(without_rev(stored.at(key)) == row) << key << " differs";
    }
    EXPECT_EQ(stored.size(), expected.size());
  }

  template <class Row>
  static void differ(const std::map<std::string, Row>& before,
                     const std::map<std::string, Row>& now, const std::string& kind,
                     std::set<std::string>& changed) {
    for (const auto& [key, row] : now) {
      const auto old = before.find(key);
      const bool same = old != before.end() && without_rev(old->second) == without_rev(row);
      // A row that went and came back between two looks at it is the same with a later revision.
      if (same && old->second.rev == row.rev) continue;
      if (!same && old != before.end()) {
        EXPECT_GT(row.rev, old->second.rev) << key;
      }
      changed.insert(kind + key + " rev " + std::to_string(row.rev));
    }
    for (const auto& [key, row] : before) {
      if (!now.contains(key)) changed.insert(kind + key + " removed");
    }
  }

  static std::string shown(const GraphChange& change, const StoredGraph& now) {
    std::string text;
    switch (change.kind) {
      case GraphChange::Kind::entity:
        text = "entity " + change.entity.key;
        if (!change.removed) {
          EXPECT_TRUE(change.entity == now.entities.at(change.entity.key));
        }
        break;
      case GraphChange::Kind::relationship:
        text = "relationship " + relationship_key(change.relationship);
        if (!change.removed) {
          EXPECT_TRUE(change.relationship ==
                      now.relationships.at(relationship_key(change.relationship)));
        }
        break;
      case GraphChange::Kind::mention:
        text = "mention " + key_of(change.mention);
        break;
    }
    return text + (change.removed ? " removed" : " rev " + std::to_string(change.rev));
  }

  std::unique_ptr<Bank> reopened() {
    bank_.reset();
    return open_bank(folder_ / "bank.db");
  }

  std::mt19937_64 random_;
  TemporaryFolder folder_;
  std::unique_ptr<Bank> bank_ = open_bank(folder_ / "bank.db");
  bool stale_ = false;
  StoredGraph before_;
};

TEST(GraphFoldRows, AnyHistoryGivesTheFoldOfItsFactsAndAnnouncesExactlyWhatChanged) {
  const std::uint64_t seed = test_seed();
  const int histories = soak() ? 200 : 4;
  for (int i = 0; i < histories && !testing::Test::HasFailure(); ++i) {
    FoldHistory(seed + static_cast<std::uint64_t>(i)).run(80);
  }
}

}  // namespace
}  // namespace bb5::embedded
