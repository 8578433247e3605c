#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "ports/entity_graph.hpp"
#include "stores/in_memory/state.hpp"

/// Reading the folded graph.
namespace bb5::in_memory {

[[nodiscard]] GraphCounts count_graph(const State& state);
[[nodiscard]] std::vector<Mention> page_of_mentions(const State& state, const Mention& after,
                                                    std::size_t limit);
[[nodiscard]] std::vector<Neighbour> read_neighbours(const State& state,
                                                     std::string_view entity_key,
                                                     std::size_t limit);
[[nodiscard]] std::optional<Entity> read_entity_named(const State& state, std::string_view name);
void visit_entities(const State& state, std::int64_t after_rev,
                    const std::function<void(const Entity&)>& visit);

}  // namespace bb5::in_memory
