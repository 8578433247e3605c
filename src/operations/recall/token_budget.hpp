#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bb5 {

/// About how many tokens of a language model a text takes: its characters (code points) divided by
/// four, rounded up, as the old system reckoned. English prose takes a little fewer, code and other
/// languages more, some scripts up to one a character.
[[nodiscard]] std::size_t estimated_tokens(std::string_view text);

/// What a budget of tokens did to an answer.
struct TokenBudget {
  std::size_t budget = 0;
  std::size_t used = 0;      ///< By what was kept.
  std::size_t left_out = 0;  ///< Results that did not fit.
  std::size_t next = 0;      ///< What the first of these would take.
};

/// How many of the contents, from the first on, fit into the budget together. None is cut within,
/// and none is passed over for a shorter one behind it: the answer stays the best ones.
[[nodiscard]] TokenBudget fit_into(std::size_t budget,
                                   const std::vector<std::string_view>& contents);

}  // namespace bb5
