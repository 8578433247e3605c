#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "stores/postgres/codec.hpp"
#include "stores/postgres/database.hpp"

namespace bb5::postgres {

/// Streams rows into a table with COPY BINARY. Rows gather in one buffer and leave in pieces of
/// an eighth of a megabyte, so that the server works on one piece while we encode the next. Every
/// row: row(), the fields in order, then send_if_full().
class CopyWriter {
 public:
  /// columns: `id, name`. Nothing is said to the server before the first piece.
  CopyWriter(Transaction& transaction, const std::string& table, const std::string& columns,
             int column_count);
  ~CopyWriter();
  CopyWriter(const CopyWriter&) = delete;
  CopyWriter& operator=(const CopyWriter&) = delete;

  FieldWriter& row();
  Result<> send_if_full() { return buffer_.size() < piece_bytes ? ok() : send(); }
  /// Without rows nothing happens at all.
  Result<> finish();

 private:
  static constexpr std::size_t piece_bytes = 1 << 17;
  Result<> send();

  Transaction& transaction_;
  std::string sql_;
  std::int16_t column_count_;
  std::string buffer_;
  FieldWriter writer_{buffer_};
  std::int64_t rows_ = 0;
  bool begun_ = false;
};

}  // namespace bb5::postgres
