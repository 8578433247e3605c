#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/value.hpp"
#include "ports/bank.hpp"
#include "ports/embedder.hpp"

namespace bb5 {

/// A memory as people and programs give it. Everything but the content may be left out.
struct NewMemory {
  std::string content;
  std::string network = "observation";
  std::optional<Timestamp> created_at;  ///< Default: now.
  std::optional<double> confidence;
  std::optional<std::string> source;
  std::optional<std::string> source_type;
  std::optional<std::string> category;
  std::vector<std::string> entities;
  json::Object metadata;  ///< The fields above are put into it under their names.
  std::vector<float> embedding;
  std::optional<std::string> author;
  std::optional<std::string> thread;
  std::optional<std::int64_t> position;
};

/// Reads `{content, network?, created_at?, confidence?, source?, source_type?, category?,
/// entities?, metadata?, embedding?, author?, thread?, position?}`. Errors: invalid_argument naming
/// the member and what it must be.
[[nodiscard]] Result<NewMemory> parse_new_memory(std::string_view json_text);

/// What an add did to one memory.
struct Added {
  std::string legacy_id;
  MemoryId id;
  WriteAction action = WriteAction::inserted;
};

/// Adds memories in one transaction. A memory of the same content is replaced in its place (the old
/// system's upsert by content); of several equal ones in the batch the last counts. Entities,
/// mentions and outbox are brought up to date in the same transaction. An embedding is taken when
/// the bank's embedder makes vectors of its length; a bank without one records the model that is
/// known to (1536: openai/text-embedding-3-small, 384: local/all-MiniLM-L6-v2). Memories without
/// one are embedded where an embedder is given and can; else they wait for theirs. Errors:
/// invalid_argument; those of the bank. Nothing is written then.
[[nodiscard]] Result<std::vector<Added>> add_memories(Bank& bank,
                                                      const std::vector<NewMemory>& memories,
                                                      Embedder* embedder = nullptr);

}  // namespace bb5
