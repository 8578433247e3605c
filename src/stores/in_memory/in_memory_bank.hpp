#pragma once

#include <memory>

#include "ports/bank.hpp"

namespace bb5 {

/// A bank that lives and dies with the object: the example to copy for a new store, the model that
/// the others are compared with, and the fake in tests. Thread-safe; nothing is durable.
[[nodiscard]] std::unique_ptr<Bank> new_in_memory_bank();

}  // namespace bb5
