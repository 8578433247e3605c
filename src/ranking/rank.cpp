#include "ranking/rank.hpp"

#include <algorithm>
#include <cmath>

#include "ranking/authors.hpp"
#include "ranking/meaning.hpp"
#include "ranking/terms.hpp"
#include "ranking/threads.hpp"
#include "ranking/time_words.hpp"
#include "ranking/word_scores.hpp"

namespace bb5::ranking {
namespace {

/// From this many words on (about forty), a longer text says no more: chosen on LoCoMo.
constexpr double longest_length = 3.7;

using Raw = std::array<std::optional<double>, signals>;

std::optional<double>& of(Raw& raw, Signal signal) {
  return raw[static_cast<std::size_t>(signal)];
}

/// Measures the signals of one candidate after the other.
class Measuring {
 public:
  Measuring(std::string_view question, std::span<const Passage> passages,
            const CorpusStatistics& statistics, const WordNeighbours& neighbours)
      : passages_(passages),
        threads_(passages),
        words_(score_words(question, passages, threads_, statistics, neighbours)),
        authors_(authors_of(passages)),
        named_(named_author(question, authors_)),
        asks_when_(asks_for_a_time(words_of(question))) {
    for (const double own : words_.own) best_own_ = std::max(best_own_, own);
  }

  [[nodiscard]] bool is_talk(std::size_t i) const { return threads_.is_talk(i); }

  [[nodiscard]] Raw measure(std::size_t i) const {
    const auto words = words_of(without_author(passages_[i].content, passages_[i].author));
    const double time = tells_a_time(words) ? 1 : 0;
    Raw raw;
    of(raw, Signal::words) = words_.folded[i];
    of(raw, Signal::meaning) = meaning(passages_, threads_, i);
    if (named_) of(raw, Signal::speaker) = speaker(i);
    if (asks_when_) of(raw, Signal::when) = time;
    // The rest are habits of talk, and say nothing of notes.
    if (!threads_.is_talk(i)) return raw;
    of(raw, Signal::answer) = answer(i);
    of(raw, Signal::time) = time;
    of(raw, Signal::length) =
        std::min(std::log1p(static_cast<double>(words.size())), longest_length);
    of(raw, Signal::question) = asks(i) ? 1 : 0;
    return raw;
  }

 private:
  [[nodiscard]] double speaker(std::size_t i) const {
    const std::string_view author = passages_[i].author;
    if (author.empty()) return 0.5;
    return author == *named_ ? 1 : 0;
  }

  [[nodiscard]] bool asks(std::size_t i) const {
    return passages_[i].content.find('?') != std::string_view::npos;
  }

  [[nodiscard]] double answer(std::size_t i) const {
    const auto before = threads_.before(i);
    if (!before || !asks(*before) || best_own_ <= 0) return 0;
    return words_.own[*before] / best_own_;
  }

  std::span<const Passage> passages_;
  Threads threads_;
  WordScores words_;
  std::vector<std::string> authors_;
  std::optional<std::string_view> named_;  // of authors_
  bool asks_when_;
  double best_own_ = 0;
};

/// Words and meaning are divided by the best there is; where none is above 0, they say nothing.
void divide_by_best(std::vector<RankedPassage>& candidates, Signal signal) {
  const auto s = static_cast<std::size_t>(signal);
  double best = 0;
  for (const RankedPassage& one : candidates) best = std::max(best, one.raw[s].value_or(0));
  for (RankedPassage& one : candidates)
    one.calibrated[s] = best > 0 ? one.raw[s].value_or(0) / best : 0;
}

void take_or_mean(std::vector<RankedPassage>& candidates, Signal signal) {
  const auto s = static_cast<std::size_t>(signal);
  std::vector<double> known;
  for (const RankedPassage& one : candidates) {
    if (one.raw[s]) known.push_back(*one.raw[s]);
  }
  if (known.empty()) return;
  // Sorted, so that the sum does not depend on the order of the candidates.
  std::sort(known.begin(), known.end());
  double sum = 0;
  for (const double value : known) sum += value;
  for (RankedPassage& one : candidates)
    one.calibrated[s] = one.raw[s].value_or(sum / static_cast<double>(known.size()));
}

void calibrate(std::vector<RankedPassage>& candidates) {
  divide_by_best(candidates, Signal::words);
  divide_by_best(candidates, Signal::meaning);
  for (const Signal signal : {Signal::speaker, Signal::answer, Signal::time, Signal::when,
                              Signal::length, Signal::question})
    take_or_mean(candidates, signal);
}

}  // namespace

Ranking rank(std::string_view question, std::span<const Passage> passages,
             const CorpusStatistics& statistics, const WordNeighbours& neighbours) {
  const Measuring measuring(question, passages, statistics, neighbours);
  Ranking ranking{.weights = note_weights};
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (!passages[i].candidate) continue;
    ranking.order.push_back({.passage = i, .raw = measuring.measure(i)});
    if (measuring.is_talk(i)) ranking.weights = talk_weights;
  }
  calibrate(ranking.order);
  for (RankedPassage& one : ranking.order) {
    for (std::size_t s = 0; s < signals; ++s) one.score += ranking.weights[s] * one.calibrated[s];
  }
  std::sort(ranking.order.begin(), ranking.order.end(),
            [&](const RankedPassage& a, const RankedPassage& b) {
              return a.score != b.score ? a.score > b.score
                                        : passages[a.passage].seq < passages[b.passage].seq;
            });
  return ranking;
}

}  // namespace bb5::ranking
