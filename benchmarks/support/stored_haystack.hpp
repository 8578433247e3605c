#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "benchmarks/support/locomo.hpp"
#include "benchmarks/support/vector_cache.hpp"
#include "operations/recall/recall.hpp"
#include "ports/bank.hpp"

namespace bb5::bench {

/// Conversations as a bank of a store, to be asked as a user asks. Ends the program when the store
/// fails.
class StoredHaystack {
 public:
  /// bank: empty, its model the vectors'.
  StoredHaystack(std::unique_ptr<Bank> bank, std::span<const Conversation> conversations,
                 VectorCache& vectors);

  /// Places among the conversations' turns, best first.
  [[nodiscard]] std::vector<std::size_t> ask(const std::string& question) const;

 private:
  std::unique_ptr<Bank> bank_;
  std::unordered_map<Uuid, std::size_t> places_;
  VectorCache* vectors_;
};

}  // namespace bb5::bench
