#pragma once

#include <span>
#include <string>
#include <vector>

#include "ranking/passage.hpp"

/// Terms that a question did not say but might have: the neighbours of its words.
namespace bb5::ranking {

struct WordNeighbour {
  std::string term;
  double cosine = 0;
  bool operator==(const WordNeighbour&) const = default;
};

/// Which words mean nearly the same. Safe to call from several threads at once.
class WordNeighbours {
 public:
  virtual ~WordNeighbours() = default;
  /// Terms, itself left out, nearest first; soft_neighbours that the bank holds are enough. None
  /// when the term is not known. What it returns for a term never changes.
  [[nodiscard]] virtual std::vector<WordNeighbour> nearest(const std::string& term) const = 0;
};

/// No words are known.
class NoWordNeighbours final : public WordNeighbours {
 public:
  [[nodiscard]] std::vector<WordNeighbour> nearest(const std::string&) const override { return {}; }
};

// Chosen on the development half of LoCoMo; 0.1 to 0.3 and 0.5 to 1 are as good within 0.004.
inline constexpr std::size_t soft_neighbours = 20;
inline constexpr double soft_threshold = 0.2;
inline constexpr double soft_weight = 0.7;
/// A word in more of the memories than this share is too common to stand for another one.
inline constexpr double soft_commonest = 0.1;

struct SoftTerm {
  std::string term;
  double weight = 0;  ///< Of the neighbour's score, in (0, soft_weight].
};

/// True when the term may stand for another one, as far as its letters tell: longer than two, no
/// number.
[[nodiscard]] bool may_be_soft(std::string_view term);

/// Those that may stand for a term of the question: held by the bank, above the threshold, not too
/// common, not one of `authors` (terms). authors' own names have none: nobody is meant by the name
/// of another.
[[nodiscard]] std::vector<SoftTerm> soft_terms(const std::string& term,
                                               const WordNeighbours& neighbours,
                                               const CorpusStatistics& statistics,
                                               std::span<const std::string> authors);

}  // namespace bb5::ranking
