#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/memory.hpp"

/// Vectors that are made of a memory's content after it came, and what becomes of those that came
/// with it: docs/decisions on made vectors and on changing a bank's model.
namespace bb5 {

struct MadeVector {
  MemoryId id;
  std::string content_sha256;  ///< 32 bytes: of the content that it was made of.
  std::vector<float> embedding;
  bool operator==(const MadeVector&) const = default;
};

/// As MadeVector has it.
[[nodiscard]] std::string content_sha256_of(std::string_view content);

/// Gives the memory a vector. What its source said of its vector stays in `raw`; where that said
/// only that there is none, an empty `raw` says so.
void give_vector(Memory& memory, std::vector<float> vector);

/// The held memory with the vector; nothing when it needs none any more, or has another content
/// now. Errors: those of validate().
[[nodiscard]] Result<std::optional<Memory>> with_vector(Memory held, const MadeVector& vector);

/// Errors: invalid_argument, when one is not `dimension` long.
Result<> check_lengths(std::span<const MadeVector> vectors, std::size_t dimension);

/// Errors: invalid_argument, when one is not finite or all zero.
Result<> check_numbers(std::span<const MadeVector> vectors);

/// The held memory with the vector of another model, to which its bank changes from `present`. What
/// it came with stays as `given`; where the vector is that one, it is the memory's own again.
/// Errors: those of validate().
[[nodiscard]] Result<Memory> with_model_changed(Memory held, const std::string& present,
                                                std::string_view next, std::vector<float> vector);

/// `held` as a source has to give it to be the record `given`. A vector that was made here is no
/// difference, and neither is one that it came with and that is kept or was dropped here: of such a
/// record its source's text counts, as far as it is there.
[[nodiscard]] Memory as_given(Memory held, const Memory& given);

}  // namespace bb5
