#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

/// How a bank's keys are written in Neo4j.
///
/// Neo4j compares text in two ways (5.26, measured): its range indexes by the bytes of UTF-8, all
/// else (`<`, ORDER BY without an index) by the words of UTF-16, where U+1F600 comes before U+FF5E.
/// Our pages are in bytewise order, so every text that is sorted without an index goes through
/// sortable(), whose order is the same in both.
/// An index refuses texts beyond about 8,160 bytes; longer keys are cut and end in a digest.
namespace bb5::neo4j {

/// Between the parts of a relationship_key().
inline constexpr std::string_view separator = "\u241F";

/// A text whose order by UTF-16 words is the order of the given text's bytes. Without a character
/// from U+E000 up it is the text itself.
[[nodiscard]] std::string sortable(std::string_view utf8);
[[nodiscard]] bool is_sortable(std::string_view utf8) noexcept;

/// An entity's key as it is indexed and unique.
struct StoredKey {
  std::string key;                  ///< `bank|entity key`, cut when it is too long.
  std::optional<std::string> full;  ///< `bank|entity key`, when it was cut.
  std::optional<std::string> sort;  ///< sortable() of the whole, when that differs from `key`.
  /// The key or its text contradicts the plain order of relationship pages (cut, or it contains
  /// the separator): the bank's pages are sorted in full.
  [[nodiscard]] bool odd() const;
};
[[nodiscard]] StoredKey stored_entity_key(std::string_view bank, std::string_view entity_key);

/// What the subjects of relationship pages are ordered by: sortable(key ␟).
[[nodiscard]] std::string order_key_of(const StoredKey& key);

/// `bank|text`, cut when it is too long: for look-ups by equality.
[[nodiscard]] std::string lookup_key(std::string_view bank, std::string_view text);
[[nodiscard]] std::string memory_key(std::string_view bank, const MemoryId& memory);

/// Names the tombstone of a row in a few bytes. `kind`: `e`, `r` or `m`.
[[nodiscard]] std::string tombstone_key(std::string_view bank, char kind, std::string_view row_key);

/// The first text that no key of the bank reaches, and the one that all of them follow.
[[nodiscard]] std::string bank_start(std::string_view bank);
[[nodiscard]] std::string bank_end(std::string_view bank);

}  // namespace bb5::neo4j
