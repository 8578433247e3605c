#include "ranking/soft_terms.hpp"

#include <algorithm>

namespace bb5::ranking {
namespace {

/// In how many of the memories the term stands, in [0, 1].
double share_of(const std::string& term, const CorpusStatistics& statistics) {
  const auto found = statistics.holding.find(term);
  if (found == statistics.holding.end() || statistics.memories <= 0) return 0;
  return static_cast<double>(found->second) / static_cast<double>(statistics.memories);
}

}  // namespace

bool may_be_soft(std::string_view term) {
  return term.size() > 2 &&
         !std::all_of(term.begin(), term.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<SoftTerm> soft_terms(const std::string& term, const WordNeighbours& neighbours,
                                 const CorpusStatistics& statistics,
                                 std::span<const std::string> authors) {
  const auto is_author = [&](const std::string& word) {
    return std::find(authors.begin(), authors.end(), word) != authors.end();
  };
  std::vector<SoftTerm> soft;
  if (is_author(term)) return soft;
  std::size_t held = 0;
  for (const WordNeighbour& near : neighbours.nearest(term)) {
    const double share = share_of(near.term, statistics);
    if (share <= 0) continue;
    if (++held > soft_neighbours || near.cosine <= soft_threshold) break;
    if (near.term == term || !may_be_soft(near.term) || is_author(near.term)) continue;
    if (share > soft_commonest) continue;
    const double closeness = (std::min(near.cosine, 1.0) - soft_threshold) / (1 - soft_threshold);
    soft.push_back({near.term, soft_weight * closeness});
  }
  return soft;
}

}  // namespace bb5::ranking
