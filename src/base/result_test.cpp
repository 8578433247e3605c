#include "base/result.hpp"

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bb5 {
namespace {

using testing::ElementsAre;

Result<std::vector<std::string>> two_names() {
  return std::vector<std::string>{"a name too long to be kept inside the string", "tea"};
}

// `for (auto& name : *two_names())` would read freed memory: a reference into the temporary came
// back, and C++20 lets the temporary die before the loop begins.
TEST(Result, ATemporarysValueOutlivesItInARangeFor) {
  std::vector<std::string> seen;
  for (const std::string& name : *two_names()) seen.push_back(name);
  EXPECT_THAT(seen, ElementsAre("a name too long to be kept inside the string", "tea"));
}

TEST(Result, ATemporaryGivesNoReferenceIntoItself) {
  EXPECT_TRUE((std::is_same_v<decltype(*std::declval<Result<int>>()), int>));
  EXPECT_TRUE((std::is_same_v<decltype(std::declval<Result<int>>().value()), int>));
  EXPECT_TRUE((std::is_same_v<decltype(std::declval<Result<int>>().error()), Error>));
}

TEST(Result, ReadingTheWrongHalfThrows) {
  Result<int> failed = Error{.code = Errc::not_found, .message = "no such memory"};
  EXPECT_FALSE(failed);
  EXPECT_THROW(failed.value(), std::logic_error);
  EXPECT_THROW(std::move(failed).value(), std::logic_error);
  Result<int> succeeded = 3;
  EXPECT_TRUE(succeeded);
  EXPECT_THROW(succeeded.error(), std::logic_error);
}

TEST(Result, TryReturnsTheFirstErrorAndGoesOnAfterASuccess) {
  const auto both = [](const Result<>& first) -> Result<int> {
    BB5_TRY(first);
    return 2;
  };
  EXPECT_EQ(*both(ok()), 2);
  EXPECT_EQ(both(Error{.code = Errc::conflict, .message = "taken"}).error().code, Errc::conflict);
}

}  // namespace
}  // namespace bb5
