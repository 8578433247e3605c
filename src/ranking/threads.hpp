#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ranking/passage.hpp"

namespace bb5::ranking {

/// How far the score of words looks in a thread, in positions.
inline constexpr int window_reach = 4;

/// Who stands beside whom in the threads of some passages. What is not among them is not known: the
/// threads are judged by the part that was given.
class Threads {
 public:
  explicit Threads(std::span<const Passage> passages);

  struct Neighbour {
    int distance = 0;  ///< In positions; negative: before. 1 to window_reach either way.
    std::size_t passage = 0;
  };
  /// At most one for each distance: of several there, the first in order of seq.
  [[nodiscard]] std::span<const Neighbour> window(std::size_t passage) const {
    return windows_[passage];
  }
  [[nodiscard]] std::optional<std::size_t> before(std::size_t passage) const;
  /// It has a neighbour.
  [[nodiscard]] bool is_threaded(std::size_t passage) const { return !windows_[passage].empty(); }
  /// It is threaded, and two or more authors write in its thread.
  [[nodiscard]] bool is_talk(std::size_t passage) const { return talk_[passage]; }

 private:
  std::vector<std::vector<Neighbour>> windows_;  // by distance
  std::vector<bool> talk_;
};

}  // namespace bb5::ranking
