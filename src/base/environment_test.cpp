#include "base/environment.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(Environment, AVariableThatIsUnsetOrSetToNothingIsEmpty) {
  // NOLINTBEGIN(concurrency-mt-unsafe): a test's process has one thread
  ASSERT_EQ(setenv("BB5_ENVIRONMENT_TEST", "tea", 1), 0);
  EXPECT_EQ(environment("BB5_ENVIRONMENT_TEST"), "tea");
  ASSERT_EQ(setenv("BB5_ENVIRONMENT_TEST", "", 1), 0);
  EXPECT_EQ(environment("BB5_ENVIRONMENT_TEST"), "");
  ASSERT_EQ(unsetenv("BB5_ENVIRONMENT_TEST"), 0);
  EXPECT_EQ(environment("BB5_ENVIRONMENT_TEST"), "");
  // NOLINTEND(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace bb5
