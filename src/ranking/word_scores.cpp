#include "ranking/word_scores.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "ranking/authors.hpp"
#include "ranking/bm25.hpp"
#include "ranking/date_terms.hpp"
#include "ranking/term_counts.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

// All chosen on the development half of LoCoMo (docs/decisions/2026-11-25-ranking.md).
constexpr Bm25 folded_bm25{.k1 = 0.6, .b = 0.75};
constexpr Bm25 own_bm25{.k1 = 0.9, .b = 0.5};
constexpr double neighbour_weight[window_reach] = {0.5, 0.3, 0.2, 0.1};
/// Weight of a whole window: 1 + 2 · Σ neighbour_weight.
constexpr double window_weight = 3.2;
/// A term stands in about so many more windows than texts, where it cannot be counted.
constexpr double usual_windows_per_text = 4;
constexpr double date_length = 3;

std::vector<std::string> author_terms(std::span<const Passage> passages) {
  std::vector<std::string> terms;
  for (const std::string& author : authors_of(passages)) {
    for (std::string& term : terms_of(author)) terms.push_back(std::move(term));
  }
  return terms;
}

/// The terms to count, each once, and which of them may answer to a word of the question.
struct Query {
  struct Alternative {
    std::size_t term = 0;
    double weight = 1;
  };
  std::vector<std::string> terms;              // the question's first
  std::vector<std::vector<Alternative>> soft;  // by word of the question

  [[nodiscard]] std::size_t words() const { return soft.size(); }
};

Query make_query(std::string_view question, std::span<const Passage> passages,
                 const CorpusStatistics& statistics, const WordNeighbours& neighbours) {
  Query query;
  for (AskedTerm& one : asked_words(question).terms) query.terms.push_back(std::move(one.term));
  query.soft.resize(query.terms.size());
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < query.terms.size(); ++i) places.emplace(query.terms[i], i);
  const auto authors = author_terms(passages);
  for (std::size_t word = 0; word < query.words(); ++word) {
    for (SoftTerm& soft : soft_terms(query.terms[word], neighbours, statistics, authors)) {
      const auto [place, fresh] = places.try_emplace(soft.term, query.terms.size());
      if (fresh) query.terms.push_back(std::move(soft.term));
      query.soft[word].push_back({place->second, soft.weight});
    }
  }
  return query;
}

double count_of(const std::unordered_map<std::string, std::int64_t>& counts,
                const std::string& term) {
  const auto found = counts.find(term);
  return found == counts.end() ? 0 : static_cast<double>(found->second);
}

class Scoring {
 public:
  Scoring(const Query& query, std::span<const Passage> passages, const Threads& threads,
          const CorpusStatistics& statistics)
      : query_(query),
        passages_(passages),
        threads_(threads),
        statistics_(statistics),
        width_(query.terms.size()),
        own_(passages.size() * width_),
        dates_(passages.size() * width_),
        lengths_(passages.size()) {
    count();
    double length = 0;  // of whole numbers: the same in any order
    for (const double one : lengths_) length += one;
    if (!lengths_.empty()) mean_length_ = length / static_cast<double>(lengths_.size());
    find_rarity();
  }

  /// BM25 of the text alone, over the words that the question says itself.
  [[nodiscard]] double own(std::size_t i) const {
    double score = 0;
    for (std::size_t t = 0; t < query_.words(); ++t) {
      score += rarity_alone_[t] * own_bm25.saturated(row(own_, i)[t], lengths_[i], mean_length_);
    }
    return score;
  }

  [[nodiscard]] double folded(std::size_t i) const {
    const bool threaded = threads_.is_threaded(i);
    const auto scores = threaded ? folded_term_scores(i) : alone_term_scores(i);
    const auto& idf = threaded ? rarity_folded_ : rarity_alone_;
    double score = 0;
    for (std::size_t word = 0; word < query_.words(); ++word) {
      double best = scores[word];
      for (const auto& [term, weight] : query_.soft[word]) {
        // A rare neighbour is no better evidence than the word itself would have been.
        const double capped = idf[term] > 0 ? std::min(1.0, idf[word] / idf[term]) : 1;
        best = std::max(best, weight * capped * scores[term]);
      }
      score += best;
    }
    return score;
  }

 private:
  using Row = std::span<const float>;
  [[nodiscard]] Row row(const std::vector<float>& table, std::size_t i) const {
    return Row(table).subspan(i * width_, width_);
  }

