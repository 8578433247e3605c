#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/memory.hpp"

/// Vectors that are made of a memory's content after it came: docs/decisions on made vectors.
namespace bb5 {

struct MadeVector {
  MemoryId id;
  std::string content_sha256;  ///< 32 bytes: of the content that it was made of.
  std::vector<float> embedding;
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

/// `held` as a source has to give it to be the record `given`: without its vector, where that was
/// made here and `given` has none. So a vector made here is no difference.
[[nodiscard]] Memory as_given(Memory held, const Memory& given);

}  // namespace bb5
