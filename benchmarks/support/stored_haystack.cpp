#include "benchmarks/support/stored_haystack.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace bb5::bench {
namespace {

constexpr std::size_t deepest_look = 50;
constexpr std::size_t written_together = 500;

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  std::exit(1);
}

Memory memory_of(const Turn& turn, const std::vector<float>& vector) {
  Memory memory;
  memory.legacy_id = fmt::format("{} {}", turn.thread, turn.position);
  memory.id = memory_id_of('"' + memory.legacy_id + '"');
  memory.content = turn.content;
  memory.author = turn.author;
  memory.thread = turn.thread;
  memory.position = turn.position;
  memory.created_at = turn.created_at;
  memory.embedding = vector;
  memory.vector_state = VectorState::indexed;
  return memory;
}

}  // namespace

StoredHaystack::StoredHaystack(std::unique_ptr<Bank> bank,
                               std::span<const Conversation> conversations, VectorCache& vectors)
    : bank_(std::move(bank)), vectors_(&vectors) {
  std::vector<Memory> memories;
  const auto write = [&] {
    if (auto written = bank_->write({.memories = memories}); !written) give_up(written.error());
    memories.clear();
  };
  for (const Conversation& conversation : conversations) {
    for (const Turn& turn : conversation.turns) {
      memories.push_back(memory_of(turn, vectors.of(turn.content)));
      places_.emplace(memories.back().id.uuid, places_.size());
      if (memories.size() == written_together) write();
    }
  }
  write();
  if (auto derived = bank_->derive([](const auto&) { return true; }); !derived)
    give_up(derived.error());
}

std::vector<std::size_t> StoredHaystack::ask(const std::string& question) const {
  const auto answer = recall(
      *bank_, {.text = question, .embedding = vectors_->of(question), .limit = deepest_look});
  if (!answer) give_up(answer.error());
  std::vector<std::size_t> order;
  for (const RecalledMemory& one : answer->results) order.push_back(places_.at(one.memory.id.uuid));
  return order;
}

}  // namespace bb5::bench
