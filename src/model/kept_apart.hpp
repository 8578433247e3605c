#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/entity_merges.hpp"

namespace bb5 {

/// "These two are not one", said by a person: the resolver never merges them, nor what would make
/// them one over others. The order of the two means nothing; `a` is the bytewise smaller.
struct KeptApart {
  std::string a;       ///< An entity's key.
  std::string b;       ///< Another one's.
  std::string reason;  ///< For a person.
  Timestamp at{};
  bool operator==(const KeptApart&) const = default;
};

/// The two in their order. Errors: invalid_argument (a key that is none, an entity and itself, a
/// text that is not UTF-8).
[[nodiscard]] Result<KeptApart> kept_apart(std::string_view key, std::string_view other,
                                           std::string_view reason, Timestamp at);

/// The pairs with more of them, in order of (a, b); one that is there stays as it was recorded.
/// Errors: as kept_apart().
[[nodiscard]] Result<std::vector<KeptApart>> with_apart(std::span<const KeptApart> held,
                                                        std::span<const KeptApart> more);

/// Takes the pair of these two out, in either order. False: it is not there.
bool remove_pair(std::vector<KeptApart>& pairs, std::string_view key, std::string_view other);

/// The pairs that are still two entities: whoever merges a pair says that it is one.
[[nodiscard]] std::vector<KeptApart> still_apart(std::span<const KeptApart> held,
                                                 const EntityMerges& merges);

/// Follows what would become one, step by step, so that no step joins what is kept apart.
class JoinGuard {
 public:
  JoinGuard(const EntityMerges& held, std::span<const KeptApart> apart);

  [[nodiscard]] bool allows(std::string_view from_key, std::string_view into_key) const;
  void join(std::string_view from_key, std::string_view into_key);

 private:
  [[nodiscard]] std::string leader_of(std::string_view key) const;

  EntityMerges held_;
  std::vector<std::pair<std::string, std::string>> apart_;
  std::map<std::string, std::string, std::less<>> next_;  // what was joined to what
};

/// Those of the resolver's merges that can still be recorded, in their order: not of an entity that
/// is merged already, not joining what is kept apart, closing no circle.
[[nodiscard]] std::vector<EntityMerge> mergeable(const EntityMerges& held,
                                                 std::span<const EntityMerge> proposed,
                                                 std::span<const KeptApart> apart);

}  // namespace bb5
