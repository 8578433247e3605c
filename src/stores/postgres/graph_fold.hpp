#pragma once

#include "base/result.hpp"
#include "stores/postgres/database.hpp"
#include "stores/postgres/graph_rows.hpp"

namespace bb5::postgres {

/// The fold of model/graph.hpp, set by set in SQL. Rows that come out as they were are not touched;
/// changed and removed ones get the next revision and a row in the outbox.
///
/// A relationship is the facts of one (subject name, predicate, object name) and a mention is one
/// (memory, name), since an entity's key holds its name. So a change of facts touches: the entities
/// of their names; their own relationships and mentions; and, where the entity that a name means
/// has become another, all relationships and mentions of that name. Only names that merges join
/// (merged_names) may mean one entity: what touches one of them takes its group along, and of
/// several relationships or mentions that become one, the row has the smallest id.
///
/// One fold at a time in a bank: a lock that lasts until the transaction ends. Whoever gets it sees
/// all facts of those who had it before, for READ COMMITTED takes a snapshot for each statement.
class GraphFold {
 public:
  explicit GraphFold(const Names& names);

  /// Folds what the facts written in this transaction touch; the last part runs with its COMMIT.
  Result<> fold(Transaction& transaction, const Touched& touched) const;
  /// Has the next fold queue the mentions of these memories once more, though they stay as they
  /// are: a projection shows something else of the memories that has changed. Marked by rev 0, with
  /// the COMMIT or just before the fold of this transaction.
  void project_anew(Transaction& transaction, const std::vector<Uuid>& memories) const;
  /// Waits for the other folds of the bank; later ones wait for this transaction.
  Result<> lock(Transaction& transaction) const;
  /// Folds everything.
  Result<> fold_all(Transaction& transaction) const;
  /// Puts every row into the outbox.
  Result<> requeue_all(Transaction& transaction) const;

 private:
  std::int64_t lock_key_;
  Statement lock_;
  Statement next_rev_;
  Statement read_whole_tables_;
  Statement write_something_;
  Statement entities_;
  Statement relationships_;
  Statement mentions_;
  Statement mark_mentions_;
  Statement all_entities_;
  Statement all_relationships_;
  Statement all_mentions_;
  Statement requeue_entities_;
  Statement requeue_relationships_;
  Statement requeue_mentions_;
};

}  // namespace bb5::postgres
