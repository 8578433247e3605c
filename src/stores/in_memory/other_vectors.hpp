#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ports/other_vectors.hpp"
#include "stores/in_memory/state.hpp"

/// Vectors of other models beside those that the bank searches.
namespace bb5::in_memory {

/// Whether a change of model needs a vector for the memory.
[[nodiscard]] bool takes_part(const Memory& memory);

[[nodiscard]] OtherVectors::Lack count_lack(const State& state, std::string_view model);
[[nodiscard]] std::vector<Memory> page_of_lacking(const State& state, std::string_view model,
                                                  std::int64_t after_seq, std::size_t limit);
/// As OtherVectors::hold_vectors has it.
Result<std::int64_t> put_other_vectors(State& state, const EmbedderInfo& of,
                                       std::span<const MadeVector> vectors);
[[nodiscard]] std::vector<OtherVectors::Held> page_of_other_vectors(const State& state,
                                                                    std::string_view model,
                                                                    std::int64_t after_seq,
                                                                    std::size_t limit);
/// Returns how many.
std::int64_t remove_other_vectors(State& state);

/// What a memory came with is among the vectors of its model.
void keep_given(State& state, const Memory& memory);
/// The memory's, which goes or gets another content.
void forget_other_vectors(State& state, std::int64_t seq);

}  // namespace bb5::in_memory
