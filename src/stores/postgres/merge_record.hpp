#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "model/entity_merges.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/graph_fold.hpp"

namespace bb5::postgres {

/// Merges of entities: kept, and folded with the facts.
class MergeRecord {
 public:
  /// Both outlive this.
  MergeRecord(const Database& database, const GraphFold& fold);

  Result<std::vector<EntityMerge>> all() const;
  Result<> add(std::span<const EntityMerge> merges) const;
  Result<bool> remove(std::string_view from_key) const;

 private:
  Result<> replace(Transaction& transaction, const EntityMerges& before,
                   const EntityMerges& after) const;

  const Database& database_;
  const GraphFold& fold_;
  Statement read_;
  Statement clear_;
  Statement clear_names_;
  Statement insert_;
  Statement insert_names_;
};

}  // namespace bb5::postgres
