#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace bb5::bench {

/// Conversations with questions about them, and the turns that answer: LoCoMo (Maharana et al.,
/// ACL 2024) as an array of
/// {sample_id, sessions: [{session, date_time, turns: [{speaker, dia_id, text, caption?}]}],
///  questions: [{question, evidence: [dia_id], category}]}.
struct Turn {
  std::string author;
  std::string content;  ///< `AUTHOR: TEXT [shares CAPTION]`
  std::string thread;   ///< `CONVERSATION/SESSION`
  std::int64_t position = 0;
  Timestamp created_at;  ///< Day of the session.
};

enum class Category { multi_hop = 1, temporal = 2, open_domain = 3, single_hop = 4 };

struct AskedQuestion {
  std::string text;
  Category category = Category::single_hop;
  std::vector<std::size_t> evidence;  ///< Places among the turns, each once; at least one.
};

struct Conversation {
  std::string name;
  std::vector<Turn> turns;
  std::vector<AskedQuestion> questions;  ///< Of the four categories, with evidence that is there.
};

/// Errors: not_found, invalid_argument (another format), each naming the file and the place.
[[nodiscard]] Result<std::vector<Conversation>> read_locomo(const std::filesystem::path& file);

}  // namespace bb5::bench
