#include "model/made_vector.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"

namespace bb5 {

std::string content_sha256_of(std::string_view content) {
  const Sha256 digest = sha256(content);
  return {digest.begin(), digest.end()};
}

void give_vector(Memory& memory, std::vector<float> vector) {
  memory.embedding = std::move(vector);
  memory.vector_state = VectorState::indexed;
  if (!memory.raw) memory.raw.emplace();
}

Result<std::optional<Memory>> with_vector(Memory held, const MadeVector& vector) {
  if (held.vector_state == VectorState::indexed ||
      content_sha256_of(held.content) != vector.content_sha256)
    return std::optional<Memory>{};
  give_vector(held, vector.embedding);
  BB5_TRY(validate(held));
  return std::optional(std::move(held));
}

Result<> check_lengths(std::span<const MadeVector> vectors, std::size_t dimension) {
  for (const MadeVector& vector : vectors) {
    if (vector.embedding.size() == dimension) continue;
    return Error{Errc::invalid_argument,
                 fmt::format("memory {} cannot have a vector of {} numbers, the bank's have {}",
                             vector.id.to_string(), vector.embedding.size(), dimension)};
  }
  return ok();
}

Memory as_given(Memory held, const Memory& given) {
  const bool made_here =
      held.vector_state == VectorState::indexed && held.raw && !held.raw->embedding_at;
  if (!made_here || given.vector_state == VectorState::indexed) return held;
  held.embedding.clear();
  held.vector_state = given.vector_state;
  if (held.raw->text.empty()) held.raw.reset();
  return held;
}

}  // namespace bb5
