#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ports/memory_source.hpp"

namespace bb5 {

/// Gives the records of a source their final ids. Old stores can hold one id several times: the
/// first record keeps it, each further one with other contents gets an id of its own, and one that
/// repeats an earlier record word for word is the same memory. Run and verify both go through here,
/// so they agree. About 48 bytes a memory. Not thread-safe.
class RecordMapper {
 public:
  enum class Outcome {
    first,    ///< A memory of its own.
    renamed,  ///< So too, but its legacy id was taken: `id` now is that of a later occurrence.
    repeated  ///< Says what an earlier record says: nothing to write.
  };
  /// Changes the memory's id where needed and adds the remark.
  Outcome map(SourceRecord& record, Memory& memory);
  /// The same for facts: a fact of an id seen before is repeated.
  bool is_repeated(const FactId& id);

 private:
  struct Digest {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Digest&) const = default;
  };
  static Digest digest_of(const Memory& memory);

  std::unordered_map<Uuid, Digest> first_;               ///< Record of the first occurrence, by id.
  std::unordered_map<Uuid, std::vector<Digest>> later_;  ///< Of the others, by the first one's id.
  std::unordered_map<Uuid, char> facts_;
};

}  // namespace bb5
