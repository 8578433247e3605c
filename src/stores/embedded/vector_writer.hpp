#pragma once

#include <cstdint>
#include <cstring>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/memory.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/float_blob.hpp"
#include "stores/embedded/memory_rows.hpp"

namespace bb5::embedded {

/// Adds rows to `vectors` in one transaction: numbers that were never used, one stamp.
class VectorWriter {
 public:
  explicit VectorWriter(Connection& connection) : connection_(connection) {}

  /// last_vec_id: as the table `bank` has it; the caller writes last() back.
  void begin(std::int64_t last_vec_id) {
    last_ = last_vec_id;
    stamp_ = random_stamp();
  }
  [[nodiscard]] std::int64_t last() const { return last_; }

  /// The row's number; nothing for a memory without a vector.
  Result<std::optional<std::int64_t>> insert(const Memory& memory, std::int64_t seq,
                                             std::int64_t network) {
    if (memory.embedding.empty()) return std::optional<std::int64_t>{};
    ++last_;
    BB5_TRY(connection_.run(
        "INSERT INTO vectors (vec_id, seq, label, stamp, embedding) VALUES (?, ?, ?, ?, ?)", last_,
        seq, label_of(network, memory.kind), stamp_, Blob{bytes_of(memory.embedding)}));
    return std::optional(last_);
  }

 private:
  static std::int64_t random_stamp() {
    const Uuid random = Uuid::random();
    std::int64_t stamp = 0;
    std::memcpy(&stamp, random.bytes.data() + 8, sizeof stamp);
    std::int64_t other = 0;
    std::memcpy(&other, random.bytes.data(), sizeof other);
    return stamp ^ other;  // the fixed bits of a UUID fall on different places
  }

  Connection& connection_;
  std::int64_t last_ = 0;
  std::int64_t stamp_ = 0;
};

}  // namespace bb5::embedded
