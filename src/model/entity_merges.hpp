#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/graph.hpp"

namespace bb5 {

/// "This entity is that one": a record beside the facts, which stay as they are. Taking it away
/// gives exactly the graph that was there before.
struct EntityMerge {
  /// The key of the entity that folds into the other, or alias_key(): then whatever bears that
  /// name, of any type, now or later.
  std::string from_key;
  std::string into_key;  ///< Keeps its name and its type.
  std::string name;      ///< How the merged one is spelt; becomes an alias of the other.
  std::string reason;    ///< Who says so and why, for a person.
  Timestamp at{};
  bool operator==(const EntityMerge&) const = default;
};

/// `:name`, which is no entity's key: the type of one is never empty.
[[nodiscard]] std::string alias_key(std::string_view name);
/// True for `type:name`.
[[nodiscard]] bool is_entity_key(std::string_view key) noexcept;
[[nodiscard]] bool is_alias_key(std::string_view key) noexcept;

/// All merges of a bank, followed to their ends. Immutable.
class EntityMerges {
 public:
  EntityMerges() = default;
  explicit EntityMerges(std::span<const EntityMerge> merges);

  [[nodiscard]] bool empty() const noexcept { return by_from_.empty(); }
  [[nodiscard]] const std::map<std::string, EntityMerge, std::less<>>& all() const noexcept {
    return by_from_;
  }

  /// The entity into which that of this key folds at last; itself without a merge.
  [[nodiscard]] std::string root(std::string_view key) const;
  /// The entity that a name means which no fact bears: that of an alias or merge of
  /// `unknown:name`; else a merge's last entity that has this name; else `unknown:name`.
  [[nodiscard]] std::string root_of_bare(std::string_view name_key) const;
  /// The records that lead there, over however many others.
  [[nodiscard]] std::vector<const EntityMerge*> leading_to(std::string_view root_key) const;
  /// True when a record's name is led to its root even though no fact bears it.
  [[nodiscard]] static bool leads_bare_names(const EntityMerge& merge);

  /// Names that merges join have one number; other names none. The fold of a name depends on
  /// nothing outside its group.
  [[nodiscard]] std::optional<std::size_t> group_of(std::string_view name_key) const;
  [[nodiscard]] const std::map<std::string, std::size_t, std::less<>>& groups() const noexcept {
    return groups_;
  }

  /// Errors: invalid_argument (a key that is none, an entity merged into itself), conflict (a
  /// circle), naming the merge.
  [[nodiscard]] Result<> check() const;
  /// The same of one of them.
  [[nodiscard]] Result<> check(const EntityMerge& merge) const;

 private:
  [[nodiscard]] const EntityMerge* step(std::string_view key) const;

  std::map<std::string, EntityMerge, std::less<>> by_from_;
  std::map<std::string, std::vector<const EntityMerge*>, std::less<>> by_root_;
  std::map<std::string, std::string, std::less<>> roots_by_name_;  // the smallest of each name
  std::map<std::string, std::size_t, std::less<>> groups_;
};

/// The names whose part of the fold may change when one set of merges takes the other's place:
/// those of the records in which the two differ, with their groups before and after.
[[nodiscard]] std::set<std::string> names_touched(const EntityMerges& before,
                                                  const EntityMerges& after);

/// The merges with more of them, checked. One that is there already, at whatever time and for
/// whatever reason, is none. Errors: as check(); conflict when one is merged elsewhere already.
[[nodiscard]] Result<std::vector<EntityMerge>> with_merges(const EntityMerges& held,
                                                           std::span<const EntityMerge> more);
/// The merges without that one, checked; nothing when there is no such merge.
[[nodiscard]] Result<std::optional<std::vector<EntityMerge>>> without_merge(
    const EntityMerges& held, std::string_view from_key);

}  // namespace bb5
