#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/memory_store.hpp"
#include "ports/statement_index.hpp"

namespace bb5 {

/// Memories among which one is looked for that says the same as a new one: those of a bank that
/// have the same words, and what was added since. Not safe for use from several threads at once.
class NearDuplicates {
 public:
  /// threshold: the least cosine of two that say the same.
  explicit NearDuplicates(double threshold) : threshold_(threshold) {}

  /// Takes in what the bank's index has under these numbers (statement_key()): memories that are
  /// valid at that moment and have a vector. Errors: the bank's.
  Result<> load(const MemoryStore& bank, const StatementIndex& index,
                std::span<const std::int64_t> keys, Timestamp valid_at);

  void add(std::int64_t key, const Memory& memory);

  /// The first one that says the same.
  [[nodiscard]] std::optional<MemoryId> find(std::int64_t key, std::string_view content,
                                             std::span<const float> vector) const;

 private:
  struct Statement {
    MemoryId id;
    std::string content;
    std::vector<float> vector;
  };
  double threshold_;
  std::unordered_map<std::int64_t, std::vector<Statement>> by_key_;
};

/// Puts into the index what came to the bank by other ways than RETAIN. Errors: the index's.
[[nodiscard]] Result<> index_missing_statements(StatementIndex& index);

}  // namespace bb5
