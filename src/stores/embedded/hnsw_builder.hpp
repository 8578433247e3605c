#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "stores/embedded/hnsw_graph.hpp"

namespace bb5::embedded {

/// Makes an HnswGraph over the rows of a file of codes, on several threads.
///
/// Rows go in by batches, a block of the file each. A batch is compared with the graph as it stood
/// before it, and with its own earlier rows one by one; then its nodes are added, and then those
/// that they point at point back. No step depends on which thread was faster: the same codes give
/// the same graph, whatever the number of threads and wherever a build was broken off at the end of
/// a block.
class HnswBuilder {
 public:
  /// codes: whole (CodesFile::verify), and alive as long as this object.
  HnswBuilder(const CodesView& codes, HnswShape shape, std::size_t threads);
  /// Goes on from a graph over the first rows of the codes: whole, and of this shape.
  HnswBuilder(const CodesView& codes, const HnswGraph& begun, std::size_t threads);

  /// Adds the rows up to the end of the next block.
  void add_block();
  [[nodiscard]] std::size_t rows() const { return levels_.empty() ? 0 : levels_[0].nodes; }

  /// The graph so far, its checks filled in. Valid until the next add_block().
  [[nodiscard]] HnswGraph graph();

 private:
  struct Level {
    HnswLayout layout;
    std::vector<std::uint32_t> words;
    std::uint32_t nodes = 0;
    [[nodiscard]] HnswLevel view() const { return {layout, words.data(), nodes}; }
    [[nodiscard]] std::uint32_t* record(std::uint32_t node) {
      return words.data() + node * layout.stride;
    }
    void point(std::uint32_t node, std::span<const HnswFound> at);
  };
  /// What a row of the batch is to become. Nodes are told by their numbers, other rows of the batch
  /// by their places in it, which `in_batch` marks: those have no numbers yet.
  struct Newcomer {
    std::optional<std::uint32_t> twin_of;        // a node of level 0
    std::vector<std::vector<HnswFound>> chosen;  // to point at, by cosine; one list a level
    std::vector<std::uint32_t> nodes;            // its own, once they are there; one a level
  };
  static constexpr std::uint32_t in_batch = 0x80000000;
  /// `target` is to point back at `source`.
  struct Link {
    std::size_t level = 0;
    std::uint32_t target = 0;
    HnswFound source;
  };

  [[nodiscard]] std::size_t levels_of(std::size_t row) const;
  [[nodiscard]] Newcomer seek(std::size_t first, std::size_t place, HnswWalk& walk) const;
  [[nodiscard]] std::optional<std::uint32_t> twin_of(std::size_t first, std::size_t row,
                                                     std::span<const HnswFound> candidates) const;
  void add_nodes(std::size_t first, std::vector<Newcomer>& batch);
  void hang_on(std::uint32_t node, std::uint32_t twin_of);
  [[nodiscard]] std::vector<Link> point_from(const std::vector<Newcomer>& batch);
  void link_back(std::vector<Link> links);
  template <class RowOf>
  [[nodiscard]] std::vector<HnswFound> select(std::size_t most,
                                              std::span<const HnswFound> candidates,
                                              RowOf row_of) const;
  [[nodiscard]] float cosine_of(std::size_t a, std::size_t b) const;
  [[nodiscard]] HnswGraph present() const;
  /// Calls work(thread, i) for each i below count.
  void share(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work) const;

  const CodesView& codes_;
  const HnswShape shape_;
  const NamedKernel& kernel_ = available_kernels().front();
  std::vector<HnswWalk> walks_;  // one a thread
  std::vector<Level> levels_;
};

}  // namespace bb5::embedded
