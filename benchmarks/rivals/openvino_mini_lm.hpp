#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace bb5::bench {

/// all-MiniLM-L6-v2 as a graph of OpenVINO's operations over the same file of weights.
class OpenVinoMiniLm {
 public:
  struct Options {
    std::filesystem::path folder;
    int threads = 1;
    /// 1: all threads work on one request. More: a batch is divided among so many requests.
    int streams = 1;
    bool float32 = true;  ///< False: whatever the runtime prefers on this processor (bfloat16).
  };
  explicit OpenVinoMiniLm(const Options& options);
  ~OpenVinoMiniLm();
  OpenVinoMiniLm(const OpenVinoMiniLm&) = delete;
  OpenVinoMiniLm& operator=(const OpenVinoMiniLm&) = delete;
  OpenVinoMiniLm(OpenVinoMiniLm&&) = delete;
  OpenVinoMiniLm& operator=(OpenVinoMiniLm&&) = delete;

  /// ids: of each text, in order of length; texts of a request are filled up to its longest. One
  /// vector of 384 numbers a text.
  [[nodiscard]] std::vector<std::vector<float>> embed(
      std::span<const std::vector<std::int32_t>> ids);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bb5::bench
