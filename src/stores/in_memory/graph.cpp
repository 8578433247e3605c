#include "stores/in_memory/graph.hpp"

#include <algorithm>
#include <tuple>

namespace bb5::in_memory {

GraphCounts count_graph(const State& state) {
  return {std::ssize(state.graph.entities), std::ssize(state.graph.relationships),
          std::ssize(state.graph.mentions)};
}

std::vector<Mention> page_of_mentions(const State& state, const Mention& after, std::size_t limit) {
  std::vector<Mention> found;
  for (const Mention& mention : state.graph.mentions) {
    if (found.size() == limit) break;
    if (std::tie(mention.memory, mention.entity_key) > std::tie(after.memory, after.entity_key))
      found.push_back(mention);
  }
  return found;
}

std::vector<Neighbour> read_neighbours(const State& state, std::string_view entity_key,
                                       std::size_t limit) {
  const FoldedGraph& graph = state.graph;
  std::vector<Neighbour> found;
  for (const auto& [key, edge] : graph.relationships) {
    if (edge.subject_key == entity_key)
      found.push_back({graph.entities.at(edge.object_key), edge.predicate, true, edge.confidence});
    if (edge.object_key == entity_key) {
      found.push_back(
          {graph.entities.at(edge.subject_key), edge.predicate, false, edge.confidence});
    }
  }
  std::sort(found.begin(), found.end(), [](const Neighbour& a, const Neighbour& b) {
    const double left = a.confidence.value_or(-1);
    const double right = b.confidence.value_or(-1);
    if (left != right) return left > right;
    return std::tuple(a.entity.key, a.predicate, !a.outgoing) <
           std::tuple(b.entity.key, b.predicate, !b.outgoing);
  });
  if (found.size() > limit) found.resize(limit);
  return found;
}

std::optional<Entity> read_entity_named(const State& state, std::string_view name) {
  const auto meant = state.graph.meanings.find(name_key_of(name));
  if (meant == state.graph.meanings.end()) return std::nullopt;
  return state.graph.entities.at(meant->second);
}

void visit_entities(const State& state, std::int64_t after_rev,
                    const std::function<void(const Entity&)>& visit) {
  for (const auto& [key, entity] : state.graph.entities) {
    if (entity.rev > after_rev) visit(entity);
  }
}

}  // namespace bb5::in_memory
