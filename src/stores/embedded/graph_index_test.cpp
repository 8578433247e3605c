#include "stores/embedded/graph_index.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "model/cosine.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/testing/child_process.hpp"
#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::size_t dimension = 24;
constexpr auto go_on = [](const MemorySearch::DerivedStep&) { return true; };

/// A bank whose searches go by a graph, and beside it what it must hold.
class GraphIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    bank_ = open_bank(file_);
    ASSERT_THAT(bank_->set_embedder({.model = "test", .dimension = dimension}), Succeeds());
  }
  void reopen() {
    bank_.reset();
    bank_ = open_bank(file_);
  }

  void write(const std::vector<Memory>& batch) {
    ASSERT_THAT(
        bank_->write({.memories = batch, .on_conflict = OnConflict::replace, .fold = false}),
        Succeeds());
    for (const Memory& memory : batch) held_[memory.id] = memory;
  }
  void write_samples(std::int64_t first, std::int64_t count) {
    std::vector<Memory> batch = sample_batch(first, count, dimension);
    for (std::int64_t i = 0; i < count; ++i) {
      Memory& memory = batch[static_cast<std::size_t>(i)];
      if ((first + i) % 3 == 0) memory.valid_until = moment((first + i) % 13);
      if ((first + i) % 50 == 0) memory.network = "rare";
      memory.category = (first + i) % 2 == 0 ? "tea" : "coffee";
    }
    write(batch);
  }
  static Timestamp moment(std::int64_t second) { return Timestamp(std::chrono::seconds(second)); }
  void erase(const MemoryId& id) {
    ASSERT_THAT(bank_->erase(id), HasValue(true));
    held_.erase(id);
  }
  void build() {
    ASSERT_THAT(bank_->rebuild_index({.kind = VectorIndexKind::hnsw}, go_on), Succeeds());
  }

  std::vector<double> true_scores(const std::vector<float>& query,
                                  const MemoryFilter& filter) const {
    std::vector<double> scores;
    for (const auto& [id, memory] : held_) {
      if (!filter.networks.empty() && filter.networks.front() != memory.network) continue;
      if (filter.valid_at && memory.valid_until && *memory.valid_until <= *filter.valid_at)
        continue;
      if (!filter.categories.empty() && filter.categories.front() != memory.category) continue;
      if (!memory.embedding.empty()) scores.push_back(cosine(query, memory.embedding));
    }
    std::sort(scores.rbegin(), scores.rend());
    return scores;
  }

  struct Asked {
    double found = 0;  // of the ten nearest
    std::string plan;
  };
  /// Whatever answers: as many hits as there can be, each one held and let through, with its true
  /// score, in order.
  Asked ask(const std::vector<float>& query, std::size_t k, const MemoryFilter& filter) {
    const auto result = bank_->nearest(query, k, filter);
    EXPECT_THAT(result, Succeeds());
    if (!result) return {};
    const auto truth = true_scores(query, filter);
    EXPECT_EQ(result->hits.size(), std::min(k, truth.size())) << result->plan.index;
    EXPECT_EQ(static_cast<std::size_t>(result->plan.looked_at), truth.size());
    std::set<MemoryId> ids;
    Asked asked{.plan = result->plan.index};
    const std::size_t measured = std::min<std::size_t>({k, 10, truth.size()});
    for (std::size_t i = 0; i < result->hits.size(); ++i) {
      const Hit& hit = result->hits[i];
      const auto memory = held_.find(hit.id);
      EXPECT_TRUE(memory != held_.end() && ids.insert(hit.id).second) << "place " << i;
      if (memory == held_.end()) continue;
      EXPECT_EQ(hit.score, cosine(query, memory->second.embedding));
      if (i > 0) {
        EXPECT_GE(result->hits[i - 1].score, hit.score);
      }
      EXPECT_TRUE(filter.networks.empty() || filter.networks.front() == memory->second.network);
      if (hit.score >= truth[measured - 1]) asked.found += 1.0 / static_cast<double>(measured);
    }
    asked.found = measured == 0 ? 1 : std::min(1.0, asked.found);
    const bool exact = asked.plan.find("exact") != std::string::npos;
    EXPECT_EQ(result->plan.exact, exact);
    if (exact) {
      EXPECT_NEAR(asked.found, 1, 1e-9) << asked.plan;
    }
    return asked;
  }

  /// Asks of everything that there is; recall over the answers of the graph.
  void expect_good_answers(std::mt19937_64& random, int queries, int least_by_graph) {
    double found = 0;
    int by_graph = 0;
    for (int i = 0; i < queries; ++i) {
      const std::size_t k = std::vector<std::size_t>{1, 5, 10, 10, 10, 40, 3000}[random() % 7];
      MemoryFilter filter;
      if (i % 3 == 1) filter.networks = {i % 2 == 0 ? "world" : "rare"};
      if (i % 4 == 1) filter.valid_at = moment(static_cast<std::int64_t>(random() % 14));
      if (i % 5 == 2) filter.categories = {"tea"};
      const Asked asked = ask(random_vector(random, dimension), k, filter);
      if (asked.plan.find("hnsw") == std::string::npos) continue;
      ++by_graph;
      found += asked.found;
    }
    EXPECT_GE(by_graph, least_by_graph);
    if (by_graph >= 20) {
      EXPECT_GE(found / by_graph, 0.95);
    }
  }

  std::string plan() {
    return bank_->nearest(std::vector<float>(dimension, 1), 10, {})->plan.index;
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "bank.db";
  const std::filesystem::path index_file_ = folder_ / "bank.db-index";
  std::unique_ptr<Bank> bank_;
  std::map<MemoryId, Memory> held_;
};

