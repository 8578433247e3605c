#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/graph.hpp"
#include "ports/entity_graph.hpp"

namespace bb5 {

/// What a projection should be: of each row the newest change counts, a removal before an equally
/// new write; the rest follows from the port's words. Safe to call from several threads at once.
class ModelProjection : public GraphProjection {
 public:
  Result<GraphCounts> graph_counts() const override {
    const std::lock_guard lock(mutex_);
    return GraphCounts{.entities = live(entities_),
                       .relationships = live(relationships_),
                       .mentions = live(mentions_)};
  }

  Result<std::vector<Entity>> entities(std::string_view after, std::size_t limit) const override {
    return page<Entity>(entities_, std::string(after), limit,
                        [](const GraphChange& change) { return change.entity; });
  }
  Result<std::vector<Relationship>> relationships(std::string_view after,
                                                  std::size_t limit) const override {
    return page<Relationship>(relationships_, std::string(after), limit,
                              [](const GraphChange& change) { return change.relationship; });
  }
  Result<std::vector<Mention>> mentions(const Mention& after, std::size_t limit) const override {
    return page<Mention>(mentions_, std::pair(after.memory, after.entity_key), limit,
                         [](const GraphChange& change) { return change.mention; });
  }

  Result<std::vector<Neighbour>> neighbours(std::string_view entity_key,
                                            std::size_t limit) const override {
    const std::lock_guard lock(mutex_);
    std::vector<Neighbour> found;
    for (const auto& [key, change] : relationships_) {
      if (change.removed) continue;
      const Relationship& row = change.relationship;
      for (const bool outgoing : {true, false}) {
        if ((outgoing ? row.subject_key : row.object_key) != entity_key) continue;
        const auto other = entities_.find(outgoing ? row.object_key : row.subject_key);
        if (other == entities_.end() || other->second.removed) continue;
        found.push_back({.entity = other->second.entity,
                         .predicate = row.predicate,
                         .outgoing = outgoing,
                         .confidence = row.confidence});
      }
    }
    std::sort(found.begin(), found.end(), [](const Neighbour& a, const Neighbour& b) {
      if (a.confidence != b.confidence)
        return a.confidence.value_or(-1e308) > b.confidence.value_or(-1e308);
      return std::tuple(std::string_view(a.entity.key), std::string_view(a.predicate),
                        !a.outgoing) <
             std::tuple(std::string_view(b.entity.key), std::string_view(b.predicate), !b.outgoing);
    });
    if (found.size() > limit) found.resize(limit);
    return found;
  }

  Result<std::optional<Entity>> entity_named(std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const std::string name_key = name_key_of(name);
    std::optional<Entity> best;
    for (const auto& [key, change] : entities_) {
      const Entity& entity = change.entity;
      const bool borne =
          name_of_key(entity.key) == name_key ||
          std::find(entity.names.begin(), entity.names.end(), name_key) != entity.names.end();
      if (change.removed || name_key.empty() || !borne) continue;
      const auto rank = [](const Entity& of) {
        return std::tuple(of.placeholder, -of.mention_count,
                          of.first_seen.value_or(Timestamp::max()));
      };
      if (!best || rank(entity) < rank(*best)) best = entity;
    }
    return best;
  }

  Result<> apply(std::span<const GraphChange> changes) override {
    const std::lock_guard lock(mutex_);
    for (const auto& change : changes) {
      switch (change.kind) {
        case GraphChange::Kind::entity:
          put(entities_, change.entity.key, change);
          break;
        case GraphChange::Kind::relationship:
          put(relationships_, relationship_key(change.relationship), change);
          break;
        case GraphChange::Kind::mention:
          put(mentions_, std::pair(change.mention.memory, change.mention.entity_key), change);
          break;
      }
    }
    return ok();
  }
  /// The network that the newest of the memory's mentions gave; nothing when it has none.
  [[nodiscard]] std::optional<std::string> network_of(const MemoryId& memory) const {
    const std::lock_guard lock(mutex_);
    const GraphChange* newest = nullptr;
    for (const auto& [key, change] : mentions_) {
      if (key.first != memory || change.removed) continue;
      if (newest == nullptr || change.rev > newest->rev) newest = &change;
    }
    return newest == nullptr ? std::nullopt : std::optional(newest->mention_network);
  }

  Result<> prepare() override { return ok(); }
  Result<> clear() override {
    const std::lock_guard lock(mutex_);
    entities_.clear();
    relationships_.clear();
    mentions_.clear();
    return ok();
  }

 private:
  template <class Key>
  using Rows = std::map<Key, GraphChange>;

  template <class Key>
  static void put(Rows<Key>& rows, const Key& key, const GraphChange& change) {
    const auto [found, added] = rows.try_emplace(key, change);
    if (added) return;
    const bool later = change.rev > found->second.rev ||
                       (change.rev == found->second.rev && !found->second.removed);
    if (later) found->second = change;
  }

  template <class Key>
  static std::int64_t live(const Rows<Key>& rows) {
    return std::count_if(rows.begin(), rows.end(),
                         [](const auto& row) { return !row.second.removed; });
  }

  template <class Row, class Key, class Pick>
  Result<std::vector<Row>> page(const Rows<Key>& rows, const Key& after, std::size_t limit,
                                const Pick& pick) const {
    const std::lock_guard lock(mutex_);
    std::vector<Row> found;
    for (auto at = rows.upper_bound(after); at != rows.end() && found.size() < limit; ++at)
      if (!at->second.removed) found.push_back(pick(at->second));
    return found;
  }

  mutable std::mutex mutex_;
  Rows<std::string> entities_;                       // guarded by mutex_
  Rows<std::string> relationships_;                  // guarded by mutex_
  Rows<std::pair<MemoryId, std::string>> mentions_;  // guarded by mutex_
};

}  // namespace bb5
