#include "stores/in_memory/embedding_cache.hpp"

#include <algorithm>
#include <string>

namespace bb5::in_memory {
namespace {

std::pair<std::string, std::string> key_of(std::string_view model, std::string_view text_md5) {
  return {std::string(model), std::string(text_md5)};
}

void forget_longest_unused(State& state, std::int64_t limit_bytes) {
  std::vector<decltype(state.cache)::iterator> computed;
  for (auto at = state.cache.begin(); at != state.cache.end(); ++at) {
    if (at->second.used) computed.push_back(at);
  }
  std::stable_sort(computed.begin(), computed.end(),
                   [](const auto& a, const auto& b) { return *a->second.used > *b->second.used; });
  std::int64_t bytes = 0;
  for (const auto& at : computed) {
    bytes += 4 * std::ssize(at->second.embedding);
    if (bytes > limit_bytes) state.cache.erase(at);
  }
}

}  // namespace

std::vector<WriteAction> put_cached_embeddings(State& state,
                                               std::span<const EmbeddingCache::Entry> entries) {
  std::vector<WriteAction> actions;
  for (const auto& entry : entries) {
    const auto [place, fresh] = state.cache.try_emplace({entry.model, entry.text_md5});
    actions.push_back(fresh                                        ? WriteAction::inserted
                      : place->second.embedding == entry.embedding ? WriteAction::identical
                                                                   : WriteAction::replaced);
    place->second = {entry.embedding, std::nullopt};
  }
  return actions;
}

std::optional<std::vector<float>> read_cached_embedding(const State& state, std::string_view model,
                                                        std::string_view text_md5) {
  const auto found = state.cache.find(key_of(model, text_md5));
  if (found == state.cache.end()) return std::nullopt;
  return found->second.embedding;
}

std::vector<EmbeddingCache::Entry> page_of_cached_embeddings(const State& state,
                                                             std::string_view after_model,
                                                             std::string_view after_md5,
                                                             std::size_t limit) {
  std::vector<EmbeddingCache::Entry> entries;
  for (auto at = state.cache.upper_bound(key_of(after_model, after_md5));
       at != state.cache.end() && entries.size() < limit; ++at) {
    if (at->second.used) continue;
    entries.push_back({at->first.second, at->first.first, at->second.embedding});
  }
  return entries;
}

void put_computed_embeddings(State& state, std::span<const EmbeddingCache::Entry> entries,
                             Timestamp used, std::int64_t limit_bytes) {
  for (const auto& entry : entries)
    state.cache.try_emplace({entry.model, entry.text_md5}, State::Cached{entry.embedding, used});
  forget_longest_unused(state, limit_bytes);
}

void update_use(State& state, std::string_view model, std::string_view text_md5, Timestamp used) {
  const auto found = state.cache.find(key_of(model, text_md5));
  if (found == state.cache.end() || !found->second.used) return;
  if (*found->second.used <= used - cache_use_step) found->second.used = used;
}

}  // namespace bb5::in_memory
