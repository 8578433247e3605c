#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "ports/bank.hpp"

namespace bb5 {

struct EmbeddedOptions {
  std::filesystem::path file;
  /// Makes the file (mode 0600) when it is missing; its folder must be there.
  bool create = false;
  /// Every write is refused. The folder must still be writable unless nobody else has the file
  /// open.
  bool read_only = false;
  /// How long a statement waits for other processes before it gives up with `locked`.
  std::chrono::milliseconds busy_timeout = std::chrono::seconds(10);
};

/// A bank in one SQLite file, for several threads and several processes at once.
/// Errors: not_found (no file, or an empty one, and `create` is false; no folder), invalid_argument
/// (not a database, or another program's), unsupported (made by a newer version), corrupt, refused
/// (rights), locked, out_of_space.
[[nodiscard]] Result<std::unique_ptr<Bank>> open_embedded_bank(const EmbeddedOptions& options);

/// The file of a bank: PATH itself for `default`, else its own beside it, `demo.db` and `work` give
/// `demo.work.db`. The name is not checked.
[[nodiscard]] std::filesystem::path bank_file(const std::filesystem::path& store,
                                              std::string_view bank);

}  // namespace bb5
