#include <algorithm>
#include <iterator>

#include "stores/embedded/testing/sample_memories.hpp"
#include "stores/in_memory/in_memory_bank.hpp"

// The same random calls to this store and to the in-memory one, which is the model: equal answers.
namespace bb5::embedded {
namespace {

class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) {
    EXPECT_THAT(model_->set_embedder(embedder_), Succeeds());
    EXPECT_THAT(ours_->set_embedder(embedder_), Succeeds());
    EXPECT_THAT(model_->begin_run(run()), Succeeds());
    EXPECT_THAT(ours_->begin_run(run()), Succeeds());
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      change();
      compare();
    }
  }

 private:
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *std::next(values.begin(), static_cast<std::ptrdiff_t>(random_() % values.size()));
  }
  std::string name() {
    return one_of<const char*>({"Redis", "redis", "Disk", "Lua", "Straße", "STRASSE", ""});
  }
  std::optional<Timestamp> time() {
    if (random_() % 3 == 0) return std::nullopt;
    return Timestamp(std::chrono::microseconds(static_cast<std::int64_t>(random_() % 1'000'000)));
  }
  static LedgerRun run() {
    LedgerRun run;
    run.run = {Uuid::v5({}, "run")};
    run.files = {
        {.file = "memories.json", .part = LedgerPart::memories, .sha256 = std::string(32, 'x')}};
    return run;
  }

  Memory memory() {
    Memory memory;
    const auto number = random_() % 60;
    memory.id = memory_id_of("\"m" + std::to_string(number) + '"');
    memory.legacy_id = "m" + std::to_string(number / 2);  // two memories share one
    memory.content = "text " + std::to_string(random_() % 4);
    memory.network = one_of<const char*>({"world", "opinion", "other"});
    switch (random_() % 5) {
      case 0:
        memory.metadata =
            R"({"is_entity":true,"entity_name":")" + name() + R"(","mention_count":2})";
        break;
      case 1:
        memory.metadata = R"({"is_relationship":true,"subject":")" + name() + R"(","object":")" +
                          name() + R"(","confidence":0.25})";
        break;
      default:
        memory.metadata =
            R"({"confidence":0.5,"entities":[")" + name() + R"(",")" + name() + R"("]})";
    }
    derive_columns(memory);
    memory.created_at = time();
    if (random_() % 2 == 0) {
      memory.embedding = {static_cast<float>(1 + random_() % 3), static_cast<float>(random_() % 3),
                          1};
      memory.vector_state = VectorState::indexed;
    } else if (random_() % 3 == 0) {
      memory.vector_state = VectorState::foreign;
      memory.raw = RawRecord{.text = "{\"x\":1}", .embedding_at = 3};
    }
    return memory;
  }

  // TODO: let facts name a memory here, once the in-memory bank forgets the ids of facts that it
  // erases with their memory.
  EntityFact entity() {
    EntityFact fact{.id = {Uuid::v5({}, "e" + std::to_string(random_() % 20))}};
    fact.name = name();
    fact.type = one_of<const char*>({"technology", "Technology", "person"});
    fact.mentions = static_cast<std::int64_t>(random_() % 3);
    fact.first_seen = time();
    return fact;
  }

  RelationshipFact relationship() {
    RelationshipFact fact{.id = {Uuid::v5({}, "r" + std::to_string(random_() % 20))}};
    fact.subject = name();
    fact.object = name();
    if (random_() % 2 == 0) fact.confidence = static_cast<double>(random_() % 4) / 4;
    fact.first_observed = time();
    return fact;
  }

  template <class Make>
  auto some(Make make) {
    std::vector<decltype(make())> items;
    for (auto count = random_() % 5; count > 0; --count) {
      auto item = make();
      const bool twice = std::any_of(items.begin(), items.end(),
                                     [&](const auto& other) { return other.id == item.id; });
      if (!twice) items.push_back(std::move(item));
    }
    return items;
  }

  void change() {
    switch (random_() % 10) {
      case 0: {
        const MemoryId gone = memory().id;
        const auto expected = model_->erase(gone);
        const auto found = ours_->erase(gone);
        ASSERT_THAT(found, Succeeds());
        EXPECT_EQ(*found, *expected);
        return;
      }
      case 1: {
        auto changes = model_->pending_changes(1 + random_() % 20);
        ASSERT_THAT(model_->mark_applied(*changes), Succeeds());
        for (GraphChange& change : *changes) change.rev = 1'000'000;  // revisions count differently
        ASSERT_THAT(ours_->mark_applied(*changes), Succeeds());
        return;
      }
      case 2:
        ASSERT_THAT(model_->requeue_all(), Succeeds());
        ASSERT_THAT(ours_->requeue_all(), Succeeds());
        return;
      case 3:
        change_model();
        return;
      case 4:
        if (random_() % 4 != 0) return;
        EXPECT_EQ(*ours_->drop_other_vectors(), *model_->drop_other_vectors());
        return;
      default:
        write();
    }
  }

  /// Collects for one of three models, all of it or a part, and tries to change to it.
  void change_model() {
    const EmbedderInfo next{one_of<const char*>({"test", "test/b", "test/c"}), 3};
    std::vector<MadeVector> made;
    for (const Memory& memory : *ours_->lacking(next.model, 0, 1 + random_() % 60))
      made.push_back({memory.id,
                      content_sha256_of(memory.content),
                      {static_cast<float>(random_() % 5), 1, static_cast<float>(random_() % 3)}});
    const auto held = ours_->hold_vectors(next, made);
    const auto expected_held = model_->hold_vectors(next, made);
    ASSERT_EQ(held.has_value(), expected_held.has_value());
    EXPECT_EQ(held.has_value() ? *held : -1, held.has_value() ? *expected_held : -1);
    const auto lacking = ours_->change_model(next);
    ASSERT_THAT(lacking, Succeeds());
    EXPECT_EQ(*lacking, *model_->change_model(next));
  }

  void write() {
    const auto memories = some([&] { return memory(); });
    const auto entities = some([&] { return entity(); });
    const auto relationships = some([&] { return relationship(); });
    LedgerBatch ledger;
    ledger.run = run().run;
    ledger.file = "memories.json";
    ledger.batch_no = batch_no_;
    ledger.records = std::ssize(memories);
    ledger.conflicts_allowed = static_cast<std::int64_t>(random_() % 3);
    for (std::size_t i = 0; i < memories.size(); ++i)
      ledger.places.push_back({static_cast<std::int64_t>(i), 10});
    const WriteBatch batch{.memories = memories,
                           .entity_facts = entities,
                           .relationship_facts = relationships,
                           .on_conflict = one_of({OnConflict::keep, OnConflict::replace}),
                           .ledger = random_() % 2 == 0 ? &ledger : nullptr};
    const auto expected = model_->write(batch);
    const auto found = ours_->write(batch);
    ASSERT_EQ(found.has_value(), expected.has_value());
    if (!expected) {
      EXPECT_EQ(found.error().code, expected.error().code);
      return;
    }
    if (batch.ledger != nullptr) ++batch_no_;
    EXPECT_EQ(found->memories, expected->memories);
    EXPECT_EQ(found->entity_facts, expected->entity_facts);
    EXPECT_EQ(found->relationship_facts, expected->relationship_facts);
  }

  template <class Row>
  static std::vector<Row> without_revs(std::vector<Row> rows) {
    for (Row& row : rows) row.rev = 0;
    return rows;
  }

  void compare() {
    PageRequest request;
    request.after_seq = static_cast<std::int64_t>(random_() % 20);
    request.limit = 1 + random_() % 40;
    if (random_() % 2 == 0)
      request.filter.networks = {one_of<const char*>({"world", "opinion", "none"}), "other"};
    if (random_() % 2 == 0)
      request.filter.kinds = {one_of({MemoryKind::memory, MemoryKind::entity})};
    if (random_() % 3 == 0) request.filter.entities = {one_of<const char*>({"redis ", "LUA"})};
    if (random_() % 4 == 0)
      request.filter.min_confidence = 0.1 * static_cast<double>(random_() % 10);
    request.with_embeddings = random_() % 2 == 0;
    EXPECT_TRUE(*ours_->page(request) == *model_->page(request));
    const std::string legacy_id = "m" + std::to_string(random_() % 30);
    EXPECT_TRUE(*ours_->find(legacy_id) == *model_->find(legacy_id));
    const MemoryId ids[] = {memory().id, memory().id, memory().id};
    EXPECT_TRUE(*ours_->get(ids, true) == *model_->get(ids, true));

    auto stats = *ours_->stats();
    stats.bytes_on_disk = 0;
    const auto expected = *model_->stats();
    EXPECT_EQ(stats.memories, expected.memories);
    EXPECT_EQ(stats.networks, expected.networks);
    EXPECT_EQ(stats.kinds, expected.kinds);
    EXPECT_EQ(stats.vectors, expected.vectors);
    EXPECT_EQ(stats.other_vectors, expected.other_vectors);
    EXPECT_EQ(*ours_->embedder(), *model_->embedder());
    for (const char* model : {"test", "test/b"}) {
      const auto held = *ours_->held_vectors(model, 2, 30);
      const auto wanted = *model_->held_vectors(model, 2, 30);
      EXPECT_TRUE(std::equal(
          held.begin(), held.end(), wanted.begin(), wanted.end(),
          [](const auto& a, const auto& b) { return a.seq == b.seq && a.vector == b.vector; }));
    }
    EXPECT_EQ(stats.entities, expected.entities);
    EXPECT_EQ(stats.relationships, expected.relationships);
    EXPECT_EQ(stats.mentions, expected.mentions);
    EXPECT_EQ(stats.outbox_pending, expected.outbox_pending);
    EXPECT_EQ(stats.oldest, expected.oldest);
    EXPECT_EQ(stats.newest, expected.newest);

    EXPECT_TRUE(*ours_->entity_facts(3, 50) == *model_->entity_facts(3, 50));
    EXPECT_TRUE(*ours_->relationship_facts(3, 50) == *model_->relationship_facts(3, 50));
    EXPECT_TRUE(without_revs(*ours_->entities("p", 3)) == without_revs(*model_->entities("p", 3)));
    EXPECT_TRUE(without_revs(*ours_->relationships("t", 30)) ==
                without_revs(*model_->relationships("t", 30)));
    const Mention after{.memory = memory().id, .entity_key = "technology:lua", .rev = 0};
    EXPECT_TRUE(without_revs(*ours_->mentions(after, 10)) ==
                without_revs(*model_->mentions(after, 10)));
    for (const char* entity_name : {" redis", "DISK", "strasse", "nothing"}) {
      auto found = *ours_->entity_named(entity_name);
      auto wanted = *model_->entity_named(entity_name);
      ASSERT_EQ(found.has_value(), wanted.has_value()) << entity_name;
      if (!found) continue;
      found->rev = wanted->rev = 0;
      EXPECT_TRUE(*found == *wanted) << entity_name;
      const auto neighbours = ours_->neighbours(found->key, 4);
      const auto expected_neighbours = model_->neighbours(wanted->key, 4);
      ASSERT_EQ(neighbours->size(), expected_neighbours->size());
      for (std::size_t i = 0; i < neighbours->size(); ++i) {
        EXPECT_EQ((*neighbours)[i].entity.key, (*expected_neighbours)[i].entity.key);
        EXPECT_EQ((*neighbours)[i].predicate, (*expected_neighbours)[i].predicate);
        EXPECT_EQ((*neighbours)[i].outgoing, (*expected_neighbours)[i].outgoing);
      }
    }
    const std::vector<float> query = {1, static_cast<float>(random_() % 5), 2};
    const auto nearest = ours_->nearest(query, 7, request.filter);
    const auto expected_nearest = model_->nearest(query, 7, request.filter);
    EXPECT_EQ(nearest->hits, expected_nearest->hits);
    EXPECT_EQ(nearest->plan.looked_at, expected_nearest->plan.looked_at);
    const auto batches = ours_->batches(run().run);
    const auto expected_batches = model_->batches(run().run);
    ASSERT_EQ(batches->size(), expected_batches->size());
    if (!batches->empty()) {
      EXPECT_EQ(batches->back().loaded, expected_batches->back().loaded);
      EXPECT_EQ(batches->back().rejected, expected_batches->back().rejected);
    }
    EXPECT_TRUE([&] {
      const auto found = ours_->issues(run().run, 1000);
      const auto wanted = model_->issues(run().run, 1000);
      return std::equal(found->begin(), found->end(), wanted->begin(), wanted->end(),
                        [](const auto& a, const auto& b) {
                          return a.file == b.file && a.issue.ordinal == b.issue.ordinal &&
                                 a.issue.code == b.issue.code;
                        });
    }());
    expect_same_changes();
  }

  void expect_same_changes() {
    const auto found = ours_->pending_changes(1'000);
    const auto wanted = model_->pending_changes(1'000);
    ASSERT_EQ(found->size(), wanted->size());
    for (std::size_t i = 0; i < found->size(); ++i) {
      const GraphChange& a = (*found)[i];
      const GraphChange& b = (*wanted)[i];
      EXPECT_EQ(a.kind, b.kind);
      EXPECT_EQ(a.removed, b.removed);
      EXPECT_EQ(a.entity.key, b.entity.key);
      EXPECT_EQ(relationship_key(a.relationship), relationship_key(b.relationship));
      EXPECT_EQ(a.mention.memory, b.mention.memory);
      EXPECT_EQ(a.mention.entity_key, b.mention.entity_key);
    }
  }

  const EmbedderInfo embedder_{.model = "test", .dimension = 3};
  std::mt19937_64 random_;
  TemporaryFolder folder_;
  std::unique_ptr<Bank> ours_ = open_bank(folder_ / "bank.db");
  std::unique_ptr<Bank> model_ = new_in_memory_bank();
  std::int64_t batch_no_ = 0;
};

TEST(EmbeddedBankAgainstTheModel, AnswersEveryCallAlike) {
  const std::uint64_t seed = test_seed();
  const int histories = soak() ? 100 : 3;
  for (int i = 0; i < histories && !testing::Test::HasFailure(); ++i) {
    Pair(seed + static_cast<std::uint64_t>(i)).run(100);
  }
}

}  // namespace
}  // namespace bb5::embedded
