#include "ranking/word_scores.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/bm25.hpp"

namespace bb5::ranking {
namespace {

using testing::Each;
using testing::ElementsAre;

/// Two words mean the same here.
class Hounds final : public WordNeighbours {
 public:
  std::vector<WordNeighbour> nearest(const std::string& term) const override {
    if (term == "dog") return {{"hound", 0.6}};
    return {};
  }
};

double idf(double n, double df) {
  return std::log(1 + (n - df + 0.5) / (df + 0.5));
}
double bm25(double tf, double k) {
  return tf / (tf + k);
}

WordScores score(const char* question, std::span<const Passage> passages,
                 const CorpusStatistics& statistics,
                 const WordNeighbours& neighbours = NoWordNeighbours()) {
  return score_words(question, passages, Threads(passages), statistics, neighbours);
}

TEST(Bm25, GrowsLessWithEachRepetitionAndStaysFinite) {
  const Bm25 bm25{.k1 = 0.9, .b = 0.5};
  EXPECT_NEAR(bm25.saturated(2, 5, 10), 2 * 1.9 / (2 + 0.9 * 0.75), 1e-12);
  EXPECT_EQ(bm25.saturated(0, 0, 0), 0);
  EXPECT_EQ(Bm25().saturated(0, 0, 10), 0);
  EXPECT_NEAR(bm25.saturated(1, 0, 0), 1, 1e-12);
  EXPECT_NEAR(inverse_document_frequency(10, 2), std::log(1 + 8.5 / 2.5), 1e-12);
  EXPECT_GT(inverse_document_frequency(10, 99), 0);
  EXPECT_GT(inverse_document_frequency(-1, 5), 0);
}

TEST(ScoreWords, OfATextAloneIsBm25) {
  const Passage passages[] = {{.seq = 1, .content = "The dog saw a dog run"},
                              {.seq = 2, .content = "Rain"}};
  const CorpusStatistics statistics{.memories = 10, .holding = {{"dog", 2}, {"rain", 1}}};
  const auto scores = score("Does a dog run in rain?", passages, statistics);
  // dog, saw (see), dog, run: four terms. `run` is held by none, as far as is known.
  const double k = 0.9 * (0.5 + 0.5 * 4 / 2.5);
  const double expected = 1.9 * (idf(10, 2) * bm25(2, k) + idf(10, 0) * bm25(1, k));
  EXPECT_NEAR(scores.own[0], expected, 1e-9);
  EXPECT_NEAR(scores.folded[0], expected, 1e-9);
  EXPECT_GT(scores.own[1], 0);
}

TEST(ScoreWords, FoldsNeighboursAndDateBeforeTheySaturate) {
  const Passage passages[] = {
      {.seq = 1,
       .content = "Ann: dog",
       .author = "Ann",
       .thread = "t",
       .position = 1,
       .created_at = parse_time("2023-05-08")},
      {.seq = 2, .content = "dog dog walk", .author = "Bob", .thread = "t", .position = 2},
      {.seq = 3,
       .content = "dog",
       .author = "Bob",
       .thread = "t",
       .position = 6,
       .created_at = parse_time("2024-06-09")}};
  const CorpusStatistics statistics{.memories = 100, .holding = {{"dog", 3}}};
  const auto scores = score("dog 2023", passages, statistics);
  // Lengths with authors: 2, 4, 2; the third stands 5 further on, which is beyond the window.
  // Three texts and three windows have a dog; of the two that have a date, one is of 2023.
  const double mean = 8 / 3.0;
  const double k = 0.6 * (0.25 + 0.75 * (2 + 0.5 * 4 + 3) / (3.2 * mean + 3));
  EXPECT_NEAR(scores.folded[0],
              1.6 * (idf(100, 3) * bm25(1 + 0.5 * 2, k) + idf(100, 50) * bm25(1, k)), 1e-6);
  const double own_k = 0.9 * (0.5 + 0.5 * 2 / mean);
  EXPECT_NEAR(scores.own[0], 1.9 * idf(100, 3) * bm25(1, own_k), 1e-9);
}

// Three times as many windows have the dog as texts, which makes it that less rare.
TEST(ScoreWords, CountsTheWindowsThatATermStandsIn) {
  const Passage passages[] = {{.seq = 1, .content = "dog", .thread = "t", .position = 1},
                              {.seq = 2, .content = "cat", .thread = "t", .position = 2},
                              {.seq = 3, .content = "fox", .thread = "t", .position = 5},
                              {.seq = 4, .content = "elk", .thread = "t", .position = 6}};
  const CorpusStatistics statistics{.memories = 100, .holding = {{"dog", 4}}};
  const auto scores = score("dog", passages, statistics);
  EXPECT_GT(scores.folded[1], 0);
  EXPECT_EQ(scores.folded[3], 0);
  const double length = 1 + 0.5 + 0.1;
  EXPECT_NEAR(scores.folded[0], 1.6 * idf(100, 12) * bm25(1, 0.6 * (0.25 + 0.75 * length / 3.2)),
              1e-6);
}

TEST(ScoreWords, TakesTheBestOfAWordAndItsNeighbours) {
  const Passage passages[] = {{.seq = 1, .content = "hound"},
                              {.seq = 2, .content = "dog hound"},
                              {.seq = 3, .content = "dog rest"}};
  const CorpusStatistics statistics{.memories = 100, .holding = {{"dog", 20}, {"hound", 5}}};
  const auto scores = score("dog", passages, statistics, Hounds());
  const double weight = 0.7 * 0.5 * idf(100, 20) / idf(100, 5);
  EXPECT_NEAR(scores.folded[0],
              weight * idf(100, 5) * 1.9 * bm25(1, 0.9 * (0.5 + 0.5 * 1 / (5 / 3.0))), 1e-6);
  EXPECT_NEAR(scores.folded[1], scores.folded[2], 1e-9);
  EXPECT_EQ(scores.own[0], 0);
}

TEST(ScoreWords, OfWhatIsNoCandidateIsItsOwnOnly) {
  const Passage passages[] = {{.seq = 1, .content = "dog", .candidate = false}};
  const auto scores = score("dog", passages, {.memories = 1});
  EXPECT_EQ(scores.folded[0], 0);
  EXPECT_GT(scores.own[0], 0);
}

TEST(ScoreWords, OfStopWordsOrNothingIsNothing) {
  const Passage passages[] = {{.seq = 1, .content = "What is it?"}, {.seq = 2}};
  for (const char* question : {"", "what is it", "?!"})
    EXPECT_THAT(score(question, passages, {}).folded, Each(0)) << question;
}

TEST(WantedTerms, AreTheQuestionsAndTheirNeighbours) {
  EXPECT_THAT(wanted_terms(asked_words("dogs, a dog"), Hounds()),
              ElementsAre(AskedTerm{"dog", {"dogs", "dog"}}, AskedTerm{"hound", {"hound"}}));
}

}  // namespace
}  // namespace bb5::ranking
