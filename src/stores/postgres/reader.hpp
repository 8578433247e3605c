#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ports/memory_search.hpp"
#include "ports/memory_store.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// Reads memories, counts and the embedding cache: one round trip each.
class Reader {
 public:
  explicit Reader(const Database& database);

  Result<std::vector<Memory>> get(std::span<const MemoryId> ids, bool with_embeddings) const;
  Result<std::vector<Memory>> find(std::string_view legacy_id_or_uuid) const;
  Result<std::vector<Memory>> page(const PageRequest& request) const;
  Result<StoreStats> stats() const;
  Result<std::int64_t> count() const;
  Result<EmbedderInfo> embedder() const;

  Result<std::optional<std::vector<float>>> cached_embedding(std::string_view model,
                                                             std::string_view text_md5) const;
  Result<std::vector<EmbeddingCache::Entry>> cached_embeddings(std::string_view after_model,
                                                               std::string_view after_md5,
                                                               std::size_t limit) const;

 private:
  const Database& database_;
  Statement get_[2];  // without and with embeddings
  Statement find_legacy_;
  Statement find_either_;
  Statement count_memories_;
  Statement count_;
  Statement count_rows_;
  Statement count_other_vectors_;
  Statement size_;
  Statement embedder_;
  Statement cached_;
  Statement cached_page_;
};

}  // namespace bb5::postgres
