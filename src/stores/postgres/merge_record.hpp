#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "model/entity_merges.hpp"
#include "model/kept_apart.hpp"
#include "ports/entity_graph.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/graph_fold.hpp"

namespace bb5::postgres {

/// Merges of entities, kept and folded with the facts; and what is kept apart.
class MergeRecord {
 public:
  /// Both outlive this.
  MergeRecord(const Database& database, const GraphFold& fold);

  Result<std::vector<EntityMerge>> all() const;
  Result<> add(std::span<const EntityMerge> merges) const;
  Result<bool> remove(std::string_view from_key) const;

  Result<std::vector<KeptApart>> apart() const;
  Result<> add_apart(std::span<const KeptApart> pairs) const;
  Result<bool> remove_apart(std::string_view key, std::string_view other) const;

  Result<ResolvedMark> resolved_mark() const;
  Result<std::vector<EntityMerge>> add_resolved(std::span<const EntityMerge> merges,
                                                std::int64_t up_to) const;

 private:
  struct Held {
    std::vector<EntityMerge> merges;
    std::vector<KeptApart> apart;
  };
  /// What is recorded; nobody else changes it before the transaction ends.
  Result<Held> lock_and_read(Transaction& transaction) const;
  Result<> add(Transaction& transaction, const Held& held,
               std::span<const EntityMerge> merges) const;
  Result<> write_apart(Transaction& transaction, std::span<const KeptApart> pairs) const;
  Result<> replace(Transaction& transaction, const EntityMerges& before,
                   const EntityMerges& after) const;

  const Database& database_;
  const GraphFold& fold_;
  Statement read_;
  Statement clear_;
  Statement clear_names_;
  Statement insert_;
  Statement insert_names_;
  Statement read_apart_;
  Statement clear_apart_;
  Statement insert_apart_;
  Statement read_mark_;
  Statement move_mark_;
};

}  // namespace bb5::postgres
