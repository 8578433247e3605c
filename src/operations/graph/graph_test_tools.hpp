#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ports/bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/model_projection.hpp"

/// For tests of what lies between a bank and a projection.
namespace bb5 {

/// A projection that does as its test says before and after each call of apply().
class ScriptedProjection final : public ModelProjection {
 public:
  using Step = std::function<Result<>(std::span<const GraphChange>)>;
  Step before = {};  ///< An error: nothing is applied.
  Step after = {};   ///< An error: applied, and the answer is lost.
  std::function<Result<>()> before_clear = {};
  std::vector<std::size_t> calls;  ///< Rows of each.

  Result<> apply(std::span<const GraphChange> changes) override {
    calls.push_back(changes.size());
    if (before) BB5_TRY(before(changes));
    BB5_TRY(ModelProjection::apply(changes));
    return after ? after(changes) : ok();
  }
  Result<> clear() override {
    if (before_clear) BB5_TRY(before_clear());
    return ModelProjection::clear();
  }
};

/// A record that fails in its n-th step towards the outbox (counted from 1), before it or after it.
class FailingRecord final : public EntityRecord {
 public:
  explicit FailingRecord(EntityRecord& inner) : inner_(inner) {}
  int fail_at = 0;
  bool after = false;
  int steps = 0;

  Result<GraphCounts> graph_counts() const override { return inner_.graph_counts(); }
  Result<std::vector<Entity>> entities(std::string_view key, std::size_t limit) const override {
    return inner_.entities(key, limit);
  }
  Result<std::vector<Relationship>> relationships(std::string_view key,
                                                  std::size_t limit) const override {
    return inner_.relationships(key, limit);
  }
  Result<std::vector<Mention>> mentions(const Mention& key, std::size_t limit) const override {
    return inner_.mentions(key, limit);
  }
  Result<std::vector<Neighbour>> neighbours(std::string_view key,
                                            std::size_t limit) const override {
    return inner_.neighbours(key, limit);
  }
  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    return inner_.entity_named(name);
  }
  Result<> fold_graph() override { return inner_.fold_graph(); }
  Result<std::vector<EntityFact>> entity_facts(std::int64_t seq, std::size_t limit) const override {
    return inner_.entity_facts(seq, limit);
  }
  Result<std::vector<RelationshipFact>> relationship_facts(std::int64_t seq,
                                                           std::size_t limit) const override {
    return inner_.relationship_facts(seq, limit);
  }
  Result<std::vector<EntityFact>> get_entity_facts(std::span<const FactId> ids) const override {
    return inner_.get_entity_facts(ids);
  }
  Result<std::vector<RelationshipFact>> get_relationship_facts(
      std::span<const FactId> ids) const override {
    return inner_.get_relationship_facts(ids);
  }
  Result<std::vector<EntityMerge>> merges() const override { return inner_.merges(); }
  Result<> merge_entities(std::span<const EntityMerge> merges) override {
    return inner_.merge_entities(merges);
  }
  Result<bool> split_entity(std::string_view from_key) override {
    return inner_.split_entity(from_key);
  }
  Result<std::vector<KeptApart>> kept_apart() const override { return inner_.kept_apart(); }
  Result<> keep_apart(std::span<const KeptApart> pairs) override {
    return inner_.keep_apart(pairs);
  }
  Result<bool> keep_apart_no_more(std::string_view key, std::string_view other) override {
    return inner_.keep_apart_no_more(key, other);
  }
  Result<> visit_entities(std::int64_t rev,
                          const std::function<void(const Entity&)>& visit) const override {
    return inner_.visit_entities(rev, visit);
  }
  Result<ResolvedMark> resolved_mark() const override { return inner_.resolved_mark(); }
  Result<std::vector<EntityMerge>> merge_resolved(std::span<const EntityMerge> merges,
                                                  std::int64_t up_to) override {
    return inner_.merge_resolved(merges, up_to);
  }
  Result<std::vector<GraphChange>> pending_changes(std::size_t limit) override {
    return step<std::vector<GraphChange>>([&] { return inner_.pending_changes(limit); });
  }
  Result<> mark_applied(std::span<const GraphChange> changes) override {
    return step<std::monostate>([&] { return inner_.mark_applied(changes); });
  }
  Result<> requeue_all() override {
    return step<std::monostate>([&] { return inner_.requeue_all(); });
  }
  Result<std::unique_ptr<MigrationLock>> lock_relay() override { return inner_.lock_relay(); }

 private:
  template <class T>
  Result<T> step(const std::function<Result<T>()>& action) {
    const bool fails = ++steps == fail_at;
    Result<T> result = fails && !after ? Result<T>() : action();
    if (fails) return Error{.code = Errc::unavailable, .message = "the record went away"};
    return result;
  }
  EntityRecord& inner_;
};

/// Facts and memories of `size` entities, with odd names among them.
inline void fill_bank(Bank& bank, int size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<std::string> odd = {
      "back`tick", "\U0001F600 smile", "\uFF5E wave", "a",        "a b",
      "ab",        "quote\"'",         "\\u0060",     "Caf\u00E9"};
  const auto name = [&](int number) {
    const auto index = static_cast<std::size_t>(number);
    return index < odd.size() ? odd[index] : "Entity " + std::to_string(number);
  };
  const auto any = [&] { return name(static_cast<int>(random() % static_cast<unsigned>(size))); };
  std::vector<EntityFact> entities;
  std::vector<RelationshipFact> relationships;
  std::vector<Memory> memories;
  for (int i = 0; i < size; ++i) {
    entities.push_back(make_entity(name(i), i % 3 == 0 ? "concept" : "technology",
                                   static_cast<std::int64_t>(1 + random() % 9)));
    entities.back().aliases = {"alias " + std::to_string(i)};
    if (i % 2 == 0)
      entities.back().first_seen = Timestamp(std::chrono::microseconds(1'700'000'000'123'457 + i));
    relationships.push_back(make_relationship(any(), i % 4 == 0 ? "part of" : "uses", any()));
    if (i % 2 == 0) relationships.back().confidence = static_cast<double>(i % 100) / 100;
    if (i % 3 == 0)
      memories.push_back(with_metadata(
          make_memory("memory " + std::to_string(seed) + "/" + std::to_string(i)),
          R"({"entities":["Entity )" + std::to_string(random() % static_cast<unsigned>(size)) +
              R"(","somebody new )" + std::to_string(i % 5) + "\"]}"));
  }
  const auto written = bank.write({.memories = memories,
                                   .entity_facts = entities,
                                   .relationship_facts = relationships,
                                   .on_conflict = OnConflict::replace});
  EXPECT_THAT(written, Succeeds());
}

/// Takes some memories away again, and with them entities, relationships and mentions.
inline void erase_some(Bank& bank, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto page = bank.page({.limit = 100'000});
  ASSERT_THAT(page, Succeeds());
  for (const auto& memory : *page) {
    if (random() % 3 != 0) continue;
    ASSERT_THAT(bank.erase(memory.id), Succeeds());
  }
}

}  // namespace bb5
