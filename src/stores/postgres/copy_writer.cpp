#include "stores/postgres/copy_writer.hpp"

#include <fmt/format.h>

namespace bb5::postgres {

CopyWriter::CopyWriter(Transaction& transaction, const std::string& table,
                       const std::string& columns, int column_count)
    : transaction_(transaction),
      sql_(fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table, columns)),
      column_count_(static_cast<std::int16_t>(column_count)) {}

CopyWriter::~CopyWriter() {
  if (begun_) transaction_.connection().copy_abandon();
}

FieldWriter& CopyWriter::row() {
  if (rows_++ == 0) {
    buffer_.reserve(piece_bytes + (piece_bytes >> 3));
    buffer_.append("PGCOPY\n\377\r\n\0", 11);
    append_int32(buffer_, 0);  // flags
    append_int32(buffer_, 0);  // length of the header's extension
  }
  append_int16(buffer_, column_count_);
  return writer_;
}

Result<> CopyWriter::send() {
  if (!begun_) {
    BB5_TRY(transaction_.copy_begin(sql_));
    begun_ = true;
  }
  if (!transaction_.connection().copy_put(buffer_)) {
    begun_ = false;
    return transaction_.error();
  }
  buffer_.clear();
  return ok();
}

Result<> CopyWriter::finish() {
  if (rows_ == 0) return ok();
  append_int16(buffer_, -1);
  BB5_TRY(send());
  begun_ = false;
  auto written = transaction_.copy_end();
  if (!written) return std::move(written).error();
  if (*written != rows_) {
    return Error{Errc::internal, fmt::format("the server took {} of {} rows", *written, rows_)};
  }
  return ok();
}

}  // namespace bb5::postgres
