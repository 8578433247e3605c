#include "operations/retain/content_ids.hpp"

#include <string>
#include <utility>
#include <vector>

namespace bb5 {

Result<HeldMemories> give_content_ids(const MemoryStore& bank, std::span<Memory* const> memories,
                                      RawRecords raw_records) {
  for (Memory* memory : memories) memory->id = memory_id_of('"' + memory->legacy_id + '"');
  for (std::uint32_t occurrence = 2;; ++occurrence) {
    std::vector<MemoryId> ids;
    ids.reserve(memories.size());
    for (const Memory* memory : memories) ids.push_back(memory->id);
    auto found = bank.get(ids, false);
    if (!found) return std::move(found).error();
    HeldMemories held;
    for (Memory& memory : *found) held.emplace(memory.id, std::move(memory));
    bool clash = false;
    for (Memory* memory : memories) {
      const auto other = held.find(memory->id);
      if (other == held.end() || other->second.content == memory->content) continue;
      const auto& raw = other->second.raw;
      if (raw && !raw->text.empty() && raw_records == RawRecords::give_way) continue;
      memory->id = memory_id_of('"' + memory->legacy_id + '"', occurrence);
      clash = true;
    }
    if (!clash) return held;
  }
}

}  // namespace bb5
