#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/graph.hpp"

/// Do two names name one thing? By rules over their spelling and type alone, no model asked.
///
/// A wrong merge is worse than a duplicate, so each rule says `same` only where the other reading
/// is far-fetched, and `perhaps` where a person should look:
///  - numbers must agree, whatever else does: GPT-4 is not GPT-3.5, PostgreSQL 16 not PostgreSQL;
///  - types must agree, or one of them says little (`concept`, `unknown`) and the name much;
///  - then equal letters, whatever stands between them (Node.js, NodeJS; Zürich, Zuerich; Москва,
///    Moskva); a legal form, a title or a word for the type more (Acme Inc., Acme); a well-known
///    short form (Postgres, k8s) or one that the name itself gives (Model Context Protocol (MCP));
///    the plural of a concept; a doubled or exchanged letter in a long word;
///  - one letter else, initials, acronyms, a part of the name: perhaps.
/// Vectors of the names have no say: they are as close where two things are meant
/// (docs/decisions/2026-11-25-merges.md).
/// Rules and thresholds were chosen on tests/data/entity_pairs.tsv; docs/performance.md has
/// figures.
namespace bb5 {

enum class Sameness : std::uint8_t { different, perhaps, same };

struct NameMatch {
  Sameness sameness = Sameness::different;
  std::string reason;  ///< The rule, for a person: `spelling`, `legal form`, `initials`, …
  bool operator==(const NameMatch&) const = default;
};

struct NamedEntity {
  std::string name;
  std::string type;
};

/// Symmetric: match(a, b) is match(b, a).
[[nodiscard]] NameMatch match_names(const NamedEntity& a, const NamedEntity& b);

struct ResolverOptions {
  /// Leaves out `perhaps`, and is quick: also a whole bank takes no longer than its reading.
  bool only_same = false;
};

/// Two entities of a bank of which one is the other, or may be.
struct ResolvedPair {
  const Entity* from = nullptr;  ///< The one to fold into…
  const Entity* into = nullptr;  ///< …this one: mentioned more often, then described better.
  NameMatch match;
};

/// Finds pairs among entities without comparing all with all: only names that share a key
/// (model/name_keys.hpp).
class EntityResolver {
 public:
  /// The entities outlive this.
  explicit EntityResolver(std::span<const Entity> entities, ResolverOptions options = {});

  /// All pairs with at most one `same` for each `from`: where several entities could be meant and
  /// are not one among themselves, it is `perhaps` for all. In order of from's key, same first.
  [[nodiscard]] std::vector<ResolvedPair> pairs() const;
  /// Only the pairs of which one has such a key: those of what a write has just brought.
  [[nodiscard]] std::vector<ResolvedPair> pairs_of(const std::set<std::string>& keys) const;

 private:
  std::span<const Entity> entities_;
  ResolverOptions options_;
};

}  // namespace bb5
