#include "ranking/rank.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ranking/authors.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::size_t at(Signal signal) {
  return static_cast<std::size_t>(signal);
}

CorpusStatistics statistics_of(std::span<const Passage> passages) {
  CorpusStatistics made{.memories = static_cast<std::int64_t>(passages.size())};
  for (const Passage& passage : passages) {
    for (const auto& term : distinct_terms_of(passage.content)) ++made.holding[term];
  }
  return made;
}

Ranking rank_alone(const char* question, std::span<const Passage> passages) {
  return rank(question, passages, statistics_of(passages), NoWordNeighbours());
}

std::vector<std::int64_t> seqs(const Ranking& ranking, std::span<const Passage> passages) {
  std::vector<std::int64_t> order;
  for (const auto& one : ranking.order) order.push_back(passages[one.passage].seq);
  return order;
}

const RankedPassage& of(const Ranking& ranking, std::size_t passage) {
  return *std::find_if(ranking.order.begin(), ranking.order.end(),
                       [&](const auto& one) { return one.passage == passage; });
}

Passage turn(std::int64_t position, std::string_view author, std::string_view content,
             double cosine = 0) {
  return {.seq = position,
          .content = content,
          .author = author,
          .thread = "talk",
          .position = position,
          .cosine = cosine};
}

TEST(Rank, OfNothingIsNothing) {
  EXPECT_THAT(rank_alone("dog", {}).order, IsEmpty());
  const Passage context[] = {{.seq = 1, .content = "dog", .candidate = false}};
  EXPECT_THAT(rank_alone("dog", context).order, IsEmpty());
}

TEST(Rank, OfNotesIsHalfWordsHalfMeaning) {
  const Passage notes[] = {{.seq = 1, .content = "dog", .cosine = 0.2},
                           {.seq = 2, .content = "cat", .cosine = 0.8},
                           {.seq = 3, .content = "fox", .cosine = 0.4, .sentence_cosine = 0.6}};
  const Ranking ranking = rank_alone("dog?", notes);
  EXPECT_EQ(ranking.weights, note_weights);
  EXPECT_NEAR(of(ranking, 0).score, 0.5 + 0.5 * 0.25, 1e-9);
  EXPECT_NEAR(of(ranking, 1).score, 0.5, 1e-9);
  EXPECT_NEAR(of(ranking, 2).score, 0.5 * 0.75, 1e-9);
  EXPECT_THAT(seqs(ranking, notes), ElementsAre(1, 2, 3));
  EXPECT_FALSE(of(ranking, 0).raw[at(Signal::length)]);
}

TEST(Rank, FallsBackToMeaningWhereNoWordMeets) {
  const Passage notes[] = {{.seq = 1, .content = "dog", .cosine = -0.2},
                           {.seq = 2, .content = "cat", .cosine = 0.8}};
  const Ranking ranking = rank_alone("rain", notes);
  EXPECT_THAT(seqs(ranking, notes), ElementsAre(2, 1));
  EXPECT_EQ(of(ranking, 0).calibrated[at(Signal::words)], 0);
}

TEST(Rank, FallsBackToWordsWhereThereAreNoVectorsOrNoneIsNear) {
  for (const auto& cosine : {std::optional<double>(), std::optional<double>(-0.5)}) {
    const Passage notes[] = {{.seq = 1, .content = "cat", .cosine = cosine},
                             {.seq = 2, .content = "dog", .cosine = cosine}};
    const Ranking ranking = rank_alone("dog", notes);
    EXPECT_THAT(seqs(ranking, notes), ElementsAre(2, 1));
    EXPECT_NEAR(of(ranking, 1).score, 0.5, 1e-9);
    EXPECT_EQ(of(ranking, 0).score, 0);
  }
}

TEST(Rank, BreaksTiesByPlaceInTheBank) {
  const Passage notes[] = {{.seq = 9, .content = "dog"}, {.seq = 4, .content = "dog"}};
  EXPECT_THAT(seqs(rank_alone("dog", notes), notes), ElementsAre(4, 9));
}

TEST(Rank, MeasuresTheHabitsOfTalk) {
  const Passage talk[] = {turn(1, "Ann", "Ann: When did you buy the dog?", 0.4),
                          turn(2, "Bob", "Bob: Two weeks ago", 0.2)};
  const Ranking ranking = rank_alone("When did Bob buy a dog?", talk);
  EXPECT_EQ(ranking.weights, talk_weights);
  const RankedPassage& question = of(ranking, 0);
  const RankedPassage& answer = of(ranking, 1);
  EXPECT_EQ(question.raw[at(Signal::speaker)], 0);
  EXPECT_EQ(answer.raw[at(Signal::speaker)], 1);
  EXPECT_EQ(question.raw[at(Signal::answer)], 0);
  EXPECT_EQ(answer.raw[at(Signal::answer)],
            1);  // no text has more of the words than the one before
  EXPECT_EQ(question.raw[at(Signal::when)], 0);
  EXPECT_EQ(answer.raw[at(Signal::when)], 1);
  EXPECT_EQ(answer.raw[at(Signal::time)], 1);
  EXPECT_EQ(question.raw[at(Signal::question)], 1);
  EXPECT_EQ(answer.raw[at(Signal::question)], 0);
  EXPECT_NEAR(*answer.raw[at(Signal::length)], std::log(4), 1e-12);
  EXPECT_EQ(ranking.order.front().passage, 1u);
}

