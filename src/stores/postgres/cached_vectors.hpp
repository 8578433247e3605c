#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ports/memory_search.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/ledger.hpp"

namespace bb5::postgres {

/// The key of a text in the embedding cache; nothing when it is no MD5 in 32 lower-case hex digits.
[[nodiscard]] std::optional<Uuid> cache_key(std::string_view text_md5);

/// Writes the embedding cache: one transaction each.
class CachedVectors {
 public:
  CachedVectors(const Database& database, const Ledger& ledger);

  Result<std::vector<WriteAction>> cache_embeddings(std::span<const EmbeddingCache::Entry> entries,
                                                    const LedgerBatch* ledger) const;
  Result<> keep_computed(std::span<const EmbeddingCache::Entry> entries, Timestamp used,
                         std::int64_t limit_bytes) const;
  Result<> note_use(std::string_view model, std::string_view text_md5, Timestamp used) const;

 private:
  const Database& database_;
  const Ledger& ledger_;
  std::string table_;
  Statement held_cached_;
  Statement update_cached_;
  Statement make_imported_;
  Statement keep_computed_;
  Statement forget_unused_;
  Statement note_use_;
};

}  // namespace bb5::postgres
