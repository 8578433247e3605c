#include "operations/retain/near_duplicates.hpp"

#include <algorithm>
#include <utility>

#include "model/cosine.hpp"
#include "operations/retain/same_statement.hpp"

namespace bb5 {
namespace {

constexpr std::size_t page_size = 1'000;
/// So many memories more are looked at each time before it is noted that none of them is missing.
constexpr std::int64_t unnoted = 1'000;

}  // namespace

Result<> NearDuplicates::load(const MemoryStore& bank, const StatementIndex& index,
                              std::span<const std::int64_t> keys, Timestamp valid_at) {
  if (keys.empty()) return ok();
  auto entries = index.statements(keys);
  if (!entries) return std::move(entries).error();
  std::unordered_map<MemoryId, std::int64_t> key_of;
  std::vector<MemoryId> ids;
  for (const auto& [memory, key] : *entries) {
    if (key_of.emplace(memory, key).second) ids.push_back(memory);
  }
  if (ids.empty()) return ok();
  auto memories = bank.get(ids, true);
  if (!memories) return std::move(memories).error();
  // Of several that say the same, the oldest.
  std::sort(memories->begin(), memories->end(),
            [](const Memory& a, const Memory& b) { return a.seq < b.seq; });
  for (const Memory& memory : *memories) {
    if (is_valid_at(memory, valid_at)) add(key_of.at(memory.id), memory);
  }
  return ok();
}

void NearDuplicates::add(std::int64_t key, const Memory& memory) {
  if (memory.embedding.empty()) return;
  by_key_[key].push_back({memory.id, memory.content, memory.embedding});
}

std::optional<MemoryId> NearDuplicates::find(std::int64_t key, std::string_view content,
                                             std::span<const float> vector) const {
  const auto alike = by_key_.find(key);
  if (alike == by_key_.end()) return std::nullopt;
  for (const Statement& other : alike->second) {
    if (other.vector.size() == vector.size() && cosine(vector, other.vector) >= threshold_ &&
        may_say_the_same(content, other.content))
      return other.id;
  }
  return std::nullopt;
}

Result<> index_missing_statements(StatementIndex& index) {
  while (true) {
    auto missing = index.missing_statements(page_size);
    if (!missing) return std::move(missing).error();
    if (missing->memories.empty() && missing->up_to - missing->after < unnoted) return ok();
    std::vector<StatementKey> entries;
    for (const Memory& memory : missing->memories)
      entries.push_back({memory.id, statement_key(memory.content)});
    BB5_TRY(index.index_statements(entries, missing->up_to));
    if (missing->memories.size() < page_size) return ok();
  }
}

}  // namespace bb5
