#include "benchmarks/rivals/hnsw.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <hnswlib/hnswlib.h>

namespace bb5::bench {

struct Hnsw::State {
  State(std::size_t rows, std::size_t dimension) : space(dimension), index(&space, rows, 16, 200) {}
  hnswlib::InnerProductSpace space;
  hnswlib::HierarchicalNSW<float> index;
};

Hnsw::Hnsw(std::span<const float> matrix, std::size_t dimension)
    : state_(std::make_unique<State>(matrix.size() / dimension, dimension)) {
  const std::size_t rows = matrix.size() / dimension;
  state_->index.addPoint(matrix.data(), 0);
  std::atomic<std::size_t> next = 1;
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t row = next++; row < rows; row = next++)
        state_->index.addPoint(matrix.data() + row * dimension, row);
    });
  }
}

Hnsw::~Hnsw() = default;

void Hnsw::set_ef(std::size_t ef) {
  state_->index.setEf(ef);
}

std::vector<std::size_t> Hnsw::nearest(std::span<const float> query, std::size_t k) const {
  auto found = state_->index.searchKnn(query.data(), k);
  std::vector<std::size_t> rows(found.size());
  for (auto place = rows.rbegin(); place != rows.rend(); ++place, found.pop())
    *place = found.top().second;
  return rows;
}

}  // namespace bb5::bench