  void count() {
    TermCounter counter(query_.terms);
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      const Passage& passage = passages_[i];
      const auto counts = std::span(own_).subspan(i * width_, width_);
      std::size_t length = counter.add(passage.author, counts);
      length += counter.add(without_author(passage.content, passage.author), counts);
      lengths_[i] = static_cast<double>(length);
      if (!passage.created_at) continue;
      const auto dated = std::span(dates_).subspan(i * width_, width_);
      for (const std::string& term : date_terms(*passage.created_at)) counter.add_term(term, dated);
    }
  }

  void find_rarity() {
    const auto n = static_cast<double>(statistics_.memories);
    const auto per_text = windows_per_text();
    const auto dated_share = shares_of_dates();
    for (std::size_t t = 0; t < width_; ++t) {
      const double held = count_of(statistics_.holding, query_.terms[t]);
      const double dated = n * dated_share[t];
      rarity_alone_.push_back(inverse_document_frequency(n, held > 0 ? held : dated));
      rarity_folded_.push_back(
          inverse_document_frequency(n, held > 0 ? held * per_text[t] : dated));
    }
  }

  /// Which part of the passages that have a date has each term in it.
  [[nodiscard]] std::vector<double> shares_of_dates() const {
    double dated = 0;
    std::vector<double> shares(width_);
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      if (!passages_[i].created_at) continue;
      ++dated;
      for (std::size_t t = 0; t < width_; ++t) shares[t] += row(dates_, i)[t] > 0 ? 1 : 0;
    }
    for (double& share : shares) share = dated > 0 ? share / dated : 0;
    return shares;
  }

  /// In how many windows each term stands for one text that has it, as far as the passages show:
  /// exact for a rare term, all of whose texts are among them with their neighbours.
  [[nodiscard]] std::vector<double> windows_per_text() const {
    std::vector<double> texts(width_);
    std::vector<double> windows(width_);
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      if (!threads_.is_threaded(i)) continue;
      std::vector<bool> inside(width_);
      for (std::size_t t = 0; t < width_; ++t) inside[t] = row(own_, i)[t] > 0;
      for (std::size_t t = 0; t < width_; ++t) texts[t] += inside[t] ? 1 : 0;
      for (const auto& near : threads_.window(i)) {
        for (std::size_t t = 0; t < width_; ++t)
          inside[t] = inside[t] || row(own_, near.passage)[t] > 0;
      }
      for (std::size_t t = 0; t < width_; ++t) windows[t] += inside[t] ? 1 : 0;
    }
    for (std::size_t t = 0; t < width_; ++t)
      windows[t] = texts[t] > 0 ? windows[t] / texts[t] : usual_windows_per_text;
    return windows;
  }

  /// Each term's score, the date counted as part of the text.
  [[nodiscard]] std::vector<double> term_scores(std::size_t i, std::vector<double> frequencies,
                                                double length, double mean, const Bm25& bm25,
                                                std::span<const double> idf) const {
    const bool dated = passages_[i].created_at.has_value();
    for (std::size_t t = 0; t < width_; ++t) {
      frequencies[t] = idf[t] * bm25.saturated(frequencies[t] + row(dates_, i)[t],
                                               length + (dated ? date_length : 0),
                                               mean > 0 ? mean + (dated ? date_length : 0) : 0);
    }
    return frequencies;
  }

  [[nodiscard]] std::vector<double> alone_term_scores(std::size_t i) const {
    const Row own = row(own_, i);
    return term_scores(i, {own.begin(), own.end()}, lengths_[i], mean_length_, own_bm25,
                       rarity_alone_);
  }

  [[nodiscard]] std::vector<double> folded_term_scores(std::size_t i) const {
    const Row own = row(own_, i);
    std::vector<double> frequencies(own.begin(), own.end());
    double length = lengths_[i];
    for (const auto& near : threads_.window(i)) {
      const double weight = neighbour_weight[std::abs(near.distance) - 1];
      const Row theirs = row(own_, near.passage);
      for (std::size_t t = 0; t < width_; ++t) frequencies[t] += weight * theirs[t];
      length += weight * lengths_[near.passage];
    }
    return term_scores(i, std::move(frequencies), length, window_weight * mean_length_, folded_bm25,
                       rarity_folded_);
  }

  const Query& query_;
  std::span<const Passage> passages_;
  const Threads& threads_;
  const CorpusStatistics& statistics_;
  std::size_t width_;
  std::vector<float> own_;    // passages × terms: how often
  std::vector<float> dates_;  // the same of their dates
  std::vector<double> lengths_;
  double mean_length_ = 0;
  std::vector<double> rarity_alone_;   // idf by term, among texts
  std::vector<double> rarity_folded_;  // … among windows
};

}  // namespace

WordScores score_words(std::string_view question, std::span<const Passage> passages,
                       const Threads& threads, const CorpusStatistics& statistics,
                       const WordNeighbours& neighbours) {
  const Query query = make_query(question, passages, statistics, neighbours);
  const Scoring scoring(query, passages, threads, statistics);
  WordScores scores;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    scores.folded.push_back(passages[i].candidate ? scoring.folded(i) : 0);
    scores.own.push_back(scoring.own(i));
  }
  return scores;
}

std::vector<AskedTerm> wanted_terms(const AskedWords& asked, const WordNeighbours& neighbours) {
  std::vector<AskedTerm> terms = asked.terms;
  std::unordered_set<std::string> seen;
  for (const AskedTerm& one : terms) seen.insert(one.term);
  for (const AskedTerm& one : asked.terms) {
    for (const WordNeighbour& near : neighbours.nearest(one.term)) {
      if (seen.insert(near.term).second) terms.push_back(asked_term(near.term));
    }
  }
  return terms;
}

}  // namespace bb5::ranking
