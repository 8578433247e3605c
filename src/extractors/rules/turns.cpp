#include "extractors/rules/turns.hpp"

#include <algorithm>
#include <unordered_set>

#include "extractors/rules/dates.hpp"
#include "extractors/rules/sentences.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {
namespace {

constexpr std::size_t longest_turn = 1000;

}  // namespace

bool is_small_talk(std::string_view text) {
  static const std::unordered_set<std::string_view> words_of_small_talk = {
      "ok",         "okay",    "k",        "thanks",  "thank",   "you",    "thx",    "ty",
      "yes",        "no",      "yeah",     "yep",     "yup",     "nope",   "sure",   "great",
      "cool",       "nice",    "good",     "perfect", "awesome", "hi",     "hello",  "hey",
      "bye",        "goodbye", "morning",  "evening", "night",   "lol",    "haha",   "hahaha",
      "wow",        "oh",      "ah",       "hm",      "hmm",     "got",    "it",     "sounds",
      "see",        "later",   "welcome",  "you're",  "done",    "please", "fine",   "right",
      "understood", "noted",   "same",     "here",    "very",    "much",   "so",     "a",
      "lot",        "all",     "continue", "go",      "on",      "ahead",  "next",   "there",
      "everyone",   "cheers",  "ack",      "alright", "how",     "are",    "the",    "and",
      "too",        "well",    "np",       "problem", "will",    "do",     "that's", "is",
      "that"};
  if (count_characters(text) > 60) return false;
  const Words words(text);
  int count = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind == Token::Kind::symbol) continue;
    if (words[i].kind != Token::Kind::word || !words_of_small_talk.contains(words.low(i)))
      return false;
    ++count;
  }
  return count <= 6;
}

std::vector<Statement> statements_of_turns(const std::vector<Turn>& turns) {
  std::vector<Statement> statements;
  std::int64_t next = 0;
  for (const Turn& turn : turns) {
    if (!says_something(turn.text) || is_small_talk(turn.text)) continue;
    for (const std::string_view part : split_text(turn.text, longest_turn)) {
      if (!says_something(part)) continue;
      Statement statement;
      statement.content = part;
      statement.author = turn.author;
      statement.position = std::max(next, turn.position);
      next = statement.position + 1;
      const Words words(part);
      statement.happened_at = happened_at(words, turn.said_at);
      if (!statement.happened_at) statement.happened_at = turn.said_at;
      statements.push_back(std::move(statement));
    }
  }
  return statements;
}

}  // namespace bb5::rules
