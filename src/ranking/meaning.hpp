#pragma once

#include <optional>
#include <span>

#include "ranking/passage.hpp"
#include "ranking/threads.hpp"

namespace bb5::ranking {

/// How near a passage's meaning is to the question's. In a thread: its cosine and those of its
/// neighbours, the nearer the more, over those that are known. Alone: its best sentence, where
/// sentences have vectors, else its cosine. In [-1, 1]; nothing: no vector is known.
[[nodiscard]] std::optional<double> meaning(std::span<const Passage> passages,
                                            const Threads& threads, std::size_t passage);

}  // namespace bb5::ranking
