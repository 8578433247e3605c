#pragma once

#include <memory>
#include <string>

#include "engine/addresses.hpp"
#include "engine/open.hpp"

namespace bb5::cli {

/// What holds for every verb.
struct Context {
  Addresses addresses;
  bool json = false;
  bool quiet = false;

  /// Opens the bank, or says why not and gives the exit code in `code`.
  [[nodiscard]] std::unique_ptr<Bank> open(OpenMode mode, int& code) const;

  /// Brings the graph outside up to date after a write, where the addresses name one. What it
  /// cannot do now waits in the outbox for the next write or `doctor --fix`: nothing is lost, and
  /// the verb has done its work, so this is only said, on standard error.
  void update_graph(Bank& bank) const;
};

}  // namespace bb5::cli
