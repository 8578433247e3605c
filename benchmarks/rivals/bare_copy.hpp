#pragma once

#include <memory>
#include <string>

#include "benchmarks/support/parsed_store.hpp"

namespace bb5::bench {

/// One COPY BINARY of parsed rows, by libpq alone, into a table like a bank's `memories`: the same
/// columns, checks, storage and generated tsvector.
class BareCopy {
 public:
  enum class Indexes {
    none,        ///< Not even a primary key.
    as_the_bank  ///< Those that the bank's table has while it is loaded.
  };

  /// schema: of the bank whose table is copied.
  BareCopy(const std::string& url, const std::string& schema);
  ~BareCopy();
  BareCopy(const BareCopy&) = delete;
  BareCopy& operator=(const BareCopy&) = delete;

  /// Makes the table anew, flushes the server's dirty pages, and copies in one transaction. Hashes
  /// are worked out beforehand. Returns the seconds from BEGIN to COMMIT.
  [[nodiscard]] double copy(const ParsedStore& store, Indexes indexes);

  /// Flushes dirty pages, so that one run does not pay for another's.
  void checkpoint();
  void drop_schema(const std::string& schema);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bb5::bench
