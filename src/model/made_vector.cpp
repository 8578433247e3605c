#include "model/made_vector.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "model/legacy_record.hpp"

namespace bb5 {
namespace {

/// Its source said what is in `raw`, of its vector too.
bool is_made_here(const Memory& memory) {
  return memory.vector_state == VectorState::indexed && memory.raw && !memory.raw->embedding_at;
}

/// True when `text` is the record with an array at the place where the vector was cut out.
bool is_with_some_vector(std::string_view text, const RawRecord& cut) {
  const std::size_t at = cut.embedding_at.value_or(0);
  const std::string_view around = cut.text;
  if (at > around.size() || text.size() < around.size() + 2) return false;
  const std::string_view array = text.substr(at, text.size() - around.size());
  return text.starts_with(around.substr(0, at)) && text.ends_with(around.substr(at)) &&
         array.front() == '[' && array.back() == ']' &&
         array.find_first_not_of("0123456789+-.eE, \t\r\n", 1) == array.size() - 1;
}

/// The same record by its source's text, as far as that is there.
bool is_same_text(const Memory& held, const Memory& given) {
  std::string text;
  write_legacy_record(given, text);
  if (held.given && held.given->dropped())
    return is_with_some_vector(text, legacy_record_without_vector(held));
  std::string ours;
  write_legacy_record(held, ours);
  return ours == text;
}

/// Both hold the vector of the record in their own ways: says it as the given one does.
Memory with_vector_as_in(Memory held, const Memory& given) {
  held.embedding = given.embedding;
  held.vector_state = given.vector_state;
  held.raw = given.raw;
  held.given = given.given;
  return held;
}

}  // namespace

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

Result<> check_numbers(std::span<const MadeVector> vectors) {
  for (const MadeVector& vector : vectors) {
    const auto finite = [](float x) { return std::isfinite(x); };
    const auto zero = [](float x) { return x == 0; };
    const auto& numbers = vector.embedding;
    if (std::all_of(numbers.begin(), numbers.end(), finite) &&
        !std::all_of(numbers.begin(), numbers.end(), zero))
      continue;
    return Error{Errc::invalid_argument,
                 fmt::format("memory {} cannot have a vector that is not finite or all zero",
                             vector.id.to_string())};
  }
  return ok();
}

Result<Memory> with_model_changed(Memory held, const std::string& present, std::string_view next,
                                  std::vector<float> vector) {
  if (held.vector_state != VectorState::indexed) {
    give_vector(held, std::move(vector));
  } else {
    if (held.given && !held.given->dropped() && held.given->model == next) {
      held.given.reset();
    } else if (!held.given && !is_made_here(held)) {
      held.given = GivenVector{present, std::move(held.embedding)};
    }
    held.embedding = std::move(vector);
  }
  BB5_TRY(validate(held));
  return held;
}

Memory as_given(Memory held, const Memory& given) {
  if (held.given && !given.given) {
    if (is_same_text(held, given)) return with_vector_as_in(std::move(held), given);
    return held;
  }
  if (!is_made_here(held)) return held;
  if (given.vector_state == VectorState::indexed) {
    // Vectors of this model may be the source's own by now: the model was another one before.
    const bool has_text = !held.raw->text.empty();
    return has_text && is_same_text(held, given) ? with_vector_as_in(std::move(held), given) : held;
  }
  held.embedding.clear();
  held.vector_state = given.vector_state;
  if (held.raw->text.empty()) held.raw.reset();
  return held;
}

}  // namespace bb5
