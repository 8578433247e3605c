#pragma once

#include <memory>

#include <CLI/CLI.hpp>

namespace bb5::cli {

/// Lays help out for a reader: one column of what to type, one of what it means, wrapped, with the
/// default and the environment's variable behind it. Checks (ranges, choices) are told in the
/// description, not as types.
[[nodiscard]] std::shared_ptr<CLI::Formatter> new_help_layout();

}  // namespace bb5::cli