TEST(Rank, ScoresAreTheWeightedSumOfWhatTheReceiptShows) {
  const Passage talk[] = {turn(1, "Ann", "Do you have a dog?", 0.4), turn(2, "Bob", "Yes", 0.2),
                          turn(3, "Ann", "A dog, since May 2020!", -0.1)};
  const Ranking ranking = rank_alone("What does Ann have?", talk);
  for (const RankedPassage& one : ranking.order) {
    double sum = 0;
    for (std::size_t s = 0; s < signals; ++s) sum += ranking.weights[s] * one.calibrated[s];
    EXPECT_DOUBLE_EQ(one.score, sum);
  }
}

TEST(Rank, GivesNotesTheMeanOfTheHabitsOfTalkBesideThem) {
  const Passage mixed[] = {turn(1, "Ann", "one two three"),
                           turn(2, "Bob", "one"),
                           {.seq = 3, .content = "a note of many words about nothing"}};
  const Ranking ranking = rank_alone("rain", mixed);
  EXPECT_FALSE(of(ranking, 2).raw[at(Signal::length)]);
  EXPECT_NEAR(of(ranking, 2).calibrated[at(Signal::length)], (std::log(4) + std::log(2)) / 2,
              1e-12);
}

TEST(Rank, LeavesTheSpeakerOutWhereNobodyOrSeveralAreNamed) {
  const Passage talk[] = {turn(1, "Ann", "dog"), turn(2, "Bob", "dog")};
  for (const char* question : {"dog", "Did Ann and Bob see a dog?"}) {
    for (const auto& one : rank_alone(question, talk).order) {
      EXPECT_FALSE(one.raw[at(Signal::speaker)]);
      EXPECT_EQ(one.calibrated[at(Signal::speaker)], 0);
    }
  }
}

TEST(Rank, PutsAMemoryOfNobodyBetweenTheNamedAuthorsAndTheOthers) {
  const Passage notes[] = {{.seq = 1, .content = "dog", .author = "Bob"},
                           {.seq = 2, .content = "dog home"},
                           {.seq = 3, .content = "dog", .author = "Ann"}};
  EXPECT_THAT(seqs(rank_alone("Does Ann have it?", notes), notes), ElementsAre(3, 2, 1));
}

/// Texts, threads and cosines of all kinds, from a seed.
struct Random {
  explicit Random(unsigned seed) : engine(seed) {}
  std::size_t below(std::size_t n) { return engine() % n; }
  std::string text() {
    static constexpr const char* words[] = {"dog",  "Ann:", "went",      "?",    "2023",
                                            "last", "week", "猫",        "\xFF", "the",
                                            "rain", "Bob",  "yesterday", ""};
    std::string made;
    for (std::size_t i = below(12); i > 0; --i)
      made.append(words[below(std::size(words))]).append(" ");
    return made;
  }
  std::mt19937 engine;
};

std::vector<Passage> random_passages(Random& random, std::vector<std::string>& texts) {
  static constexpr std::string_view names[] = {"", "Ann", "Bob"};
  static constexpr std::string_view threads[] = {"", "x", "y"};
  const std::size_t count = random.below(40);
  for (std::size_t i = 0; i < count; ++i) texts.push_back(random.text());
  std::vector<Passage> passages;
  for (std::size_t i = 0; i < count; ++i) {
    Passage made{.seq = static_cast<std::int64_t>(i), .content = texts[i]};
    made.author = names[random.below(3)];
    made.thread = threads[random.below(3)];
    if (random.below(4) > 0) made.position = static_cast<std::int64_t>(random.below(20));
    if (random.below(3) > 0) made.created_at = Timestamp(std::chrono::hours(random.below(900'000)));
    if (random.below(4) > 0) made.cosine = static_cast<double>(random.below(2001)) / 1000 - 1;
    made.candidate = random.below(5) > 0;
    passages.push_back(made);
  }
  return passages;
}

TEST(Rank, DoesNotDependOnTheOrderOfThePassagesAndIsFinite) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<std::string> texts;
    texts.reserve(100);
    std::vector<Passage> passages = random_passages(random, texts);
    const std::string question = random.text();
    const auto statistics = statistics_of(passages);
    const Ranking first = rank(question, passages, statistics, NoWordNeighbours());
    const auto order = seqs(first, passages);
    EXPECT_THAT(order,
                SizeIs(static_cast<std::size_t>(std::count_if(
                    passages.begin(), passages.end(), [](auto& p) { return p.candidate; }))));
    for (const auto& one : first.order) EXPECT_TRUE(std::isfinite(one.score));
    std::shuffle(passages.begin(), passages.end(), random.engine);
    const Ranking second = rank(question, passages, statistics, NoWordNeighbours());
    ASSERT_EQ(seqs(second, passages), order);
    for (std::size_t i = 0; i < order.size(); ++i)
      EXPECT_EQ(second.order[i].score, first.order[i].score);
  }
}

TEST(Rank, IsFiniteWithoutAnyStatistics) {
  const Passage notes[] = {{.seq = 1, .content = "dog"}, {.seq = 2}};
  for (const auto& one : rank("dog", notes, {}, NoWordNeighbours()).order)
    EXPECT_TRUE(std::isfinite(one.score));
}

}  // namespace
}  // namespace bb5::ranking
