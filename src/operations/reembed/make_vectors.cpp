#include "operations/reembed/make_vectors.hpp"

#include <string_view>
#include <utility>

#include "base/digest.hpp"

namespace bb5 {

Result<std::vector<MadeVector>> make_vectors(const EmbeddingCache& cache, Embedder& embedder,
                                             const std::vector<Memory>& memories,
                                             std::int64_t& from_cache) {
  const std::string model = embedder.info().model;
  std::vector<MadeVector> made;
  std::vector<std::size_t> unseen;
  std::vector<std::string_view> texts;
  for (const Memory& memory : memories) {
    auto cached = cache.cached_embedding(model, to_hex(md5(memory.content)));
    if (!cached) return std::move(cached).error();
    // Another length: of a service that once was asked for other dimensions.
    const bool usable = *cached && (*cached)->size() == embedder.info().dimension;
    if (!usable) {
      unseen.push_back(made.size());
      texts.push_back(memory.content);
    }
    made.push_back({memory.id, content_sha256_of(memory.content),
                    usable ? std::move(**cached) : std::vector<float>{}});
  }
  from_cache = std::ssize(memories) - std::ssize(unseen);
  if (texts.empty()) return made;
  auto vectors = embedder.embed(texts);
  if (!vectors) return std::move(vectors).error();
  for (std::size_t i = 0; i < unseen.size(); ++i)
    made[unseen[i]].embedding = std::move((*vectors)[i]);
  return made;
}

}  // namespace bb5
