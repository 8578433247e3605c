#include "operations/index/tune_index.hpp"

#include <memory>

#include "model/cosine.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

/// Finds, of the true answer, ten parts in a hundred more with each ten of effort, and says so.
class LeakyIndex final : public VectorIndex {
 public:
  explicit LeakyIndex(const MemorySearch& search, std::int64_t vectors)
      : search_(search), vectors_(vectors) {}
  VectorIndexKind kind = VectorIndexKind::hnsw;
  std::int32_t effort_for_all = 40;
  std::int32_t effort_set = 0;
  double recall_set = 0;

  Result<Status> vector_index() const override { return Status{.kind = kind, .vectors = vectors_}; }
  Result<SearchResult> nearest_exact(const QueryVector& query, std::size_t k) const override {
    return search_.nearest(query, k, {});
  }
  Result<SearchResult> nearest_with(std::int32_t effort, const QueryVector& query,
                                    std::size_t k) const override {
    auto result = search_.nearest(query, 2 * k, {});
    if (!result) return result;
    // The vector itself is found, then some that are too far.
    const int missed = effort >= effort_for_all ? 0 : (effort_for_all - effort + 9) / 10;
    result->hits.erase(result->hits.begin() + 1, result->hits.begin() + 1 + missed);
    result->hits.resize(k);
    return result;
  }
  Result<> set_effort(std::int32_t effort, double recall) override {
    effort_set = effort;
    recall_set = recall;
    return ok();
  }
  Result<> rebuild_index(const Choice&, const MemorySearch::DeriveProgress&) override {
    return ok();
  }

 private:
  const MemorySearch& search_;
  std::int64_t vectors_;
};

class TuneIndex : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(bank_->set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
    std::vector<Memory> memories;
    for (int i = 0; i < 100; ++i) {
      memories.push_back(vector_memory("m" + std::to_string(i), {1, static_cast<float>(i) / 100}));
      memories.push_back(make_memory("without " + std::to_string(i)));
    }
    ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
    // What is gone leaves gaps between the places.
    for (int i = 0; i < 100; i += 7)
      ASSERT_THAT(bank_->erase(make_memory("without " + std::to_string(i)).id), HasValue(true));
  }
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
  LeakyIndex index_{*bank_, 100};
};

TEST_F(TuneIndex, SetsTheLeastEffortThatReachesTheRecallAndMeasuresOneMore) {
  const auto report = tune_index(*bank_, index_, {.recall = 0.85, .queries = 30});
  ASSERT_THAT(report, Succeeds());
  ASSERT_EQ(report->chosen, 32) << "at 25 two of ten are missed, at 32 one";
  EXPECT_EQ(index_.effort_set, 32);
  EXPECT_NEAR(index_.recall_set, 0.9, 1e-9);
  EXPECT_EQ(report->queries, 30);
  EXPECT_THAT(report->steps, ElementsAre(Field(&TuneStep::effort, 16), Field(&TuneStep::effort, 20),
                                         Field(&TuneStep::effort, 25), Field(&TuneStep::effort, 32),
                                         Field(&TuneStep::effort, 40)));
  EXPECT_NEAR(report->steps.front().recall, 0.7, 1e-9);
  EXPECT_EQ(report->steps.back().recall, 1);
}

TEST_F(TuneIndex, ChangesNothingWhereNoEffortReachesIt) {
  index_.effort_for_all = 1010;
  const auto report = tune_index(*bank_, index_, {.recall = 0.99, .queries = 5});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->chosen, std::nullopt);
  EXPECT_EQ(index_.effort_set, 0);
  EXPECT_EQ(report->steps.back().effort, 1000);
}

TEST_F(TuneIndex, HasNothingToTuneWhereSearchesAreExact) {
  const auto report = tune_index(*bank_, *bank_, {});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->index.kind, VectorIndexKind::none);
  EXPECT_THAT(report->steps, IsEmpty());
  EXPECT_EQ(report->chosen, std::nullopt);
}

TEST_F(TuneIndex, AsksOfNoMoreVectorsThanThereAre) {
  const auto report = tune_index(*bank_, index_, {.recall = 0.5, .queries = 1000});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->queries, 100);
}

TEST_F(TuneIndex, StopsWhenItIsToldTo) {
  const TuneOptions options{.recall = 0.99,
                            .queries = 10,
                            .progress = [](std::int64_t done, std::int64_t) { return done < 15; }};
  EXPECT_THAT(tune_index(*bank_, index_, options), FailsWith(Errc::cancelled));
  EXPECT_EQ(index_.effort_set, 0);
}

TEST(TuneEmptyIndex, MeasuresNothing) {
  const auto bank = new_in_memory_bank();
  LeakyIndex index(*bank, 0);
  const auto report = tune_index(*bank, index, {});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->queries, 0);
  EXPECT_THAT(report->steps, SizeIs(0));
}

}  // namespace
}  // namespace bb5