TEST_F(GraphIndexTest, AnswersAreWholeThroughAnyHistoryOfWritesReplacementsAndDeletes) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 5000);
  build();
  std::int64_t next = 5000;
  expect_good_answers(random, 60, 20);
  const int steps = soak() ? 60 : 8;
  for (int step = 0; step < steps; ++step) {
    write_samples(next, static_cast<std::int64_t>(random() % 700));
    next = std::ssize(held_) + next;  // leaves gaps; names are what counts
    std::vector<Memory> changed;
    for (auto at = held_.begin(); at != held_.end() && changed.size() < 60; std::advance(at, 1)) {
      if (random() % 20 != 0) continue;
      changed.push_back(at->second);
      changed.back().embedding = random_vector(random, dimension);
    }
    write(changed);
    for (int i = 0; i < 100; ++i) {
      auto at = held_.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(random() % held_.size()));
      erase(MemoryId(at->first));
    }
    if (step % 3 == 1) {
      ASSERT_THAT(bank_->derive(go_on), Succeeds());
    }
    if (step % 4 == 2) reopen();
    expect_good_answers(random, 30, 8);
    if (HasFailure()) return;
  }
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

TEST_F(GraphIndexTest, DeletingTheNearestOnesNeverMakesTheAnswerShort) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 4000);
  build();
  const auto query = random_vector(random, dimension);
  ASSERT_THAT(plan(), HasSubstr("hnsw"));
  for (const std::size_t many : {300U, 800U}) {
    const auto nearest = *bank_->nearest_exact(query, many);
    for (const Hit& hit : nearest.hits) erase(hit.id);
    ask(query, 10, {});
  }
}

TEST_F(GraphIndexTest, ANewVectorIsFoundAtOnceAndAnErasedOneNeverAgain) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  build();
  for (int i = 0; i < 20; ++i) {
    Memory memory = sample_memory(10'000 + i, dimension);
    write({memory});
    const auto hits = bank_->nearest(memory.embedding, 3, {});
    ASSERT_THAT(hits->plan.index, HasSubstr("hnsw"));
    EXPECT_EQ(hits->hits.front().id, memory.id);
    erase(memory.id);
    EXPECT_NE(bank_->nearest(memory.embedding, 3, {})->hits.front().id, memory.id);
  }
  const Memory old = held_.begin()->second;
  erase(old.id);
  EXPECT_NE(bank_->nearest(old.embedding, 3, {})->hits.front().id, old.id);
}

TEST_F(GraphIndexTest, IsThereOnlyWhereItPaysOrIsAskedFor) {
  write_samples(0, 3000);
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_EQ(plan(), "exact int8 → float");
  EXPECT_FALSE(std::filesystem::exists(index_file_));
  EXPECT_EQ(bank_->vector_index()->chosen, std::nullopt);
  build();
  EXPECT_EQ(plan(), "hnsw int8 ef_search=64");
  const auto status = *bank_->vector_index();
  EXPECT_EQ(status.kind, VectorIndexKind::hnsw);
  EXPECT_EQ(status.chosen, VectorIndexKind::hnsw);
  EXPECT_EQ(status.m, 16);
  EXPECT_EQ(status.effort, 64);
  EXPECT_EQ(status.vectors, 3000);
  EXPECT_EQ(status.built_for, 3000);
  EXPECT_EQ(status.tail, 0);
  EXPECT_EQ(status.bytes, static_cast<std::int64_t>(std::filesystem::file_size(index_file_)));
  write_samples(3000, 100);
  EXPECT_EQ(bank_->vector_index()->tail, 100);
  ASSERT_THAT(bank_->rebuild_index({.kind = VectorIndexKind::hnsw, .m = 8}, go_on), Succeeds());
  EXPECT_EQ(bank_->vector_index()->m, 8);
  ASSERT_THAT(bank_->rebuild_index({.kind = VectorIndexKind::none}, go_on), Succeeds());
  EXPECT_EQ(plan(), "exact int8 → float");
  EXPECT_FALSE(std::filesystem::exists(index_file_));
}

