#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/memory_store.hpp"
#include "stores/in_memory/state.hpp"

/// Retained documents, and what a document's new state does to memories and facts.
namespace bb5::in_memory {

[[nodiscard]] std::optional<RetainedDocument> read_document(const State& state,
                                                            std::string_view source);
[[nodiscard]] std::int64_t count_sayings(const State& state, const MemoryId& memory);
/// Nothing: the bank does not hold the memory.
[[nodiscard]] std::optional<Standing> standing_of(const State& state, const MemoryId& id);
[[nodiscard]] std::vector<Standing> read_standings(const State& state,
                                                   std::span<const MemoryId> memories);

/// Before the batch's memories: opens again those that its documents say again.
/// Errors: invalid_argument, conflict.
Result<> open_documents(State& state, const WriteBatch& batch);
/// What the batch makes the memory at that place of it rest on.
[[nodiscard]] Standing wanted_standing(const WriteBatch& batch, std::size_t place);
/// After the batch's memories and facts: puts the documents' new states in the places of the former
/// ones, then removes and closes what has lost its ground. Errors: invalid_argument.
Result<> close_documents(State& state, const WriteBatch& batch);
/// Takes what is no longer there out of the documents.
void forget_absent(State& state);

}  // namespace bb5::in_memory
