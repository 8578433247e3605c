#include "model/graph_fold.hpp"

#include <algorithm>
#include <limits>
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
  EntityTitle own;  // of the facts of the entity's own key
  EntityTitle all;
  std::set<std::string> aliases;
  std::set<std::string> names;  // name keys of the facts
};

/// What is gathered of one placeholder while the names that lead to it pass by.
struct Place {
  std::map<std::string, std::set<std::string>> spellings;  // by name key
  std::set<MemoryId> memories;
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
  explicit Folder(const EntityMerges& merges) : merges_(merges) {}

  FoldedGraph run(std::span<const EntityFact> entities,
                  std::span<const RelationshipFact> relationships,
                  std::span<const MemoryMentions> mentions) {
    for (const EntityFact& fact : entities) gather(fact);
    give_meanings();
    for (auto& [key, gathered] : gathered_) finish(gathered);
    for (const RelationshipFact& fact : relationships) connect(fact);
    for (const MemoryMentions& memory : mentions) mention(memory);
    for (const auto& [key, place] : places_) finish(key, place);
    mean_unused_names();
    return std::move(graph_);
  }

 private:
  void gather(const EntityFact& fact) {
    const std::string name_key = name_key_of(fact.name);
    if (name_key.empty()) return;
    const std::string own_key = entity_key(fact.name, fact.type);
    const std::string key = merges_.root(own_key);
    Gathered& gathered = gathered_[key];
    Entity& entity = gathered.entity;
    entity.key = key;
    entity.mention_count = add_up(entity.mention_count, fact.mentions);
    entity.first_seen = earlier(entity.first_seen, fact.first_seen);
    entity.last_seen = later(entity.last_seen, later(fact.last_seen, fact.first_seen));
    gathered.all.add(fact.name, fact.type, fact.mentions);
    if (own_key == key) gathered.own.add(fact.name, fact.type, fact.mentions);
    gathered.aliases.insert(fact.aliases.begin(), fact.aliases.end());
    gathered.names.insert(name_key);
  }

  void give_meanings() {
    std::map<std::string, const Entity*> meant;
    for (const auto& [key, gathered] : gathered_) {
      std::set<std::string> borne = gathered.names;
      borne.insert(std::string(name_of_key(key)));
      for (const std::string& name : borne) {
        const Entity*& best = meant[name];
        if (best == nullptr || preferred(gathered.entity, *best)) best = &gathered.entity;
      }
    }
    for (const auto& [name, entity] : meant) graph_.meanings.emplace(name, entity->key);
    described_ = graph_.meanings;
  }

  void finish(Gathered& gathered) {
    Entity& entity = gathered.entity;
    const EntityTitle& title = gathered.own.spellings.empty() ? gathered.all : gathered.own;
    entity.name = title.name();
    entity.type = title.type;
    for (const auto& [spelling, mentions] : gathered.all.spellings)
      gathered.aliases.insert(spelling);
    finish(entity, std::move(gathered.aliases), std::move(gathered.names));
  }

  void finish(const std::string& key, const Place& place) {
    const auto own = place.spellings.find(std::string(name_of_key(key)));
    std::string name = own == place.spellings.end() ? "" : *own->second.begin();
    for (const auto& [name_key, spellings] : place.spellings) {
      if (own == place.spellings.end() && (name.empty() || *spellings.begin() < name))
        name = *spellings.begin();
    }
    Entity entity{.key = key,
                  .name = std::move(name),
                  .type = std::string(placeholder_type),
                  .mention_count = std::ssize(place.memories),
                  .placeholder = true};
    finish(entity, {}, {});
  }

  /// Adds what merges give: further aliases and names.
  void finish(Entity& entity, std::set<std::string> aliases, std::set<std::string> names) {
    for (const EntityMerge* merge : merges_.leading_to(entity.key)) {
      if (!merge->name.empty()) aliases.insert(merge->name);
      const std::string name(name_of_key(merge->from_key));
      if (EntityMerges::leads_bare_names(*merge) && !described_.contains(name)) names.insert(name);
    }
    aliases.erase(entity.name);
    names.erase(std::string(name_of_key(entity.key)));
    entity.aliases.assign(aliases.begin(), aliases.end());
    entity.names.assign(names.begin(), names.end());
    graph_.entities.emplace(entity.key, entity);
  }

  /// The key of the entity that the name means; makes a placeholder where nothing bears it.
  std::string meant_by(const std::string& name, const MemoryId* memory) {
    const std::string name_key = name_key_of(name);
    if (name_key.empty()) return {};
    if (const auto known = described_.find(name_key); known != described_.end())
      return known->second;
    const std::string key = merges_.root_of_bare(name_key);
    graph_.meanings.emplace(name_key, key);
    if (gathered_.contains(key)) return key;
    Place& place = places_[key];
    place.spellings[name_key].insert(name);
    if (memory != nullptr) place.memories.insert(*memory);
    return key;
  }

  /// Names that merges lead to an entity mean it also before anything uses them.
  void mean_unused_names() {
    for (const auto& [name, group] : merges_.groups()) {
      const std::string key = merges_.root_of_bare(name);
      if (graph_.entities.contains(key)) graph_.meanings.emplace(name, key);
    }
  }

  void connect(const RelationshipFact& fact) {
    if (name_key_of(fact.subject).empty() || name_key_of(fact.object).empty()) return;
    Relationship edge{.subject_key = meant_by(fact.subject, nullptr),
                      .predicate = fact.predicate,
                      .object_key = meant_by(fact.object, nullptr)};
    const std::string key = relationship_key(edge);
    Relationship& kept = graph_.relationships.try_emplace(key, edge).first->second;
    auto& confidence_seq = confidence_seq_.try_emplace(key, -1).first->second;
    if (fact.confidence && fact.seq > confidence_seq) {
      confidence_seq = fact.seq;
      kept.confidence = fact.confidence;
    }
    kept.observation_count = add_up(kept.observation_count, fact.observation_count);
    kept.first_observed = earlier(kept.first_observed, fact.first_observed);
    kept.last_observed = later(kept.last_observed, later(fact.last_observed, fact.first_observed));
  }

  void mention(const MemoryMentions& memory) {
    for (const std::string& name : memory.names) {
      const std::string key = meant_by(name, &memory.memory);
      if (!key.empty()) graph_.mentions.insert({.memory = memory.memory, .entity_key = key});
    }
  }

  const EntityMerges& merges_;
  FoldedGraph graph_;
  std::map<std::string, Gathered> gathered_;      // by key
  std::map<std::string, Place> places_;           // by key
  std::map<std::string, std::string> described_;  // the meanings that facts give
  std::unordered_map<std::string, std::int64_t> confidence_seq_;
};

}  // namespace

std::int64_t add_up(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

void EntityTitle::add(const std::string& name, const std::string& given_type,
                      std::int64_t mentions) {
  std::int64_t& spelt = spellings[name];
  spelt = add_up(spelt, mentions);
  const std::string given = given_type.empty() ? "concept" : given_type;
  type = type.empty() ? given : std::min(type, given);
}

const std::string& EntityTitle::name() const {
  auto best = spellings.begin();
  for (auto spelling = spellings.begin(); spelling != spellings.end(); ++spelling) {
    if (spelling->second > best->second) best = spelling;
  }
  return best->first;
}

FoldedGraph fold(std::span<const EntityFact> entities,
                 std::span<const RelationshipFact> relationships,
                 std::span<const MemoryMentions> mentions, const EntityMerges& merges) {
  return Folder(merges).run(entities, relationships, mentions);
}

}  // namespace bb5