TEST_F(GraphIndexTest, WantsOneFromASizeThatItsScanIsSlowAt) {
  // 1,536 numbers a vector, so that few vectors are many bytes.
  CodesFile codes(folder_ / "codes");
  const std::vector<float> vector(1536, 1);
  for (const auto& [rows, wanted] : {std::pair(10'000, false), std::pair(17'000, true)}) {
    const auto written = codes.rebuild(
        vector.size(),
        [&, rows = rows](const std::function<void(const VectorRow&)>& take) {
          for (int i = 0; i < rows; ++i)
            take({.vec_id = i + 1, .label = 0, .stamp = 1, .embedding = bytes_of(vector)});
          return ok();
        },
        rows);
    ASSERT_THAT(written, HasValue(true));
    EXPECT_EQ(GraphIndex::is_wanted({}, *codes.view(vector.size())), wanted);
    EXPECT_TRUE(GraphIndex::is_wanted({.kind = "hnsw"}, *codes.view(vector.size())));
    EXPECT_FALSE(GraphIndex::is_wanted({.kind = "none"}, *codes.view(vector.size())));
  }
}

TEST_F(GraphIndexTest, ABuildThatIsStoppedGoesOnWhereItWas) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 4000);
  std::int64_t reached = 0;
  const auto stop = [&](const MemorySearch::DerivedStep& step) {
    if (step.name == "vector index") reached = step.done;
    return reached < 2000;
  };
  EXPECT_THAT(bank_->rebuild_index({.kind = VectorIndexKind::hnsw}, stop),
              FailsWith(Errc::cancelled));
  EXPECT_EQ(bank_->vector_index()->built_for, reached);
  EXPECT_EQ(bank_->vector_index()->tail, 4000 - reached);
  EXPECT_EQ(bank_->derived_steps()->at(1).state, "building");
  expect_good_answers(random, 40, 10);
  std::int64_t first = 0;
  const auto watch = [&](const MemorySearch::DerivedStep& step) {
    if (step.name == "vector index" && first == 0) first = step.done;
    return true;
  };
  ASSERT_THAT(bank_->derive(watch), Succeeds());
  EXPECT_GT(first, reached);
  EXPECT_EQ(bank_->vector_index()->tail, 0);
  EXPECT_EQ(bank_->derived_steps()->at(1).state, "ready");
  expect_good_answers(random, 40, 10);
}

TEST_F(GraphIndexTest, ALongTailIsTakenUpByDerive) {
  write_samples(0, 3000);
  build();
  write_samples(3000, 500);
  EXPECT_EQ(bank_->derived_steps()->at(1).state, "ready") << "a short tail is no unfinished work";
  write_samples(4000, 1000);
  ASSERT_THAT(bank_->nearest(std::vector<float>(dimension, 1), 1, {}), Succeeds());
  EXPECT_EQ(bank_->derived_steps()->at(1).state, "building");
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_EQ(bank_->vector_index()->tail, 0);
}

TEST_F(GraphIndexTest, RowsThatAreMostlyDeadAreMadeAnewByDeriveWithTheGraph) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 4000);
  build();
  for (int i = 0; i < 1100; ++i) erase(MemoryId(held_.begin()->first));
  expect_good_answers(random, 20, 3);
  EXPECT_EQ(bank_->vector_index()->kind, VectorIndexKind::hnsw) << "searches leave it alone";
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_EQ(bank_->vector_index()->built_for, 2900);
  EXPECT_EQ(bank_->vector_index()->tail, 0);
  expect_good_answers(random, 20, 3);
}

TEST_F(GraphIndexTest, DamageIsFoundAndMended) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  build();
  bank_.reset();
  const std::string whole = read_file(index_file_);
  std::vector<std::string> damaged = {"",
                                      "x",
                                      whole.substr(0, 4096),
                                      whole.substr(0, whole.size() / 2),
                                      whole.substr(0, whole.size() - 1),
                                      std::string(whole.size(), '\0')};
  for (int i = 0; i < 20; ++i) {
    damaged.push_back(whole);
    for (int j = 0; j < 200; ++j) {
      char& byte = damaged.back()[random() % whole.size()];
      byte = static_cast<char>(byte ^ (1 << (random() % 8)));
    }
  }
  for (const std::string& bytes : damaged) {
    write_file(index_file_, bytes);
    reopen();
    expect_good_answers(random, 5, 0);
    ASSERT_FALSE(HasFailure()) << bytes.size() << " bytes";
    ASSERT_THAT(bank_->derive(go_on), Succeeds());
    // What no search met derive() has no reason to look for.
    expect_good_answers(random, 5, 0);
    bank_.reset();
  }
  write_file(index_file_, std::string(whole.size(), 'x'));
  reopen();
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_EQ(bank_->vector_index()->built_for, 3000);
}

