#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "model/graph_fold.hpp"
#include "ports/bank.hpp"
#include "tests/support/result_matchers.hpp"

/// What every store promises, written once. A store's own test instantiates the suite:
///   INSTANTIATE_TEST_SUITE_P(InMemory, BankContract, testing::Values(StoreCase{…}), case_name);
/// A new store is done when it passes.
namespace bb5 {

/// An empty bank for one test, and whatever must outlive it (a folder, a schema to drop).
struct TestBank {
  std::unique_ptr<Bank> bank;
  /// Opens the same bank a second time, as another process would; empty where a bank has one owner.
  std::function<std::unique_ptr<Bank>()> open_again;
  /// Declared last: destroyed first is wrong for folders, so the fixture closes `bank` before it.
  std::shared_ptr<void> keep_alive;
};

struct StoreCase {
  std::string name;
  /// May call GTEST_SKIP through an empty `bank` and a reason in `skip_reason`.
  std::function<TestBank()> open_empty;
  std::string skip_reason;  ///< Not empty: the server is not there; the tests skip with this word.
};
inline void PrintTo(const StoreCase& store, std::ostream* out) {
  *out << store.name;
}
inline std::string case_name(const testing::TestParamInfo<StoreCase>& info) {
  return info.param.name;
}

class BankContract : public testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override;
  void TearDown() override;
  Bank& bank() { return *test_.bank; }
  /// A second handle on the same bank; skips the test where there is none.
  std::unique_ptr<Bank> again() { return test_.open_again ? test_.open_again() : nullptr; }

  /// Writes memories that must go in.
  WriteOutcome must_write(std::vector<Memory> memories, OnConflict on_conflict = OnConflict::keep);
  WriteOutcome must_write_facts(std::vector<EntityFact> entities,
                                std::vector<RelationshipFact> relationships = {});
  std::vector<Memory> all_memories();
  /// The store's graph tables, every rev 0, and the fold of the facts that it holds.
  FoldedGraph stored_graph();
  FoldedGraph expected_graph();
  /// Every spelling that facts, memories and merges use.
  std::set<std::string> names_of_bank();

  TestBank test_;
};

/// A memory with id and legacy id made from `name`; its content is `name` too.
[[nodiscard]] Memory make_memory(const std::string& name, const std::string& content = {});
/// The same with a vector.
[[nodiscard]] Memory vector_memory(const std::string& name, std::vector<float> embedding);
/// With metadata (JSON text) and the columns that follow from it.
[[nodiscard]] Memory with_metadata(Memory memory, const std::string& metadata);
/// Every field set, with values that are hard to keep.
[[nodiscard]] Memory full_memory();
[[nodiscard]] EntityFact make_entity(const std::string& name,
                                     const std::string& type = "technology",
                                     std::int64_t mentions = 1);
[[nodiscard]] RelationshipFact make_relationship(const std::string& subject,
                                                 const std::string& predicate,
                                                 const std::string& object);

}  // namespace bb5
