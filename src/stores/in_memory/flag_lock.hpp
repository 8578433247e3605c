#pragma once

#include <atomic>
#include <memory>

#include <fmt/format.h>

#include "base/result.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5::in_memory {

/// A flag that one holder at a time may set.
class FlagLock final : public MigrationLock {
 public:
  /// what: who else may hold it, for a person. Errors: locked.
  static Result<std::unique_ptr<MigrationLock>> take(const std::shared_ptr<std::atomic_flag>& flag,
                                                     const char* what) {
    if (flag->test_and_set())
      return Error{Errc::locked, fmt::format("another {} works on this bank", what)};
    return std::unique_ptr<MigrationLock>(new FlagLock(flag));
  }

  ~FlagLock() override { flag_->clear(); }
  FlagLock(const FlagLock&) = delete;
  FlagLock& operator=(const FlagLock&) = delete;

 private:
  explicit FlagLock(std::shared_ptr<std::atomic_flag> flag) : flag_(std::move(flag)) {}

  std::shared_ptr<std::atomic_flag> flag_;  // may outlive the bank
};

}  // namespace bb5::in_memory
