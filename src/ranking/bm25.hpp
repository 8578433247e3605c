#pragma once

#include <algorithm>
#include <cmath>

/// The pieces of BM25: Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and
/// Beyond" (2009), with the idf that is never negative (Lucene's).
namespace bb5::ranking {

struct Bm25 {
  double k1 = 0;  ///< How slowly repetitions stop counting.
  double b = 0;   ///< How much a long text's repetitions are discounted, 0 to 1.

  /// length and mean: terms of this text, and of one on average; mean ≤ 0: all count as equally
  /// long. frequency: of the term in the text, may be a fraction. In [0, k1 + 1).
  [[nodiscard]] double saturated(double frequency, double length, double mean) const {
    if (frequency <= 0) return 0;
    const double relative = mean > 0 ? length / mean : 1;
    return frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * relative));
  }
};

/// ln(1 + (n − df + ½) / (df + ½)); positive. df is brought into [0, n].
inline double inverse_document_frequency(double n, double df) {
  df = std::clamp(df, 0.0, std::max(n, 0.0));
  return std::log1p((std::max(n, 0.0) - df + 0.5) / (df + 0.5));
}

}  // namespace bb5::ranking
