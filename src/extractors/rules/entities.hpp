#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extractors/rules/words.hpp"
#include "model/extraction.hpp"

namespace bb5::rules {

/// Where a text names an entity: tokens [first, last) of its Words.
struct Mention {
  std::size_t entity = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Finds the entities of one document in two readings: the first collects what may be a name, the
/// second says where the names stand. So a name that is recognised once (`Alice Johnson`) is also
/// found where it alone would not be (`Alice`).
///
/// Types: technology (known ones, code, CamelCase, hosts), file (paths), task (`TASK-12`, `#7`),
/// person, organization, location, concept (defined terms and other proper names, if they occur
/// twice). One name has one type in a document.
class EntityFinder {
 public:
  EntityFinder();
  ~EntityFinder();
  EntityFinder(const EntityFinder&) = delete;
  EntityFinder& operator=(const EntityFinder&) = delete;

  // First reading.
  void read(const Words& words);
  void read_author(std::string_view name);
  /// A term that the document defines, or the title of a section.
  void read_term(std::string_view term);
  void read_title(std::string_view title);

  // Second reading, of the same texts.
  void settle();
  /// In order of place; none overlaps another. Numbers of entities are in order of appearance.
  /// body: where the text itself starts, in bytes; a title before it does not count as one.
  [[nodiscard]] std::vector<Mention> mentions_in(const Words& words, std::size_t body);
  /// The entity that an author's name means; nothing for `user`, `assistant` and the like.
  [[nodiscard]] std::optional<std::size_t> author(std::string_view name);

  /// After all texts: the entities by number.
  [[nodiscard]] const std::vector<ExtractedEntity>& entities() const noexcept;
  /// False for one that occurs too seldom to be believed.
  [[nodiscard]] bool is_believed(std::size_t entity) const;

 private:
  struct Lexicon;
  std::unique_ptr<Lexicon> lexicon_;
};

}  // namespace bb5::rules
