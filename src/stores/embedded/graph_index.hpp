#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ports/vector_index.hpp"
#include "stores/embedded/connection.hpp"
#include "stores/embedded/hnsw_file.hpp"

namespace bb5::embedded {

/// The bank's graph over its coded vectors: whether there is to be one, and how it comes about.
///
/// A graph pays where a scan takes long. It is over the first rows of the file of codes; what came
/// later, its tail, is scanned, and from time to time the graph takes it up. It is made in
/// derive(), never by who writes or searches.
class GraphIndex {
 public:
  /// From so many bytes of codes on, a scan takes more than a millisecond.
  static constexpr std::size_t automatic_from_bytes = std::size_t{24} << 20;

  /// What the bank records.
  struct Settings {
    std::string kind = "automatic";  ///< `automatic`, `none`, `hnsw`
    std::uint32_t m = 16;
    std::size_t ef_search = 64;
    std::optional<double> recall;  ///< Recall@10 with that, when it was measured last.
    [[nodiscard]] std::optional<VectorIndexKind> choice() const;
  };
  /// Of the table `bank`; a row has them from column `first` on.
  static constexpr std::string_view settings_columns =
      "vector_index, hnsw_m, hnsw_ef_search, index_recall";
  static Settings settings(const Row& row, int first);
  /// In the caller's transaction. Errors: invalid_argument.
  static Result<> record_effort(Connection& connection, std::int32_t ef_search, double recall);
  static Result<> record(Connection& connection, const VectorIndex::Choice& choice);
  /// Errors: invalid_argument, unsupported.
  static Result<> check(const VectorIndex::Choice& choice);
  static Result<> check_ef_search(std::int32_t ef_search);

  /// database: the path of the bank's file.
  explicit GraphIndex(const std::filesystem::path& database);

  [[nodiscard]] static bool is_wanted(const Settings& settings, const CodesView& codes);
  /// So many rows behind the graph are no unfinished work.
  [[nodiscard]] static std::size_t longest_tail(std::size_t rows) { return 1024 + rows / 32; }

  /// The graph over these codes that searches may take.
  [[nodiscard]] std::optional<HnswFile::View> view(const Settings& settings,
                                                   const CodesView& codes);
  /// A walk found it damaged.
  void discard(const HnswFile::View& damaged) { file_.remove(&damaged); }

  /// Builds what is lacking, or goes on with it; asks `progress` with the rows so far, and stops
  /// when it says false, keeping them. A kill keeps what was written last: at most half of the
  /// work is lost. codes: whole. False: another process is at it, or it cannot be written.
  Result<bool> build(const Settings& settings, const CodesView& codes,
                     const std::function<bool(std::size_t)>& progress);
  /// Removes the graph. Errors: locked.
  Result<> drop();

  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  HnswFile file_;
  const std::filesystem::path lock_file_;
};

}  // namespace bb5::embedded
