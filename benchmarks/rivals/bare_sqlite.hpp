#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bb5::bench {

/// All rows that a load has put into an embedded bank, in memory, so that bare SQLite can insert
/// the same ones: whatever the schema is, the rival has the same tables, columns and indexes.
class RowsOfBank {
 public:
  /// cuts: numbers of memories at which the load committed.
  static RowsOfBank read(const std::string& database, std::span<const std::int64_t> cuts);
  RowsOfBank(RowsOfBank&&) noexcept;
  RowsOfBank& operator=(RowsOfBank&&) noexcept;
  ~RowsOfBank();
  RowsOfBank(const RowsOfBank&) = delete;
  RowsOfBank& operator=(const RowsOfBank&) = delete;

  /// Makes a database of the same schema and settings and inserts the rows, a transaction for each
  /// cut, memories and what belongs to them first, by statements prepared once. Returns the seconds
  /// from the first BEGIN to the last COMMIT.
  [[nodiscard]] double insert_into(const std::string& database) const;

  /// Tables of the bank whose rows are not inserted, "" when there are none.
  [[nodiscard]] std::string left_out() const;

 private:
  RowsOfBank();
  struct State;
  std::unique_ptr<State> state_;
};

/// The file and what SQLite and the bank keep beside it.
void remove_database(const std::string& database);

}  // namespace bb5::bench
