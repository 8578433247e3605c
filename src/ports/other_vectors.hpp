#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/made_vector.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

/// What to say to vectors that are to stand beside those of their own model.
[[nodiscard]] inline Error own_model(std::string_view model) {
  return {Errc::conflict, "the bank's vectors are of " + std::string(model) + " themselves"};
}

/// What to say when those of one model cannot be searched together.
[[nodiscard]] inline Error of_several_lengths(const EmbedderInfo& of) {
  return {Errc::conflict,
          "vectors are kept of " + of.model + " that have not its " + std::to_string(of.dimension) +
              " numbers",
          "bb5-memory reembed --drop-old drops them"};
}

/// Vectors of other models beside those that the bank searches: of a model that it is to change to,
/// and of those that it had. One a memory and model, of the memory's present content: where that
/// changes or the memory goes, they go. Threads and common errors as MemoryStore.
class OtherVectors {
 public:
  virtual ~OtherVectors() = default;

  /// What a change to a model still lacks. Each memory of kind memory takes part, and each that is
  /// indexed.
  struct Lack {
    std::int64_t memories = 0;
    std::int64_t content_bytes = 0;
  };
  virtual Result<Lack> lack_of(std::string_view model) const = 0;
  /// Those memories in insertion order, seq > after_seq, at most `limit`, without embeddings.
  virtual Result<std::vector<Memory>> lacking(std::string_view model, std::int64_t after_seq,
                                              std::size_t limit) const = 0;

  /// Keeps those of the vectors whose memory is there, has the content that they were made of, and
  /// no vector of the model yet; in one transaction. Returns how many. No id twice.
  /// Errors: conflict when it is the bank's own model; invalid_argument (a vector of another length
  /// than `of.dimension`, or one that is not finite or all zero). Nothing is kept then.
  virtual Result<std::int64_t> hold_vectors(const EmbedderInfo& of,
                                            std::span<const MadeVector> vectors) = 0;

  struct Held {
    std::int64_t seq = 0;
    MadeVector vector;
  };
  /// Those of a model in insertion order of their memories, seq > after_seq, at most `limit`.
  virtual Result<std::vector<Held>> held_vectors(std::string_view model, std::int64_t after_seq,
                                                 std::size_t limit) const = 0;

  /// The bank's model becomes `next`: in one transaction its vectors and those kept of `next`
  /// change places, memories as with_model_changed() says, and all that is derived from vectors
  /// goes. Not while any is lacking: then nothing changes, and their number is returned, else 0; 0
  /// too when it is the bank's model already. Others who hold the old model get conflict from then
  /// on. Errors: conflict (vectors of several lengths are kept of `next`); locked (index being
  /// built).
  virtual Result<std::int64_t> change_model(const EmbedderInfo& next) = 0;

  /// Drops them all, also what memories came with: those stay marked (GivenVector::dropped).
  /// Returns how many vectors went.
  virtual Result<std::int64_t> drop_other_vectors() = 0;
};

}  // namespace bb5
