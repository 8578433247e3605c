#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "benchmarks/support/locomo.hpp"
#include "benchmarks/support/vector_cache.hpp"
#include "ports/memory_search.hpp"
#include "ranking/candidates.hpp"
#include "ranking/rank.hpp"

namespace bb5::bench {

/// What the ranking is told.
struct Knowledge {
  bool threads = true;  ///< Thread, author and date; else the best sentence's vector.
  bool words = true;    ///< Neighbours of words.
};

struct RankedTurns {
  ranking::Ranking ranking;
  std::vector<std::size_t> turns;  ///< By passage: the turn's place in the haystack.
  double seconds = 0;              ///< CPU of rank() alone; who is ranked was found before.
};

/// Turns of some conversations as one bank in memory: what a store will have to deliver for the
/// ranking, exactly. A hit's seq is the turn's place.
class Haystack {
 public:
  /// The conversations and the vectors must outlive it.
  Haystack(std::span<const Conversation> conversations, VectorCache& vectors);

  [[nodiscard]] std::size_t size() const { return turns_.size(); }
  /// Their evidence by place in this haystack.
  [[nodiscard]] const std::vector<AskedQuestion>& questions() const { return questions_; }
  [[nodiscard]] const std::string& conversation_of(const AskedQuestion& question) const;

  /// question: one of questions(). The best by BM25 of the text alone, scores above 0; by cosine.
  [[nodiscard]] const std::vector<Hit>& hits_by_words(const AskedQuestion& question) const {
    return by_words_[place_of(question)];
  }
  [[nodiscard]] const std::vector<Hit>& hits_by_meaning(const AskedQuestion& question) const {
    return by_meaning_[place_of(question)];
  }
  [[nodiscard]] RankedTurns rank(const AskedQuestion& question, const Knowledge& knowledge) const;

 private:
  class Neighbours;

  void embed();
  void count();
  void search(const AskedQuestion& question);
  [[nodiscard]] std::size_t place_of(const AskedQuestion& question) const {
    return static_cast<std::size_t>(&question - questions_.data());
  }
  [[nodiscard]] ranking::Passage passage(std::size_t turn, const AskedQuestion& question,
                                         const Knowledge& knowledge) const;
  [[nodiscard]] ranking::Selection select(const AskedQuestion& question,
                                          const Knowledge& knowledge) const;

  VectorCache* vectors_;
  std::vector<const Turn*> turns_;
  std::vector<MemoryId> ids_;
  std::unordered_map<Uuid, std::size_t> places_;
  std::vector<std::vector<std::string>> sentences_;
  std::vector<AskedQuestion> questions_;
  std::vector<std::string> conversations_;    // by question
  std::vector<std::vector<Hit>> by_words_;    // …
  std::vector<std::vector<Hit>> by_meaning_;  // …
  ranking::CorpusStatistics statistics_;
  std::vector<ranking::Passage> plain_;  // every turn, text alone
};

}  // namespace bb5::bench
