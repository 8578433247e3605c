#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace bb5::bench {

struct WalkedFile {
  std::int64_t records = 0;
  std::int64_t numbers = 0;  ///< Of vectors.
  double sum = 0;            ///< So that nothing is optimised away.
};

/// simdjson's On-Demand front end over a file of records. Its translation unit is compiled for the
/// machine that it is measured on, since On-Demand's inlined parts know no run-time dispatch.
class SimdjsonWalk {
 public:
  SimdjsonWalk();
  ~SimdjsonWalk();
  SimdjsonWalk(const SimdjsonWalk&) = delete;
  SimdjsonWalk& operator=(const SimdjsonWalk&) = delete;

  /// Reads the file into memory.
  void load(const std::string& path);
  /// Unescapes every string and converts every number.
  WalkedFile walk();

  static std::string version();
  static std::string kernel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bb5::bench
