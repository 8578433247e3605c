#include "benchmarks/support/retrieval_metrics.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/support/locomo.hpp"
#include "benchmarks/support/weight_fit.hpp"

namespace bb5::bench {
namespace {

using testing::ElementsAre;

TEST(MeasureOrder, CountsEvidenceByItsPlaces) {
  const std::size_t order[] = {7, 1, 8, 2, 9, 10, 3};
  const std::size_t evidence[] = {1, 3, 99, 2};
  const auto measured = measure_order(order, evidence);
  EXPECT_THAT(measured.recall, ElementsAre(0, 0.5, 0.75, 0.75, 0.75));
  EXPECT_DOUBLE_EQ(measured.reciprocal_rank, 0.5);
  const double ideal = 1 + 1 / std::log2(3) + 1 / std::log2(4) + 1 / std::log2(5);
  EXPECT_NEAR(measured.ndcg10, (1 / std::log2(3) + 1 / std::log2(5) + 1 / std::log2(8)) / ideal,
              1e-12);
}

TEST(MeasureOrder, GivesNothingForNothingAndOneForAllAtTheTop) {
  const std::size_t evidence[] = {4};
  EXPECT_EQ(measure_order({}, evidence).reciprocal_rank, 0);
  RetrievalMetrics sum = measure_order(evidence, evidence);
  EXPECT_EQ(sum.ndcg10, 1);
  sum.add(measure_order({}, evidence));
  EXPECT_EQ(sum.mean().recall10(), 0.5);
}

TEST(ReadLocomo, TakesTurnsDatesAndTheEvidenceOfFourCategories) {
  const auto read = read_locomo(BB5_SOURCE_DIR "/tests/data/talks.json");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  const Conversation& talk = read->front();
  ASSERT_EQ(talk.turns.size(), 9u);
  EXPECT_EQ(talk.turns[4].content,
            "Ada: Good. I have bought a bigger desk meanwhile. [shares a photo of a wooden desk "
            "beside a window]");
  EXPECT_EQ(talk.turns[5].thread, "talk-1/2");
  EXPECT_EQ(talk.turns[5].position, 1);
  EXPECT_EQ(talk.turns[5].created_at, *parse_time("2025-04-20"));
  ASSERT_EQ(talk.questions.size(), 4u);
  EXPECT_THAT(talk.questions[2].evidence, ElementsAre(4, 6));
}

TEST(ReadLocomo, SaysWhichFileAndConversationIsWrong) {
  EXPECT_EQ(read_locomo("/nowhere/talks.json").error().code, Errc::not_found);
  const auto other = read_locomo(BB5_SOURCE_DIR "/CMakePresets.json");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::invalid_argument);
  EXPECT_THAT(other.error().message, testing::HasSubstr("CMakePresets.json, conversation 1"));
}

TEST(FitWeights, MovesAWeightThatHelps) {
  FitQuestion question{.evidence = {1}, .turns = {0, 1}};
  question.signals = {{1, 0}, {0.97, 0.5}};
  const ranking::Weights start = {0.6};
  EXPECT_THAT(order_by(question, start), ElementsAre(0, 1));
  const auto fitted = fit_weights(std::span(&question, 1), start);
  EXPECT_THAT(order_by(question, fitted), ElementsAre(1, 0));
  EXPECT_EQ(fitted[0], 0.6);
}

}  // namespace
}  // namespace bb5::bench
