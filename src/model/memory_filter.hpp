#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "json/value.hpp"
#include "model/memory.hpp"

namespace bb5 {

/// What a memory that states no confidence counts as: the old system read such a record so.
inline constexpr double unstated_confidence = 0.8;

/// Which memories an operation looks at: those that every part lets through. A list lets through
/// what one of its texts says, compared byte for byte unless told otherwise; what is empty or unset
/// restricts nothing. `matches` is the definition, and every store gives exactly what it gives.
struct MemoryFilter {
  std::vector<std::string> networks;
  std::vector<MemoryKind> kinds;
  /// Those that are valid at this moment (is_valid_at). Nothing: all, whenever they are valid.
  std::optional<Timestamp> valid_at;

  std::vector<std::string> categories;
  std::vector<std::string> source_types;
  /// Memories of kind `memory` with one of these names among their `entities`, names compared by
  /// name_key_of: trimmed, in whatever case. Merges do not count: who wants all names of one entity
  /// gives them all.
  std::vector<std::string> entities;
  std::vector<std::string> authors;
  std::vector<std::string> tasks;  ///< What the metadata says as `task_id`, a text.

  /// In [0, 1], both included; unstated_confidence where the memory states none.
  std::optional<double> min_confidence;
  std::optional<double> max_confidence;
  /// since ≤ created_at < until. A memory without created_at is in neither.
  std::optional<Timestamp> since;
  std::optional<Timestamp> until;
  /// The metadata has each of these members, its value the same one (json::same_meaning).
  json::Object metadata;

  bool operator==(const MemoryFilter&) const = default;
};

[[nodiscard]] bool matches(const MemoryFilter& filter, const Memory& memory);

/// Errors: invalid_argument for a text that no store can hold, a name that is none, a confidence
/// outside [0, 1], and ranges that nothing can be in.
Result<> validate(const MemoryFilter& filter);

/// MemoryFilter::tasks compares this.
[[nodiscard]] std::optional<std::string> task_of(const Memory& memory);

/// MemoryFilter::metadata: whether the JSON text is an object with all the wanted members.
[[nodiscard]] bool has_members(std::string_view metadata, const json::Object& wanted);

/// MemoryFilter::entities as they are compared: sorted, each once.
[[nodiscard]] std::vector<std::string> name_keys_of(const std::vector<std::string>& names);

}  // namespace bb5
