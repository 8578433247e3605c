#pragma once

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "stores/embedded/codes_file.hpp"
#include "stores/embedded/connection.hpp"

/// Exact nearest neighbours: a scan over codes that keeps every vector that could belong to the
/// answer, then the true cosine of those, read from the database.
namespace bb5::embedded {

/// Errors: as MemorySearch::nearest().
Result<> check_query(const QueryVector& query, const EmbedderInfo& embedder);

class VectorSearch {
 public:
  /// So many vectors are cheaper to read from the database than to code.
  static constexpr std::int64_t longest_tail = 256;

  /// database: the path of the bank's file.
  explicit VectorSearch(const std::filesystem::path& database);

  /// Each call is a read transaction of its own on `connection`. Thread-safe with other
  /// connections.
  Result<SearchResult> nearest(Connection& connection, const QueryVector& asked, std::size_t k,
                               const MemoryFilter& filter);

  /// Brings the file of codes up to date, by at most `most_rows` vectors. False: another process is
  /// at it, or it cannot be written; searches then read what is missing from the database.
  Result<bool> catch_up(Connection& connection, std::size_t most_rows);

  struct Coverage {
    std::int64_t vectors = 0;  ///< in the database
    std::int64_t coded = 0;    ///< of these, in the file
    std::int64_t dead = 0;     ///< in the file, but no longer in the database
    bool usable = false;       ///< The file is there and belongs to this database.
  };
  Result<Coverage> coverage(Connection& connection);

 private:
  enum class Manner { append_if_possible, rebuild };
  Result<bool> bring_up(Connection& connection, std::size_t most_rows, Manner manner);

  CodesFile codes_;
  const std::filesystem::path lock_file_;
};

}  // namespace bb5::embedded
