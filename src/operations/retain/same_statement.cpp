#include "operations/retain/same_statement.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "operations/retain/statement_words.hpp"

namespace bb5 {
namespace {

using Words = std::vector<StatementWord>;

/// Searching for a turn is quadratic in the worst case; longer texts must keep their order.
constexpr std::size_t longest_turned = 200;

/// What stands in code marks, sorted.
std::vector<std::string_view> code_of(std::string_view text) {
  std::vector<std::string_view> code;
  for (auto begin = text.find('`'); begin != std::string_view::npos;
       begin = text.find('`', begin)) {
    const auto end = text.find('`', begin + 1);
    if (end == std::string_view::npos) break;
    if (end > begin + 1) code.push_back(text.substr(begin + 1, end - begin - 1));
    begin = end + 1;
  }
  std::sort(code.begin(), code.end());
  return code;
}

/// `To A on Monday, to B on Friday`: which belongs to which is seen by the order alone.
bool repeats_a_mark(const Words& words) {
  std::vector<std::string_view> marks;
  for (const StatementWord& word : words) {
    if (!word.marks.empty()) marks.emplace_back(word.marks);
  }
  std::sort(marks.begin(), marks.end());
  return std::adjacent_find(marks.begin(), marks.end()) != marks.end();
}

/// `After a crash, restart it` and `Restart it after a crash`: the end has become the start, and
/// one of the two parts begins with a mark. (Without one, it is `admins are users` turned round.)
bool is_turned(const Words& left, const Words& right) {
  if (left.size() != right.size() || left.size() > longest_turned) return false;
  for (std::size_t cut = 1; cut < left.size(); ++cut) {
    if (left[cut].marks.empty() && left[0].marks.empty()) continue;
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>(cut);
    const auto there = right.end() - static_cast<std::ptrdiff_t>(cut);
    if (std::equal(middle, left.end(), right.begin()) && std::equal(left.begin(), middle, there))
      return true;
  }
  return false;
}

/// Sorted; a part goes from one mark to the next.
std::vector<std::string> parts_of(const Words& words) {
  std::vector<std::string> parts;
  for (const auto& [word, marks] : words) {
    if (parts.empty() || !marks.empty()) parts.push_back(marks + ':');
    parts.back().append(" ").append(word);
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

}  // namespace

bool may_say_the_same(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const auto left_code = code_of(left);
  const auto right_code = code_of(right);
  if (!left_code.empty() && !right_code.empty() && left_code != right_code) return false;
  const Words left_words = words_of(left);
  const Words right_words = words_of(right);
  if (left_words.empty() || right_words.empty()) return false;
  if (left_words == right_words) return true;
  if (repeats_a_mark(left_words)) return false;
  return is_turned(left_words, right_words) || parts_of(left_words) == parts_of(right_words);
}

std::int64_t statement_key(std::string_view statement) {
  // Turning and moving parts about changes the order of the words, never the words.
  std::vector<std::string> sorted;
  for (StatementWord& word : words_of(statement)) sorted.push_back(std::move(word.word));
  std::sort(sorted.begin(), sorted.end());
  std::string words;
  for (const std::string& word : sorted) words.append(word).append(1, '\n');
  const Sha256 digest = sha256(sorted.empty() ? statement : words);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8 | digest[i];
  return std::bit_cast<std::int64_t>(key);
}

}  // namespace bb5
