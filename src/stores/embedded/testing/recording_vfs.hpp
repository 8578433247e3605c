#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace bb5::embedded {

/// Stands between SQLite and the disk and writes down what reaches it, so that the disk can be put
/// together again as a power cut might have left it. One at a time; SQLite's default while it
/// lives.
class RecordingVfs {
 public:
  RecordingVfs();
  ~RecordingVfs();
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

  /// How much has been recorded.
  [[nodiscard]] std::size_t position() const;

  /// The files after a power cut at `position`. What was synced before is there. Of what was
  /// written since a file's last sync, each sector (512 bytes) may be there or not.
  [[nodiscard]] std::map<std::string, std::string> after_power_cut(std::size_t position,
                                                                   std::mt19937_64& random) const;

  struct Event {
    enum class Kind : std::uint8_t { write, truncate, sync, remove };
    Kind kind = Kind::write;
    std::string file;
    std::int64_t offset = 0;
    std::string bytes;
  };
};

}  // namespace bb5::embedded
