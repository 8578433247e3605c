#pragma once

#include <chrono>

#include "base/result.hpp"
#include "ports/memory_search.hpp"
#include "stores/embedded/codes_file.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/graph_index.hpp"

/// Nearest neighbours: candidates by their codes, then the true cosine of those, read from the
/// database. A scan over the codes keeps every vector that could belong to the answer, so that it
/// is exact; a graph over them, where the bank has one, leads to most of them and to nothing else.
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
  struct Effort {
    bool exact = false;                    ///< Not by a graph.
    std::optional<std::size_t> ef_search;  ///< Instead of what the bank says.
  };
  Result<SearchResult> nearest(Connection& connection, const QueryVector& asked, std::size_t k,
                               const MemoryFilter& filter, const Effort& effort);

  /// Brings the file of codes up to date, by at most `most_rows` vectors; makes it anew where much
  /// of it is dead. False: another process is
  /// at it for long, or it cannot be written; searches then read what is missing from the database.
  Result<bool> catch_up(Connection& connection, std::size_t most_rows);

  struct Coverage {
    std::int64_t vectors = 0;  ///< in the database
    std::int64_t coded = 0;    ///< of these, in the file
    std::int64_t dead = 0;     ///< in the file, but no longer in the database
    bool usable = false;       ///< The file is there and belongs to this database.
    std::size_t rows = 0;      ///< in the file, if usable
    GraphIndex::Settings settings;
    bool graph_wanted = false;
    std::optional<HnswFile::View> graph;  ///< that searches take
  };
  /// Without a look at each row.
  Result<Coverage> coverage(Connection& connection);

  /// GraphIndex::build() over the present codes.
  Result<bool> build_graph(Connection& connection,
                           const std::function<bool(std::size_t)>& progress);
  GraphIndex& graph_index() { return index_; }

 private:
  enum class Manner { append_if_possible, rebuild };
  /// patience: how long to wait for another process that is at it.
  Result<bool> bring_up(Connection& connection, std::size_t most_rows, Manner manner,
                        std::chrono::milliseconds patience = {});

  CodesFile codes_;
  const std::filesystem::path lock_file_;
  GraphIndex index_;
};

}  // namespace bb5::embedded
