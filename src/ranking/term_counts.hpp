#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bb5::ranking {

/// How often some terms stand in texts. Each word is looked at once, however many texts have it,
/// so one counter is for the texts of one question. Not safe to use from several threads.
class TermCounter {
 public:
  /// wanted: each once.
  explicit TermCounter(std::span<const std::string> wanted);

  /// Adds what the text has to counts[i] for the i-th wanted term; returns how many terms it has.
  std::size_t add(std::string_view text, std::span<float> counts);
  /// The same, of what is a term already.
  void add_term(const std::string& term, std::span<float> counts) const;

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr int stop_word = -2;
  static constexpr int not_wanted = -1;
  int look_up(const std::string& word);

  std::size_t size_;
  std::unordered_map<std::string, int> wanted_;
  std::unordered_map<std::string, int> words_;  // seen before: place among the wanted, or why none
};

}  // namespace bb5::ranking
