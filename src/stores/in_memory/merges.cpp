#include "stores/in_memory/merges.hpp"

#include <algorithm>

#include "stores/in_memory/graph_fold.hpp"

namespace bb5::in_memory {

std::vector<EntityMerge> read_merges(const State& state) {
  std::vector<EntityMerge> merges;
  for (const auto& [from, merge] : state.merges.all()) merges.push_back(merge);
  return merges;
}

Result<> add_merges(State& state, std::span<const EntityMerge> merges) {
  auto all = with_merges(state.merges, merges);
  if (!all) return std::move(all).error();
  state.merges = EntityMerges(*all);
  state.apart = still_apart(state.apart, state.merges);
  fold_everything(state);
  return ok();
}

Result<bool> remove_merge(State& state, std::string_view from_key) {
  auto rest = without_merge(state.merges, from_key);
  if (!rest) return std::move(rest).error();
  if (!*rest) return false;
  state.merges = EntityMerges(**rest);
  fold_everything(state);
  return true;
}

Result<> add_kept_apart(State& state, std::span<const KeptApart> pairs) {
  auto all = with_apart(state.apart, pairs);
  if (!all) return std::move(all).error();
  state.apart = *std::move(all);
  return ok();
}

ResolvedMark read_resolved_mark(const State& state) {
  return {state.resolved_rev, state.graph_rev};
}

Result<std::vector<EntityMerge>> add_resolved_merges(State& state,
                                                     std::span<const EntityMerge> merges,
                                                     std::int64_t up_to) {
  std::vector<EntityMerge> accepted = mergeable(state.merges, merges, state.apart);
  if (!accepted.empty()) BB5_TRY(add_merges(state, accepted));
  state.resolved_rev = std::max(state.resolved_rev, up_to);
  return accepted;
}

}  // namespace bb5::in_memory
