#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ranking/asked_words.hpp"
#include "ranking/passage.hpp"
#include "ranking/soft_terms.hpp"
#include "ranking/threads.hpp"

namespace bb5::ranking {

/// What the words of a question say of each passage.
struct WordScores {
  /// BM25F: the passage, its neighbours in the thread and its date are fields of one document,
  /// whose weighted frequencies are added before they are saturated (Robertson, Zaragoza, Taylor,
  /// CIKM 2004). Of a question's word and its soft terms, the best counts.
  std::vector<double> folded;
  /// BM25 of the passage alone.
  std::vector<double> own;
};

/// Scores of all passages, by their place; not negative.
[[nodiscard]] WordScores score_words(std::string_view question, std::span<const Passage> passages,
                                     const Threads& threads, const CorpusStatistics& statistics,
                                     const WordNeighbours& neighbours);

/// The terms whose numbers of memories score_words() asks the statistics for: those of the question
/// and their soft terms, each once.
[[nodiscard]] std::vector<AskedTerm> wanted_terms(const AskedWords& asked,
                                                  const WordNeighbours& neighbours);

}  // namespace bb5::ranking