TEST_F(GraphIndexTest, DamagedCodesUnderAGraphAreFoundAndMended) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  build();
  bank_.reset();
  std::string bytes = read_file(folder_ / "bank.db-codes");
  for (int i = 0; i < 500; ++i) {
    char& byte = bytes[4096 + random() % (bytes.size() - 4096)];
    byte = static_cast<char>(byte ^ 4);
  }
  write_file(folder_ / "bank.db-codes", bytes);
  reopen();
  expect_good_answers(random, 10, 0);
  EXPECT_THAT(plan(), HasSubstr("exact")) << "the codes are others now";
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_THAT(plan(), HasSubstr("hnsw"));
  expect_good_answers(random, 20, 5);
}

TEST_F(GraphIndexTest, AnOlderDatabaseUnderANewerGraphIsNoticed) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 3000);
  build();
  bank_.reset();
  const std::string backup = read_file(file_);
  const auto held_then = held_;
  reopen();
  write_samples(4000, 3000);
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  bank_.reset();
  write_file(file_, backup);
  held_ = held_then;
  reopen();
  write_samples(8000, 3000);  // history takes another turn, under the same numbers
  expect_good_answers(random, 30, 0);
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  expect_good_answers(random, 30, 10);
}

TEST_F(GraphIndexTest, AChangeOfTheModelLeavesNoGraphOfTheOldVectors) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 2500);
  build();
  ASSERT_THAT(bank_->set_effort(50, 0.98), Succeeds());
  const EmbedderInfo next{"test/other", dimension};
  std::vector<MadeVector> made;
  for (const Memory& memory : *bank_->lacking(next.model, 0, 10'000)) {
    made.push_back(
        {memory.id, content_sha256_of(memory.content), random_vector(random, dimension)});
    held_[memory.id].embedding = made.back().embedding;
  }
  ASSERT_THAT(bank_->hold_vectors(next, made), HasValue(2500));
  ASSERT_THAT(bank_->change_model(next), HasValue(0));
  EXPECT_EQ(bank_->vector_index()->recall, std::nullopt);
  expect_good_answers(random, 10, 0);
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  expect_good_answers(random, 20, 5);
}

TEST_F(GraphIndexTest, AnswersWhereNoIndexCanBeWritten) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 2500);
  std::filesystem::create_directories(folder_ / "bank.db-index-lock");  // it cannot be taken
  EXPECT_THAT(bank_->rebuild_index({.kind = VectorIndexKind::hnsw}, go_on), Not(Succeeds()));
  expect_good_answers(random, 10, 0);
}

TEST_F(GraphIndexTest, AKillDuringTheBuildLosesNothingAndTheNextOneGoesOn) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 5000);
  build();
  ASSERT_THAT(bank_->nearest_exact(std::vector<float>(dimension, 1), 1), Succeeds());
  bank_.reset();
  const int rounds = soak() ? 100 : 8;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) std::filesystem::remove(index_file_);
    ChildProcess child([&](const ChildProcess::Report& report) {
      const auto bank = open_bank(file_);
      const bool built =
          round % 2 == 0 ? bank->derive(go_on).has_value()
                         : bank->rebuild_index({.kind = VectorIndexKind::hnsw}, go_on).has_value();
      report(built ? 1 : 0);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    child.kill();
    reopen();
    expect_good_answers(random, 6, 0);
    bank_.reset();
    if (HasFailure()) return;
  }
  reopen();
  ASSERT_THAT(bank_->derive(go_on), Succeeds());
  EXPECT_EQ(bank_->vector_index()->built_for, 5000);
  expect_good_answers(random, 30, 10);
}

TEST_F(GraphIndexTest, OneProcessBuildsWhileOthersSearchAndWrite) {
  std::mt19937_64 random(test_seed());
  write_samples(0, 4000);
  bank_.reset();
  ChildProcess child([&](const ChildProcess::Report&) {
    const auto bank = open_bank(file_);
    for (int i = 0; i < 3; ++i) {
      if (!bank->rebuild_index({.kind = VectorIndexKind::hnsw}, go_on)) ::_exit(4);
      if (!bank->derive(go_on)) ::_exit(5);
    }
  });
  reopen();
  for (std::int64_t i = 0; i < 20; ++i) {
    write_samples(10'000 + i * 20, 20);
    expect_good_answers(random, 4, 0);
    if (HasFailure()) break;
  }
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(bank_->vector_index()->kind, VectorIndexKind::hnsw);
  expect_good_answers(random, 40, 10);
}

}  // namespace
}  // namespace bb5::embedded
