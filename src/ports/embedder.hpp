#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace bb5 {

/// Model and length of a bank's vectors.
struct EmbedderInfo {
  std::string model;          ///< `openai/text-embedding-3-small`; empty: none recorded yet.
  std::size_t dimension = 0;  ///< 0: none recorded yet.
  bool operator==(const EmbedderInfo&) const = default;
};

/// What to say when vectors are not of the bank's embedder.
[[nodiscard]] inline Error other_embedder(const EmbedderInfo& recorded) {
  return {
      Errc::conflict,
      "the bank holds vectors of " + recorded.model + " (" + std::to_string(recorded.dimension) +
          " numbers)",
      "give vectors of that model, use another bank (--bank NAME), or change this bank's model: "
      "bb5-memory reembed --to MODEL"};
}

/// Turns texts into vectors whose cosine tells how near their meanings are.
/// Safe to call from several threads at once.
class Embedder {
 public:
  virtual ~Embedder() = default;

  /// What a bank of these vectors records (MemoryStore::set_embedder) and a cache keys them by
  /// (EmbeddingCache); `provider/model`, never empty, fixed for the embedder's life.
  [[nodiscard]] virtual EmbedderInfo info() const = 0;

  /// One vector for each text, in the order asked for: info().dimension finite numbers of Euclidean
  /// length 1. A text's vector does not depend on the texts beside it by more than rounding
  /// (1e-6 a number). Any text will do: UTF-8, in which ill-formed bytes count for nothing; an
  /// empty one has a vector too; of a long one as much counts as the model reads. No texts: no
  /// vectors. All or nothing. Errors: corrupt (the model's files), refused (credentials),
  /// unavailable.
  virtual Result<std::vector<std::vector<float>>> embed(
      std::span<const std::string_view> texts) = 0;
};

}  // namespace bb5
