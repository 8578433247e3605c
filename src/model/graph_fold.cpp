#include "model/graph_fold.hpp"

#include <algorithm>
#include <unordered_map>

namespace bb5 {
namespace {

std::optional<Timestamp> earlier(std::optional<Timestamp> a, std::optional<Timestamp> b) {
  return !a ? b : !b ? a : std::min(a, b);
}
std::optional<Timestamp> later(std::optional<Timestamp> a, std::optional<Timestamp> b) {
  return !a ? b : !b ? a : std::max(a, b);
}

/// What is gathered of one entity while its facts pass by.
struct Gathered {
  Entity entity;
  std::map<std::string, std::int64_t> spellings;  // with their mentions
  std::set<std::string> aliases;
};

/// True when `a` is what a name means rather than `b` (rule 2).
bool preferred(const Entity& a, const Entity& b) {
  if (a.mention_count != b.mention_count) return a.mention_count > b.mention_count;
  if (a.first_seen != b.first_seen)
    return a.first_seen && (!b.first_seen || *a.first_seen < *b.first_seen);
  return a.key < b.key;
}

class Folder {
 public:
  FoldedGraph run(std::span<const EntityFact> entities,
                  std::span<const RelationshipFact> relationships,
                  std::span<const MemoryMentions> mentions) {
    for (const EntityFact& fact : entities) gather(fact);
    for (auto& [key, gathered] : gathered_) finish(gathered);
    for (const RelationshipFact& fact : relationships) connect(fact);
    for (const MemoryMentions& memory : mentions) mention(memory);
    for (auto& [key, entity] : placeholders_) graph_.entities.emplace(entity.key, entity);
    return std::move(graph_);
  }

 private:
  void gather(const EntityFact& fact) {
    if (name_key_of(fact.name).empty()) return;
    Gathered& gathered = gathered_[entity_key(fact.name, fact.type)];
    Entity& entity = gathered.entity;
    entity.key = entity_key(fact.name, fact.type);
    // The type is shown as the smallest spelling: the same whatever the order.
    const std::string type = fact.type.empty() ? "concept" : fact.type;
    entity.type = entity.type.empty() ? type : std::min(entity.type, type);
    entity.mention_count += fact.mentions;
    entity.first_seen = earlier(entity.first_seen, fact.first_seen);
    entity.last_seen = later(entity.last_seen, later(fact.last_seen, fact.first_seen));
    gathered.spellings[fact.name] += fact.mentions;
    gathered.aliases.insert(fact.aliases.begin(), fact.aliases.end());
  }

  void finish(Gathered& gathered) {
    Entity& entity = gathered.entity;
    std::int64_t most = -1;
    for (const auto& [spelling, mentions] : gathered.spellings) {
      gathered.aliases.insert(spelling);
      if (mentions > most) {
        most = mentions;
        entity.name = spelling;
      }
    }
    gathered.aliases.erase(entity.name);
    entity.aliases.assign(gathered.aliases.begin(), gathered.aliases.end());
    auto [meant, fresh] = meaning_.try_emplace(name_key_of(entity.name), entity);
    if (!fresh && preferred(entity, meant->second)) meant->second = entity;
    graph_.entities.emplace(entity.key, entity);
  }

  /// The key of the entity that the name means; makes a placeholder where nothing bears it.
  std::string meant_by(const std::string& name, bool by_memory) {
    const std::string key = name_key_of(name);
    if (key.empty()) return {};
    if (const auto known = meaning_.find(key); known != meaning_.end()) return known->second.key;
    auto [place, fresh] = placeholders_.try_emplace(key);
    Entity& entity = place->second;
    if (fresh) {
      entity = {.key = entity_key(name, placeholder_type),
                .name = name,
                .type = std::string(placeholder_type),
                .placeholder = true};
    }
    entity.name = std::min(entity.name, name);
    if (by_memory) ++entity.mention_count;
    return entity.key;
  }

  void connect(const RelationshipFact& fact) {
    if (name_key_of(fact.subject).empty() || name_key_of(fact.object).empty()) return;
    Relationship edge{.subject_key = meant_by(fact.subject, false),
                      .predicate = fact.predicate,
                      .object_key = meant_by(fact.object, false)};
    const std::string key = relationship_key(edge);
    Relationship& kept = graph_.relationships.try_emplace(key, edge).first->second;
    auto& confidence_seq = confidence_seq_.try_emplace(key, -1).first->second;
    if (fact.confidence && fact.seq > confidence_seq) {
      confidence_seq = fact.seq;
      kept.confidence = fact.confidence;
    }
    kept.observation_count += fact.observation_count;
    kept.first_observed = earlier(kept.first_observed, fact.first_observed);
    kept.last_observed = later(kept.last_observed, later(fact.last_observed, fact.first_observed));
  }

  void mention(const MemoryMentions& memory) {
    std::set<std::string>
        counted;  // a memory counts once for a placeholder, however often it names it
    for (const std::string& name : memory.names) {
      const bool first = counted.insert(name_key_of(name)).second;
      const std::string key = meant_by(name, first);
      if (!key.empty()) graph_.mentions.insert({.memory = memory.memory, .entity_key = key});
    }
  }

  FoldedGraph graph_;
  std::map<std::string, Gathered> gathered_;
  std::unordered_map<std::string, Entity> meaning_;  // by name_key
  std::map<std::string, Entity> placeholders_;       // by name_key
  std::unordered_map<std::string, std::int64_t> confidence_seq_;
};

}  // namespace

FoldedGraph fold(std::span<const EntityFact> entities,
                 std::span<const RelationshipFact> relationships,
                 std::span<const MemoryMentions> mentions) {
  return Folder().run(entities, relationships, mentions);
}

}  // namespace bb5
