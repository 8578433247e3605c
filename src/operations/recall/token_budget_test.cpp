#include "operations/recall/token_budget.hpp"

#include <string>

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(EstimatedTokens, AreAQuarterOfTheCharactersWhateverTheirBytes) {
  EXPECT_EQ(estimated_tokens(""), 0U);
  EXPECT_EQ(estimated_tokens("a"), 1U);
  EXPECT_EQ(estimated_tokens("four"), 1U);
  EXPECT_EQ(estimated_tokens("fives"), 2U);
  EXPECT_EQ(estimated_tokens("äöü漢"), 1U);
  EXPECT_EQ(estimated_tokens("😀😀😀😀😀"), 2U);
}

TEST(FitInto, KeepsTheFirstOnesWholeAndPassesNoneOver) {
  const std::string eight(32, 'x');
  const TokenBudget fitted = fit_into(10, {"four", eight, eight, "a"});
  EXPECT_EQ(fitted.used, 9U);
  EXPECT_EQ(fitted.left_out, 2U) << "the short one at the end would have fitted, and is worse";
  EXPECT_EQ(fitted.next, 8U);
}

TEST(FitInto, FitsToTheLastToken) {
  EXPECT_EQ(fit_into(2, {"four", "four"}).left_out, 0U);
  EXPECT_EQ(fit_into(1, {"four", "four"}).left_out, 1U);
  EXPECT_EQ(fit_into(5, {}).left_out, 0U);
}

}  // namespace
}  // namespace bb5
