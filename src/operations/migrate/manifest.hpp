#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_source.hpp"
#include "ports/migration_ledger.hpp"

namespace bb5 {

/// What a source consists of, byte for byte.
struct Manifest {
  std::vector<LedgerFile> files;  ///< In reading order; records −1.
  std::string sha256;             ///< Over names, sizes and digests; 32 bytes.
  std::int64_t bytes = 0;
};

/// Told now and then how many of all bytes are done; returning false stops with `cancelled`.
using BytesProgress = std::function<bool(std::int64_t done, std::int64_t of)>;

/// Hashes the files. With `copy_to` each is copied there on the way, made read-only and flushed to
/// the disk, with a MANIFEST.sha256 as sha256sum -c reads it. Errors: as reading and writing files;
/// out_of_space.
[[nodiscard]] Result<Manifest> read_manifest(const MemorySource& source,
                                             const std::filesystem::path& copy_to,
                                             const BytesProgress& progress);

}  // namespace bb5
