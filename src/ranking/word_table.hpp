#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ranking/soft_terms.hpp"

namespace bb5::ranking {

/// A word as it stands in texts, lower case, how often, and the vector of it alone.
struct SurfaceWord {
  std::string word;
  std::int64_t count = 1;
  std::vector<float> vector;
};

/// The vectors of a bank's terms: the mean of their words' vectors weighted by count, less the mean
/// of all terms (what words have in common says nothing of one), of length 1. Compare Mu,
/// Viswanath, "All-but-the-Top" (ICLR 2018).
class WordTable final : public WordNeighbours {
 public:
  /// Vectors of one length, finite; counts positive. Words that are no terms' (stop words) or may
  /// not be soft are left out of the neighbours.
  /// most: neighbours of a term.
  explicit WordTable(std::span<const SurfaceWord> words, std::size_t most = soft_neighbours);

  [[nodiscard]] std::vector<WordNeighbour> nearest(const std::string& term) const override;
  /// Those of a word that the bank lacks, by its vector. `term` itself is left out.
  [[nodiscard]] std::vector<WordNeighbour> nearest_to(std::span<const float> vector,
                                                      const std::string& term) const;
  [[nodiscard]] std::size_t size() const { return terms_.size(); }
  [[nodiscard]] const std::vector<std::string>& terms() const { return terms_; }

 private:
  /// vector: centred; empty: no neighbours.
  [[nodiscard]] std::vector<WordNeighbour> beside(std::span<const float> vector,
                                                  const std::string& term) const;
  [[nodiscard]] std::vector<float> centred(std::vector<float> vector) const;

  std::size_t most_;
  std::vector<std::string> terms_;
  std::unordered_map<std::string, std::size_t> place_;
  std::vector<std::vector<float>> vectors_;  // by place; empty: all zero once centred
  std::vector<float> mean_;
};

}  // namespace bb5::ranking
