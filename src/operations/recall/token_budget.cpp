#include "operations/recall/token_budget.hpp"

#include <algorithm>

namespace bb5 {

std::size_t estimated_tokens(std::string_view text) {
  const auto characters =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      }));
  return (characters + 3) / 4;
}

TokenBudget fit_into(std::size_t budget, const std::vector<std::string_view>& contents) {
  TokenBudget fitted{.budget = budget};
  for (auto content = contents.begin(); content != contents.end(); ++content) {
    const std::size_t tokens = estimated_tokens(*content);
    if (tokens > budget - fitted.used) {
      fitted.left_out = static_cast<std::size_t>(contents.end() - content);
      fitted.next = tokens;
      break;
    }
    fitted.used += tokens;
  }
  return fitted;
}

}  // namespace bb5
