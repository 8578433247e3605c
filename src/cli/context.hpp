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
};

}  // namespace bb5::cli
