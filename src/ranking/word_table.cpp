#include "ranking/word_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ranking/english_words.hpp"
#include "ranking/terms.hpp"

namespace bb5::ranking {
namespace {

void add(std::vector<float>& sum, std::span<const float> vector, float factor) {
  for (std::size_t i = 0; i < sum.size() && i < vector.size(); ++i) sum[i] += factor * vector[i];
}

/// False: it is all zero.
bool normalise(std::vector<float>& vector) {
  const double square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
  if (!(square > 1e-12)) return false;
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(square));
  return true;
}

}  // namespace

WordTable::WordTable(std::span<const SurfaceWord> words, std::size_t most) : most_(most) {
  for (const SurfaceWord& word : words) {
    if (is_stop_word(word.word)) continue;
    const auto [found, fresh] = place_.try_emplace(term_of(word.word), terms_.size());
    if (fresh) {
      terms_.push_back(found->first);
      vectors_.emplace_back(word.vector.size());
    }
    add(vectors_[found->second], word.vector, static_cast<float>(word.count));
  }
  if (vectors_.empty()) return;
  mean_.resize(vectors_.front().size());
  for (auto& vector : vectors_) {
    normalise(vector);
    add(mean_, vector, 1 / static_cast<float>(vectors_.size()));
  }
  for (auto& vector : vectors_) vector = centred(std::move(vector));
}

std::vector<float> WordTable::centred(std::vector<float> vector) const {
  add(vector, mean_, -1);
  if (!normalise(vector)) vector.clear();
  return vector;
}

std::vector<WordNeighbour> WordTable::nearest(const std::string& term) const {
  const auto found = place_.find(term);
  return found == place_.end() ? std::vector<WordNeighbour>()
                               : beside(vectors_[found->second], term);
}

std::vector<WordNeighbour> WordTable::nearest_to(std::span<const float> vector,
                                                 const std::string& term) const {
  return beside(centred({vector.begin(), vector.end()}), term);
}

std::vector<WordNeighbour> WordTable::beside(std::span<const float> vector,
                                             const std::string& term) const {
  std::vector<WordNeighbour> near;
  for (std::size_t i = 0; i < terms_.size() && !vector.empty(); ++i) {
    if (vectors_[i].size() != vector.size() || terms_[i] == term || !may_be_soft(terms_[i]))
      continue;
    const double cosine =
        std::inner_product(vector.begin(), vector.end(), vectors_[i].begin(), 0.0);
    if (cosine > soft_threshold) near.push_back({terms_[i], cosine});
  }
  std::sort(near.begin(), near.end(), [](const auto& a, const auto& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.term < b.term;
  });
  if (near.size() > most_) near.resize(most_);
  return near;
}

}  // namespace bb5::ranking
