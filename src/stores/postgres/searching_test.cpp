// Which plans the searches run, and that an approximate index never makes an answer short.
#include <cmath>
#include <random>
#include <set>

#include <fmt/format.h>

#include "stores/postgres/filter.hpp"
#include "stores/postgres/search.hpp"
#include "stores/postgres/test_server.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::size_t dimension = 32;

class PostgresSearching : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_no_server().empty()) GTEST_SKIP() << why_no_server();
    schema_ = std::make_unique<TestSchema>();
  }

  Bank& open(PostgresOptions::VectorIndex index) {
    auto options = schema_->options();
    options.vector_index = index;
    auto bank = open_postgres_bank(options);
    EXPECT_THAT(bank, Succeeds());
    bank_ = std::move(*bank);
    EXPECT_THAT(bank_->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
    return *bank_;
  }

  std::vector<float> vector() {
    std::normal_distribution<float> normal;
    std::vector<float> v(dimension);
    for (float& x : v) x = normal(random_);
    return v;
  }

  void load(Bank& bank, int count) {
    for (int i = 0; i < count; ++i) {
      memories_.push_back(vector_memory(fmt::format("m{}", i), vector()));
      memories_.back().network = i % 50 == 0 ? "world" : "opinion";
    }
    ASSERT_THAT(bank.write({.memories = memories_, .fold = false}), Succeeds());
  }

  static Result<> derive(Bank& bank) {
    return bank.derive([](const MemorySearch::DerivedStep&) { return true; });
  }

  std::vector<MemoryId> brute_force(const std::vector<float>& query, std::size_t k) const {
    std::vector<std::pair<double, MemoryId>> scored;
    for (const Memory& memory : memories_) {
      double dot = 0;
      double aa = 0;
      double bb = 0;
      for (std::size_t i = 0; i < query.size(); ++i) {
        dot += static_cast<double>(query[i]) * memory.embedding[i];
        aa += static_cast<double>(query[i]) * query[i];
        bb += static_cast<double>(memory.embedding[i]) * memory.embedding[i];
      }
      scored.emplace_back(dot / (std::sqrt(aa) * std::sqrt(bb)), memory.id);
    }
    std::stable_sort(scored.begin(), scored.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<MemoryId> ids;
    for (std::size_t i = 0; i < std::min(k, scored.size()); ++i) ids.push_back(scored[i].second);
    return ids;
  }

  static std::vector<MemoryId> ids_of(const SearchResult& result) {
    std::vector<MemoryId> ids;
    for (const Hit& hit : result.hits) ids.push_back(hit.id);
    return ids;
  }

  std::string plan_of(const std::string& sql, const MemoryFilter& filter,
                      const std::string& settings) {
    const auto connection = connect();
    Params params;
    params.vector(std::vector<float>(dimension, 0.1f)).int8(20);
    params.append(condition_of(filter, 3).params);
    return explain(*connection, schema_->sql(sql), params, settings);
  }

  /// `valid`, `invalid` or `none`.
  std::string words_index() const {
    return query_text(
        *connect(),
        fmt::format("SELECT coalesce((SELECT CASE WHEN x.indisvalid THEN 'valid' ELSE 'invalid' END"
                    " FROM pg_indexes i JOIN pg_index x"
                    " ON x.indexrelid = format('%I.%I', i.schemaname, i.indexname)::regclass"
                    " WHERE i.schemaname = '{}' AND i.indexname = 'memories_words'), 'none')",
                    schema_->names().schema()));
  }

  std::mt19937_64 random_{test_seed()};
  std::unique_ptr<TestSchema> schema_;
  std::unique_ptr<Bank> bank_;
  std::vector<Memory> memories_;
};

TEST_F(PostgresSearching, AChangeOfTheModelDropsTheIndexAndDeriveMakesItAnew) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 1'500);
  ASSERT_THAT(derive(bank), Succeeds());
  auto other = open_postgres_bank(schema_->options());
  ASSERT_THAT(other, Succeeds());
  ASSERT_FALSE((*other)->nearest({vector(), "test"}, 5, {})->plan.exact);

  const EmbedderInfo next{"test/next", dimension / 2};
  const auto shorter = [&] {
    auto numbers = vector();
    numbers.resize(next.dimension);
    return numbers;
  };
  std::vector<MadeVector> made;
  for (const Memory& memory : *bank.lacking(next.model, 0, 10'000))
    made.push_back({memory.id, content_sha256_of(memory.content), shorter()});
  ASSERT_THAT(bank.hold_vectors(next, made), HasValue(1'500));
  ASSERT_THAT(bank.change_model(next), HasValue(0));
  EXPECT_THAT((*other)->nearest({vector(), "test"}, 5, {}), FailsWith(Errc::conflict));
  for (Bank* one : {&bank, other->get()}) {
    const auto found = one->nearest({shorter(), next.model}, 5, {});
    ASSERT_THAT(found, Succeeds());
    EXPECT_THAT(found->hits, SizeIs(5));
    EXPECT_TRUE(found->plan.exact);
  }
  ASSERT_THAT(derive(bank), Succeeds());
  EXPECT_THAT(bank.nearest({shorter(), next.model}, 5, {})->plan.index, HasSubstr("hnsw"));
  EXPECT_THAT(bank.check(true), HasValue(IsEmpty()));
}

TEST_F(PostgresSearching, TheExactModeScansAndTheIndexedOneUsesTheIndex) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 2'000);
  EXPECT_TRUE(bank.nearest(vector(), 5, {})->plan.exact);
  ASSERT_THAT(derive(bank), Succeeds());

  const MemoryFilter world{.networks = {"world"}};
  const MemoryFilter valid{.valid_at = now()};
  for (const MemoryFilter& filter : {MemoryFilter{}, world, valid}) {
    // However cheap an index is made to look, the exact statement cannot use it.
    EXPECT_THAT(plan_of(Search::exact_sql(filter), filter, "SET LOCAL enable_seqscan = off"),
                Not(HasSubstr("memories_vectors")));
    EXPECT_THAT(
        plan_of(Search::indexed_sql(dimension, filter), filter, "SET LOCAL enable_sort = off"),
        HasSubstr("Index Scan using memories_vectors"));
  }
  for (const MemoryFilter& filter : {MemoryFilter{}, valid}) {
    EXPECT_THAT(plan_of(Search::indexed_sql(dimension, filter), filter, ""),
                HasSubstr("Index Scan using memories_vectors"));
  }

  const auto result = bank.nearest(vector(), 5, {});
  EXPECT_FALSE(result->plan.exact);
  EXPECT_THAT(result->plan.index, HasSubstr("hnsw"));
}

TEST_F(PostgresSearching, TheGraphFindsNearlyAllAndScoresThemExactly) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 2'000);
  ASSERT_THAT(derive(bank), Succeeds());
  std::size_t found = 0;
  for (int round = 0; round < 50; ++round) {
    const auto query = vector();
    const auto expected = brute_force(query, 10);
    const auto result = bank.nearest(query, 10, {});
    ASSERT_THAT(result, Succeeds());
    ASSERT_THAT(result->hits, SizeIs(10));
    for (const MemoryId& id : ids_of(*result)) {
      found += std::count(expected.begin(), expected.end(), id) > 0 ? 1 : 0;
    }
  }
  EXPECT_GE(static_cast<double>(found) / 500, 0.95);
}

TEST_F(PostgresSearching, AnIndexNeverMakesAnAnswerShort) {
  for (const auto index :
       {PostgresOptions::VectorIndex::hnsw, PostgresOptions::VectorIndex::ivfflat}) {
    schema_ = std::make_unique<TestSchema>();
    memories_.clear();
    Bank& bank = open(index);
    load(bank, 1'500);
    ASSERT_THAT(derive(bank), Succeeds());
    EXPECT_THAT(bank.nearest(vector(), 30, {.networks = {"world"}})->hits, SizeIs(30));
    EXPECT_THAT(bank.nearest(vector(), 100, {.networks = {"world"}})->hits, SizeIs(30))
        << "all there are";
    EXPECT_THAT(bank.nearest(vector(), 1'400, {})->hits, SizeIs(1'400));
    for (int i = 0; i < 1'200; ++i)
      ASSERT_THAT(bank.erase(memories_[static_cast<std::size_t>(i)].id), HasValue(true));
    EXPECT_THAT(bank.nearest(vector(), 250, {})->hits, SizeIs(250));
    EXPECT_THAT(bank.nearest(vector(), 400, {})->hits, SizeIs(300));
    bank_.reset();
  }
}

TEST_F(PostgresSearching, AnIndexNeverMakesAnAnswerShortForWhatIsNotValid) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 1'500);
  ASSERT_THAT(derive(bank), Succeeds());
  const auto query = vector();
  const Timestamp moment = now();
  // The nearest 600 end, and the next 300 have not begun.
  const auto order = brute_force(query, 900);
  std::vector<Memory> closed;
  for (Memory& memory : memories_) {
    const auto place = std::find(order.begin(), order.end(), memory.id) - order.begin();
    if (place < 600) memory.valid_until = moment;
    if (place >= 600 && place < 900) memory.valid_from = moment + std::chrono::hours(1);
    if (place < 900) closed.push_back(memory);
  }
  ASSERT_THAT(bank.write({.memories = closed, .on_conflict = OnConflict::replace}), Succeeds());
  const MemoryFilter valid{.valid_at = moment};
  std::erase_if(memories_, [](const Memory& m) { return m.valid_until || m.valid_from; });
  const auto expected = brute_force(query, 10);
  const auto found = bank.nearest(query, 10, valid);
  ASSERT_THAT(found, HasValue(testing::Field(&SearchResult::hits, SizeIs(10))));
  std::size_t same = 0;
  for (const MemoryId& id : ids_of(*found))
    same += std::count(expected.begin(), expected.end(), id) > 0 ? 1 : 0;
  EXPECT_GE(same, 9u) << found->plan.index;
  EXPECT_THAT(bank.nearest(query, 600, valid)->hits, SizeIs(600));
  EXPECT_THAT(bank.nearest(query, 700, valid)->hits, SizeIs(600)) << "all there are";
}

/// Memories that say something of themselves, little of it common to many.
void describe(std::vector<Memory>& memories) {
  for (std::size_t i = 0; i < memories.size(); ++i) {
    Memory& memory = memories[i];
    const auto metadata = fmt::format(
        R"({{"category":"c{}","task_id":"t{}","entities":["E{}"],"confidence":0.{},"n":{}}})",
        i % 3, i % 40, i % 100, i % 10, i % 7);
    memory = with_metadata(std::move(memory), metadata);
    memory.created_at = Timestamp(std::chrono::seconds(i));
  }
}

TEST_F(PostgresSearching, AnIndexNeverMakesAnAnswerShortUnderAnyFilter) {
  for (const auto index :
       {PostgresOptions::VectorIndex::hnsw, PostgresOptions::VectorIndex::ivfflat}) {
    schema_ = std::make_unique<TestSchema>();
    memories_.clear();
    Bank& bank = open(index);
    load(bank, 1'500);
    describe(memories_);
    ASSERT_THAT(bank.write({.memories = memories_, .on_conflict = OnConflict::replace}),
                Succeeds());
    ASSERT_THAT(derive(bank), Succeeds());
    const auto chance = [&](unsigned of) { return random_() % of == 0; };
    for (int round = 0; round < 60; ++round) {
      MemoryFilter filter;
      if (chance(3)) filter.categories = {fmt::format("c{}", random_() % 3)};
      if (chance(6)) filter.tasks = {fmt::format("t{}", random_() % 40), "t7"};
      if (chance(6)) filter.entities = {fmt::format("e{}", random_() % 100), "E5"};
      if (chance(3)) filter.min_confidence = 0.1 * static_cast<double>(random_() % 10);
      if (chance(3)) filter.since = Timestamp(std::chrono::seconds(random_() % 1'500));
      if (chance(6)) filter.metadata.set("n", static_cast<std::int64_t>(random_() % 7));
      std::set<MemoryId> matching;
      for (const Memory& memory : memories_) {
        if (matches(filter, memory)) matching.insert(memory.id);
      }
      const std::size_t k = std::vector<std::size_t>{1, 10, 100, 2'000}[random_() % 4];
      const auto result = bank.nearest(vector(), k, filter);
      ASSERT_THAT(result, Succeeds());
      const auto ids = ids_of(*result);
      const std::set<MemoryId> found(ids.begin(), ids.end());
      SCOPED_TRACE(fmt::format("round {}, {}", round, result->plan.index));
      EXPECT_EQ(ids.size(), std::min(k, matching.size()));
      EXPECT_EQ(found.size(), ids.size());
      EXPECT_TRUE(std::includes(matching.begin(), matching.end(), found.begin(), found.end()));
    }
    bank_.reset();
  }
}

TEST_F(PostgresSearching, AFilterThatLetsFewThroughIsAnsweredFromItsIndex) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 3'000);
  describe(memories_);
  ASSERT_THAT(bank.write({.memories = memories_, .on_conflict = OnConflict::replace}), Succeeds());
  ASSERT_THAT(derive(bank), Succeeds());
  must_execute(*connect(), schema_->sql("ANALYZE {bank}.memories; ANALYZE {bank}.mention_facts"));
  const MemoryFilter late{.since = Timestamp(std::chrono::seconds(2'990))};
  const MemoryFilter task{.tasks = {"t7"}};
  const MemoryFilter entity{.entities = {"E5"}};
  for (const auto& [filter, index] :
       {std::pair(late, "memories_created_at"), std::pair(task, "memories_task"),
        std::pair(entity, "mention_facts_name")}) {
    EXPECT_THAT(plan_of(Search::exact_sql(filter), filter, ""), HasSubstr(index));
    EXPECT_THAT(plan_of(Search::indexed_sql(dimension, filter), filter, ""), HasSubstr(index))
        << "and not from that of the vectors";
  }
  const MemoryFilter many{.min_confidence = 0.1};
  EXPECT_THAT(plan_of(Search::indexed_sql(dimension, many), many, ""),
              HasSubstr("Index Scan using memories_vectors"));
}

TEST_F(PostgresSearching, VectorsBeyondBinary32SumsAreRankedRightly) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  load(bank, 300);
  const float scales[] = {1e-30f, 1e-22f, 1e18f, 3e37f};
  std::vector<Memory> odd;
  for (int i = 0; i < 120; ++i) {
    auto v = vector();
    for (float& x : v) x *= scales[i % 4];
    odd.push_back(vector_memory(fmt::format("odd{}", i), v));
  }
  ASSERT_THAT(bank.write({.memories = odd}), Succeeds());
  memories_.insert(memories_.end(), odd.begin(), odd.end());
  for (int round = 0; round < 20; ++round) {
    auto query = vector();
    if (round % 3 == 1) {
      for (float& x : query) x *= 1e-25f;
    }
    if (round % 3 == 2) {
      for (float& x : query) x *= 1e30f;
    }
    for (const std::size_t k : {1, 10, 60}) {
      const auto result = bank.nearest(query, k, {});
      ASSERT_THAT(result, Succeeds());
      EXPECT_EQ(ids_of(*result), brute_force(query, k)) << "k = " << k;
    }
  }
  ASSERT_THAT(derive(bank), Succeeds());
}

TEST_F(PostgresSearching, OddVectorsDoNotStopAnIndexOrItsWriters) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 100);
  auto huge = vector();
  for (float& x : huge) x *= 1e37f;
  std::vector<Memory> odd = {vector_memory("before", huge)};
  ASSERT_THAT(bank.write({.memories = odd}), Succeeds());
  ASSERT_THAT(derive(bank), Succeeds());
  odd = {vector_memory("after", huge)};
  ASSERT_THAT(bank.write({.memories = odd}), Succeeds());
  const auto result = bank.nearest(huge, 2, {});
  ASSERT_THAT(result, HasValue(testing::Field(&SearchResult::hits, SizeIs(2))));
  EXPECT_EQ(ids_of(*result),
            (std::vector<MemoryId>{memory_id_of("\"before\""), memory_id_of("\"after\"")}));
}

TEST_F(PostgresSearching, ManyEqualVectorsAreCutInTheOrderOfInsertion) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  const auto same = vector();
  for (int i = 0; i < 500; ++i) memories_.push_back(vector_memory(fmt::format("m{}", i), same));
  // Nearly equal: apart by less than binary32 sums can tell.
  for (int i = 0; i < 500; ++i) {
    auto close = same;
    close[static_cast<std::size_t>(i) % dimension] =
        std::nextafterf(close[static_cast<std::size_t>(i) % dimension], 10);
    memories_.push_back(vector_memory(fmt::format("n{}", i), close));
  }
  std::shuffle(memories_.begin(), memories_.end(), random_);
  ASSERT_THAT(bank.write({.memories = memories_}), Succeeds());
  for (const std::size_t k : {1, 7, 499, 600}) {
    EXPECT_EQ(ids_of(*bank.nearest(vector(), k, {})).size(), k);
    const auto query = vector();
    EXPECT_EQ(ids_of(*bank.nearest(query, k, {})), brute_force(query, k));
  }
}

TEST_F(PostgresSearching, LongVectorsMoveOutOfTheRow) {
  auto options = schema_->options();
  auto bank = open_postgres_bank(options);
  ASSERT_THAT(bank, Succeeds());
  ASSERT_THAT((*bank)->set_embedder({.model = "test", .dimension = 16'000}), Succeeds());
  std::vector<float> vector(16'000, 0.25f);
  const std::vector<Memory> memories = {vector_memory("long", vector)};
  ASSERT_THAT((*bank)->write({.memories = memories}), Succeeds());
  EXPECT_THAT((*bank)->nearest(vector, 1, {})->hits, SizeIs(1));
  ASSERT_THAT(derive(**bank), Succeeds());
  const auto admin = connect();
  EXPECT_EQ(query_text(*admin, "SELECT attstorage FROM pg_attribute WHERE attrelid = '" +
                                   schema_->sql("{bank}.memories") +
                                   "'::regclass AND attname = 'embedding'"),
            "e");
}

TEST_F(PostgresSearching, ARowWithTheLongestInlineVectorFitsItsPage) {
  auto bank = open_postgres_bank(schema_->options());
  ASSERT_THAT(bank, Succeeds());
  ASSERT_THAT((*bank)->set_embedder({.model = "test", .dimension = 1'800}), Succeeds());
  Memory memory = full_memory();
  memory.embedding.assign(1'800, 0.5f);
  std::string noise;
  for (int i = 0; i < 1'000; ++i) noise += fmt::format("{:x} ", i * 2'654'435'761U);
  memory.content = memory.author.emplace(noise);
  memory.thread = noise;
  memory.legacy_id = noise;
  memory.raw->text = noise;
  memory = with_metadata(
      memory,
      fmt::format(
          R"({{"z":"{0}","source":"{0}","source_type":"{0}","category":"{0}","entities":["{0}"]}})",
          noise));
  const std::vector<Memory> memories = {memory};
  ASSERT_THAT((*bank)->write({.memories = memories}), Succeeds());
  const MemoryId ids[] = {memory.id};
  EXPECT_THAT(differences(memory, (*bank)->get(ids, true)->at(0)), IsEmpty());
}

TEST_F(PostgresSearching, AnIndexThatWasCutOffIsFoundAndMadeAnew) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 200);
  ASSERT_THAT(derive(bank), Succeeds());
  const auto admin = connect();
  for (const char* index : {"memories_words", "memories_vectors"}) {
    must_execute(
        *admin,
        fmt::format("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}.{}'::regclass",
                    schema_->sql("{bank}"), index));
  }
  EXPECT_THAT(bank.check(false), HasValue(testing::UnorderedElementsAre(
                                     HasSubstr("memories_words"), HasSubstr("memories_vectors"))));
  EXPECT_EQ(bank.derived_steps()->back().state, "waiting");
  EXPECT_THAT(bank.nearest(vector(), 10, {})->hits, SizeIs(10));
  ASSERT_THAT(derive(bank), Succeeds());
  EXPECT_THAT(bank.check(false), HasValue(IsEmpty()));
  EXPECT_EQ(bank.derived_steps()->back().state, "ready");
}

TEST_F(PostgresSearching, ADerivationCanBeCancelledAndDoneLater) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 5'000);
  int calls = 0;
  const auto cancelled = bank.derive([&](const MemorySearch::DerivedStep& step) {
    return step.name != "vector index" || ++calls < 2;
  });
  EXPECT_THAT(cancelled, FailsWith(Errc::cancelled));
  EXPECT_EQ(bank.derived_steps()->back().state, "waiting");
  EXPECT_THAT(bank.check(false), HasValue(IsEmpty())) << "nothing half-made is left";
  ASSERT_THAT(derive(bank), Succeeds());
  const auto steps = bank.derived_steps();
  for (const auto& step : *steps) EXPECT_EQ(step.state, "ready") << step.name;
}

TEST_F(PostgresSearching, OneDerivesAtATime) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 100);
  const auto other = open_postgres_bank(schema_->options());
  const auto outer = bank.derive([&](const MemorySearch::DerivedStep&) {
    EXPECT_THAT(derive(**other), FailsWith(Errc::locked));
    return true;
  });
  EXPECT_THAT(outer, Succeeds());
}

TEST_F(PostgresSearching, WritersGoOnWhileAnIndexIsBuilt) {
  Bank& bank = open(PostgresOptions::VectorIndex::hnsw);
  load(bank, 3'000);
  int written = 0;
  ASSERT_THAT(bank.derive([&](const MemorySearch::DerivedStep&) {
    const std::vector<Memory> more = {vector_memory(fmt::format("late{}", written), vector())};
    EXPECT_THAT(bank.write({.memories = more}), Succeeds());
    ++written;
    return true;
  }),
              Succeeds());
  EXPECT_GT(written, 3);
  const std::vector<Memory> last = {vector_memory("last", vector())};
  ASSERT_THAT(bank.write({.memories = last}), Succeeds());
  EXPECT_EQ(bank.nearest(last[0].embedding, 1, {})->hits.at(0).id, last[0].id);
}

TEST_F(PostgresSearching, EveryProcessSearchesTheSameWay) {
  Bank& bank = open(PostgresOptions::VectorIndex::ivfflat);
  load(bank, 500);
  ASSERT_THAT(derive(bank), Succeeds());
  const auto other = open_postgres_bank(schema_->options());
  EXPECT_THAT((*other)->nearest(vector(), 5, {})->plan.index, HasSubstr("ivfflat"));
  // And keeps what is there when it derives without a wish of its own.
  ASSERT_THAT(derive(**other), Succeeds());
  EXPECT_THAT((*other)->nearest(vector(), 5, {})->plan.index, HasSubstr("ivfflat"));
  EXPECT_EQ((*other)->derived_steps()->back().state, "ready");
}

TEST_F(PostgresSearching, WhatIsChosenIsBuiltAndStays) {
  Bank& bank = open(PostgresOptions::VectorIndex::automatic);
  load(bank, 800);
  const auto go_on = [](const MemorySearch::DerivedStep&) { return true; };
  ASSERT_THAT(bank.rebuild_index({.kind = VectorIndexKind::ivfflat, .lists = 7}, go_on),
              Succeeds());
  auto status = bank.vector_index();
  ASSERT_THAT(status, Succeeds());
  EXPECT_EQ(status->kind, VectorIndexKind::ivfflat);
  EXPECT_EQ(status->chosen, VectorIndexKind::ivfflat);
  EXPECT_EQ(status->lists, 7);
  EXPECT_EQ(status->effort, 3) << "the root of lists";
  EXPECT_EQ(status->built_for, 800);
  EXPECT_GT(status->bytes, 0);
  ASSERT_THAT(bank.set_effort(5, 0.99), Succeeds());
  EXPECT_THAT(bank.nearest(vector(), 5, {})->plan.index, HasSubstr("probes=5"));
  EXPECT_THAT(bank.nearest_with(7, vector(), 5)->plan.index, HasSubstr("probes=7"));
  EXPECT_TRUE(bank.nearest_exact(vector(), 5)->plan.exact);
  ASSERT_THAT(bank.derive(go_on), Succeeds());
  EXPECT_EQ(bank.vector_index()->effort, 5);
  ASSERT_THAT(bank.rebuild_index({.kind = VectorIndexKind::none}, go_on), Succeeds());
  EXPECT_EQ(bank.vector_index()->kind, VectorIndexKind::none);
  EXPECT_THAT(bank.rebuild_index({.kind = VectorIndexKind::ivfflat, .lists = 40'000}, go_on),
              FailsWith(Errc::invalid_argument));
  EXPECT_EQ(bank.vector_index()->chosen, VectorIndexKind::none);
}

TEST_F(PostgresSearching, AutomaticallyNoIndexIsMadeForFew) {
  auto options = schema_->options();
  options.vector_index_from = 300;
  auto opened = open_postgres_bank(options);
  bank_ = std::move(*opened);
  ASSERT_THAT(bank_->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
  load(*bank_, 200);
  ASSERT_THAT(derive(*bank_), Succeeds());
  EXPECT_TRUE(bank_->nearest(vector(), 5, {})->plan.exact);
  std::vector<Memory> more;
  more.reserve(200);
  for (int i = 0; i < 200; ++i) more.push_back(vector_memory(fmt::format("more{}", i), vector()));
  ASSERT_THAT(bank_->write({.memories = more}), Succeeds());
  EXPECT_EQ(bank_->derived_steps()->back().state, "waiting");
  ASSERT_THAT(derive(*bank_), Succeeds());
  EXPECT_FALSE(bank_->nearest(vector(), 5, {})->plan.exact);
}

TEST_F(PostgresSearching, RareWordsCountMoreThanCommonOnes) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  std::vector<Memory> memories;
  memories.reserve(52);
  for (int i = 0; i < 50; ++i)
    memories.push_back(make_memory(fmt::format("tea{}", i), "we drink tea at four"));
  memories.push_back(make_memory("rare", "the pgvector extension"));
  memories.push_back(make_memory("both", "pgvector and tea"));
  ASSERT_THAT(bank.write({.memories = memories}), Succeeds());
  const auto result = bank.keyword("tea with pgvector", 3, {});
  ASSERT_THAT(result->hits, SizeIs(3));
  EXPECT_EQ(result->hits[0].id, memory_id_of("\"both\""));
  EXPECT_EQ(result->hits[1].id, memory_id_of("\"rare\""));
  EXPECT_EQ(result->hits[2].id, memory_id_of("\"tea0\"")) << "equals in order of insertion";
  EXPECT_THAT(bank.keyword("drinking at four's o'clock \\ tea", 1, {})->hits, SizeIs(1));
}

TEST_F(PostgresSearching, ABankThatOnlyTakesAddsHasAKeywordIndexToo) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  EXPECT_EQ(words_index(), "none");
  const std::vector<Memory> first = {make_memory("first", "we drink tea at four")};
  ASSERT_THAT(bank.write({.memories = first}), Succeeds());
  EXPECT_EQ(words_index(), "valid");
  const std::vector<Memory> second = {make_memory("second", "tea again")};
  ASSERT_THAT(bank.write({.memories = second}), Succeeds());
  EXPECT_THAT(bank.keyword("tea", 5, {})->hits, SizeIs(2));
  ASSERT_THAT(derive(bank), Succeeds());
  EXPECT_EQ(words_index(), "valid");
}

TEST_F(PostgresSearching, ABulkLoadGetsItsKeywordIndexAfterIt) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  load(bank, 1'200);
  EXPECT_EQ(words_index(), "none") << "an index that is there slows the load down";
  // So many that a writer would have to wait for it.
  const std::vector<Memory> late = {make_memory("late")};
  ASSERT_THAT(bank.write({.memories = late}), Succeeds());
  EXPECT_EQ(words_index(), "none");
  EXPECT_EQ(bank.derived_steps()->front().state, "waiting");
  ASSERT_THAT(derive(bank), Succeeds());
  EXPECT_EQ(words_index(), "valid");
}

TEST_F(PostgresSearching, AWriteGoesOnWhereTheKeywordIndexCannotBeMade) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  const auto reader = connect();
  must_execute(*reader, schema_->sql("BEGIN; LOCK TABLE {bank}.memories IN ROW EXCLUSIVE MODE"));
  const std::vector<Memory> memories = {make_memory("a", "tea")};
  ASSERT_THAT(bank.write({.memories = memories}), Succeeds());
  EXPECT_EQ(words_index(), "none");
  must_execute(*reader, "COMMIT");
  const auto other = open_postgres_bank(schema_->options());
  const std::vector<Memory> more = {make_memory("b", "tea")};
  ASSERT_THAT((*other)->write({.memories = more}), Succeeds());
  EXPECT_EQ(words_index(), "valid");
}

TEST_F(PostgresSearching, KeywordSearchUsesItsIndex) {
  Bank& bank = open(PostgresOptions::VectorIndex::none);
  load(bank, 3'000);
  ASSERT_THAT(derive(bank), Succeeds());
  const auto connection = connect();
  EXPECT_THAT(explain(*connection,
                      schema_->sql(
                          "SELECT id FROM {bank}.memories m WHERE m.tsv @@ (SELECT 'm7'::tsquery)"),
                      Params{}),
              HasSubstr("memories_words"));
}

}  // namespace
}  // namespace bb5::postgres
