#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ranking/passage.hpp"
#include "ranking/soft_terms.hpp"

/// The default order of RECALL: a weighted sum of few signals, each between 0 and 1 or nearly so
/// (docs/decisions/2026-11-25-ranking.md). Pure: what it needs is given, so that all stores rank
/// alike.
namespace bb5::ranking {

enum class Signal {
  words,    ///< BM25F over passage, neighbours and date (word_scores.hpp), by the best candidate's.
  meaning,  ///< Cosine (meaning.hpp), by the best candidate's.
  speaker,  ///< 1: by the one author whom the question names; 0: by another one; ½: by none.
  answer,   ///< The passage before holds a `?` and these words: its BM25 by the best one's.
  time,     ///< 1: the text tells a time.
  when,     ///< The same, where the question asks for a time.
  length,   ///< ln(1 + words), 3.7 at most.
  question,  ///< 1: the text holds a `?`.
};
inline constexpr std::array<std::string_view, 8> signal_names = {
    "words", "meaning", "speaker", "answer", "time", "when", "length", "question"};
inline constexpr std::size_t signals = signal_names.size();

/// By Signal.
using Weights = std::array<double, signals>;
// Chosen on the development half of LoCoMo; fitted anew to four of its five conversations, each in
// its own bank, none moves by more than 0.1 (benchmarks/recall_quality --fit).
inline constexpr Weights talk_weights = {0.60, 0.46, 0.225, 0.16, 0.05, 0.22, 0.077, -0.04};
/// Where no candidate is part of a talk: notes, documents, decisions, a bank taken over.
inline constexpr Weights note_weights = {0.5, 0.5, 0.21, 0, 0, 0.16, 0, 0};

struct RankedPassage {
  std::size_t passage = 0;  ///< Its place among those given.
  double score = 0;         ///< Σ weight · calibrated.
  /// As measured; nothing: this passage cannot have the signal.
  std::array<std::optional<double>, signals> raw;
  /// What the weight is multiplied with. Where a passage cannot have a signal that others have, it
  /// gets their mean, so that talk and notes can be ranked together.
  std::array<double, signals> calibrated{};
};

struct Ranking {
  Weights weights{};                 ///< Those used.
  std::vector<RankedPassage> order;  ///< The candidates, best first; equal scores by seq.
};

/// Orders the candidates among the passages. The others are their neighbours in threads, within
/// window_reach: without them a thread counts as far as it is given. The order of the passages does
/// not matter. Scores are finite if cosines and statistics are.
[[nodiscard]] Ranking rank(std::string_view question, std::span<const Passage> passages,
                           const CorpusStatistics& statistics, const WordNeighbours& neighbours);

}  // namespace bb5::ranking
