#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ranking/passage.hpp"

namespace bb5::ranking {

/// How far the score of words looks in a thread, in positions.
inline constexpr int window_reach = 4;

/// Who stands where in the threads of some passages. What is not among them is not known: the
/// threads are judged by the part that was given.
class Threads {
 public:
  explicit Threads(std::span<const Passage> passages);

  /// The passage `distance` positions further on (negative: back) in the same thread; of several
  /// there, the first in order of seq.
  [[nodiscard]] std::optional<std::size_t> beside(std::size_t passage, int distance) const;
  /// It has a neighbour within window_reach.
  [[nodiscard]] bool is_threaded(std::size_t passage) const { return threaded_[passage]; }
  /// It is threaded, and two or more authors write in its thread.
  [[nodiscard]] bool is_talk(std::size_t passage) const { return talk_[passage]; }

 private:
  struct Place {
    std::string_view thread;
    std::int64_t position = 0;
    auto operator<=>(const Place&) const = default;
  };
  struct Placed {
    Place place;
    std::int64_t seq = 0;
    std::size_t passage = 0;
  };
  std::vector<Placed> order_;                   // by place, then seq
  std::vector<std::optional<Place>> place_of_;  // by passage
  std::vector<bool> threaded_;
  std::vector<bool> talk_;
};

}  // namespace bb5::ranking
