#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace bb5::bench {

/// hnswlib over inner products, M = 16, ef_construction = 200. Compiled for the machine that it is
/// measured on: hnswlib chooses its kernels when it is compiled.
class Hnsw {
 public:
  /// Built by all cores.
  Hnsw(std::span<const float> matrix, std::size_t dimension);
  ~Hnsw();
  Hnsw(const Hnsw&) = delete;
  Hnsw& operator=(const Hnsw&) = delete;

  void set_ef(std::size_t ef);
  /// Row numbers, best first.
  [[nodiscard]] std::vector<std::size_t> nearest(std::span<const float> query, std::size_t k) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bb5::bench
