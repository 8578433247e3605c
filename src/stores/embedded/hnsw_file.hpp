#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "stores/embedded/hnsw_graph.hpp"

namespace bb5::embedded {

/// A graph in a file beside the database, which all processes map. Written whole under another name
/// and then put in the place of the old one, so that there is always one or none. Derived and never
/// trusted, as the codes that it is a graph over: missing, damaged or of other codes, there is
/// none.
class HnswFile {
 public:
  struct Mapping;

  /// A graph as it lies in the file. Keeps the mapping alive.
  class View {
   public:
    [[nodiscard]] const HnswGraph& graph() const;
    /// What a walk asks about records that it has not seen yet.
    [[nodiscard]] const RecordChecks& checks() const;
    [[nodiscard]] std::size_t bytes() const;
    /// True: every record is as it was written.
    [[nodiscard]] bool verify() const;

   private:
    friend class HnswFile;
    std::shared_ptr<const Mapping> mapping_;
  };

  explicit HnswFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// The present graph, if it is one over the first rows of these codes. Its header is checked, and
  /// not its records: a walk does that. Thread-safe.
  [[nodiscard]] std::optional<View> view(const CodesView& codes);

  /// Puts a graph over these codes in the place of the old one; it is on the disk then. For the
  /// holder of the index lock only. False: could not be written; no harm done.
  bool write(const HnswGraph& graph, const CodesView& codes);
  /// Removes the file; for the holder of the index lock, or when `damaged` is what lies there.
  void remove(const View* damaged = nullptr);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  [[nodiscard]] std::shared_ptr<const Mapping> open_mapping() const;

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::shared_ptr<const Mapping> current_;  // guarded by mutex_
};

}  // namespace bb5::embedded
