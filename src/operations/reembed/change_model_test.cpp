#include "operations/reembed/change_model.hpp"

#include "base/digest.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const EmbedderInfo two{.model = "test/two", .dimension = 2};
const EmbedderInfo length{.model = "test/length", .dimension = 3};

/// Vectors by the length of a text; may fail, and may do something in the middle.
class LengthEmbedder final : public Embedder {
 public:
  EmbedderInfo info() const override { return length; }
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    if (before) std::exchange(before, {})();
    asked += texts.size();
    if (asked > fails_after) return Error{Errc::unavailable, "the service is away"};
    std::vector<std::vector<float>> vectors;
    for (const std::string_view text : texts)
      vectors.push_back({1, static_cast<float>(text.size()), 0});
    return vectors;
  }
  std::size_t asked = 0;
  std::size_t fails_after = 1000;
  std::function<void()> before;
};

class ChangeModel : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(bank->set_embedder(two), Succeeds());
    write({vector_memory("a", {1, 2}), vector_memory("bb", {2, 1}), make_memory("ccc")});
  }
  void write(std::vector<Memory> memories, OnConflict on_conflict = OnConflict::keep) {
    EXPECT_THAT(bank->write({.memories = memories, .on_conflict = on_conflict}), Succeeds());
  }
  std::vector<float> vector_of(const std::string& name) {
    return bank->find(name)->at(0).embedding;
  }
  std::unique_ptr<Bank> bank = new_in_memory_bank();
  LengthEmbedder embedder;
};

TEST_F(ChangeModel, EmbedsEveryMemoryAndThenChangesAtOnce) {
  OtherVectors::Lack told;
  std::vector<std::int64_t> done;
  const auto report = change_model(*bank, length, &embedder,
                                   {.batch = 2,
                                    .before =
                                        [&](const auto& lack) {
                                          told = lack;
                                          return true;
                                        },
                                    .progress =
                                        [&](const auto& at) {
                                          EXPECT_EQ(*bank->embedder(), two);
                                          EXPECT_EQ(at.total, 3);
                                          done.push_back(at.done);
                                          return true;
                                        }});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(told.memories, 3);
  EXPECT_EQ(told.content_bytes, 6);
  EXPECT_THAT(done, ElementsAre(2, 3));
  EXPECT_TRUE(report->changed);
  EXPECT_EQ(report->from, two);
  EXPECT_EQ(report->embedded, 3);
  EXPECT_EQ(*bank->embedder(), length);
  EXPECT_THAT(vector_of("bb"), ElementsAre(1, 2, 0));
  EXPECT_THAT(vector_of("ccc"), ElementsAre(1, 3, 0));

  const auto again = change_model(*bank, length, &embedder);
  ASSERT_THAT(again, Succeeds());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(embedder.asked, 3U);
}

TEST_F(ChangeModel, GoesOnWithWhatIsCollectedWhenTheEmbedderFailed) {
  embedder.fails_after = 2;
  EXPECT_THAT(change_model(*bank, length, &embedder, {.batch = 1}), FailsWith(Errc::unavailable));
  EXPECT_EQ(*bank->embedder(), two);
  EXPECT_THAT(bank->stats()->other_vectors, ElementsAre(Pair("test/length", 2)));
  embedder.fails_after = 1000;
  embedder.asked = 0;
  const auto report = change_model(*bank, length, &embedder);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->lacking, 1);
  EXPECT_EQ(embedder.asked, 1U);
  EXPECT_TRUE(report->changed);
}

TEST_F(ChangeModel, TakesUpWhatOthersWriteMeanwhile) {
  embedder.before = [&] {
    write({vector_memory("late", {1, 1})});
    write({make_memory("ccc", "says something else")}, OnConflict::replace);
    ASSERT_THAT(bank->erase(vector_memory("a", {1, 2}).id), HasValue(true));
  };
  const auto report = change_model(*bank, length, &embedder);
  ASSERT_THAT(report, Succeeds());
  EXPECT_TRUE(report->changed);
  EXPECT_EQ(report->embedded, 3);
  EXPECT_EQ(report->passed_over, 2);
  EXPECT_THAT(vector_of("late"), ElementsAre(1, 4, 0));
  EXPECT_THAT(vector_of("ccc"), ElementsAre(1, 19, 0));
}

TEST_F(ChangeModel, StopsWhenItIsToldAndGoesOnLater) {
  const auto refused =
      change_model(*bank, length, &embedder, {.before = [](const auto&) { return false; }});
  EXPECT_TRUE(refused->stopped);
  EXPECT_EQ(embedder.asked, 0U);
  const auto stopped = change_model(*bank, length, &embedder,
                                    {.batch = 1, .progress = [](const auto&) { return false; }});
  ASSERT_THAT(stopped, Succeeds());
  EXPECT_TRUE(stopped->stopped);
  EXPECT_FALSE(stopped->changed);
  EXPECT_EQ(*bank->embedder(), two);
  EXPECT_EQ(change_model(*bank, length, &embedder)->lacking, 2);
  EXPECT_EQ(embedder.asked, 3U);
}

TEST_F(ChangeModel, GoesBackWithoutAnEmbedderWhereNothingIsLacking) {
  EXPECT_THAT(change_model(*bank, length, nullptr), FailsWith(Errc::refused));
  ASSERT_THAT(change_model(*bank, length, &embedder), Succeeds());
  EXPECT_THAT(change_model(*bank, two, nullptr), FailsWith(Errc::refused)) << "ccc never had one";
  ASSERT_THAT(bank->erase(make_memory("ccc").id), HasValue(true));
  EXPECT_TRUE(change_model(*bank, two, nullptr)->changed);
  EXPECT_THAT(vector_of("a"), ElementsAre(1, 2));
}

TEST_F(ChangeModel, LeavesABankAloneInWhichAMigrationIsAtWork) {
  {
    const auto migration = bank->lock_migration();
    EXPECT_THAT(change_model(*bank, length, &embedder), FailsWith(Errc::locked));
    EXPECT_EQ(*bank->embedder(), two);
  }
  EXPECT_TRUE(change_model(*bank, length, &embedder)->changed);
  EXPECT_EQ(embedder.asked, 3U);
}

TEST_F(ChangeModel, ForeseesWhatThereIsToDoAndDoesNothing) {
  EXPECT_EQ(foresee_change(*bank, length)->lacking, 3);
  EXPECT_TRUE(foresee_change(*bank, length)->stopped);
  EXPECT_FALSE(foresee_change(*bank, two)->stopped);
  EXPECT_EQ(*bank->embedder(), two);
}

}  // namespace
}  // namespace bb5
