#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/cursor.hpp"
#include "ports/migration_ledger.hpp"
#include "sources/blackbox5/file_window.hpp"

namespace bb5::blackbox5 {

/// Walks over the elements of a file that ought to be one JSON array, and goes on behind damage: an
/// element that cannot be read is given as its bytes, and the next one is looked for. Not
/// thread-safe.
class ArrayReader {
 public:
  /// Reads one element; false: the cursor tells why.
  using Parse = std::function<bool(json::Cursor&)>;

  struct Element {
    std::int64_t ordinal = 0;
    std::int64_t byte_from = 0;
    std::int64_t byte_to = 0;
    std::string_view raw;  ///< Valid until the next call.
    std::string problem;   ///< Not empty: the element could not be read.
    std::string code;      ///< With a problem: `truncated`, `bad_json`, `bad_utf8`.
    std::int64_t problem_at = 0;
  };

  /// window_bytes: tests make it small, so that every record crosses it.
  explicit ArrayReader(std::size_t window_bytes = default_window_bytes) : window_(window_bytes) {}

  /// Errors: as FileWindow::open; corrupt when the file holds no array (and its remedy).
  Result<> open(const std::string& path);
  Result<std::optional<Element>> next(const Parse& parse);
  [[nodiscard]] const std::vector<LedgerIssue>& file_issues() const { return issues_; }

 private:
  Result<bool> skip_space();
  Result<char> peek();  ///< Next byte behind white space, '\0' at the end of the file.
  Result<> begin();
  Result<std::optional<Element>> finish();
  Result<std::optional<Element>> damaged(std::int64_t error_at, std::string code,
                                         std::string problem);
  void remark(std::string code, std::string message);
  std::optional<Element> element(std::size_t length, std::string code, std::string problem,
                                 std::int64_t problem_at);

  FileWindow window_;
  std::string path_;
  bool begun_ = false;
  bool done_ = false;
  std::size_t taken_ =
      0;  ///< Bytes of the last element, consumed at the next call: `raw` lives till then.
  std::int64_t ordinal_ = 0;
  std::vector<LedgerIssue> issues_;
};

}  // namespace bb5::blackbox5
