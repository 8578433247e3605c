#include "stores/postgres/failure.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5::postgres {
namespace {

Errc code_of(const std::string& sqlstate) {
  return to_error({.sqlstate = sqlstate, .message = "said"}, "test").code;
}

TEST(PostgresFailure, EachSqlstateHasItsMeaning) {
  EXPECT_EQ(code_of("28P01"), Errc::refused);
  EXPECT_EQ(code_of("28000"), Errc::refused);
  EXPECT_EQ(code_of("42501"), Errc::refused);
  EXPECT_EQ(code_of("3D000"), Errc::not_found);
  EXPECT_EQ(code_of("53100"), Errc::out_of_space);
  EXPECT_EQ(code_of("53300"), Errc::unavailable);
  EXPECT_EQ(code_of("57P03"), Errc::unavailable);
  EXPECT_EQ(code_of("08006"), Errc::unavailable);
  EXPECT_EQ(code_of("40001"), Errc::unavailable);
  EXPECT_EQ(code_of("40P01"), Errc::unavailable);
  EXPECT_EQ(code_of("25006"), Errc::unavailable);
  EXPECT_EQ(code_of("55P03"), Errc::locked);
  EXPECT_EQ(code_of("23505"), Errc::conflict);
  EXPECT_EQ(code_of("42P07"), Errc::conflict);
  EXPECT_EQ(code_of("22P02"), Errc::invalid_argument);
  EXPECT_EQ(code_of("54000"), Errc::invalid_argument);
  EXPECT_EQ(code_of("0A000"), Errc::unsupported);
  EXPECT_EQ(code_of("XX001"), Errc::corrupt);
  EXPECT_EQ(code_of("42P01"), Errc::corrupt);
  EXPECT_EQ(code_of("XX000"), Errc::internal);
  EXPECT_EQ(code_of(""), Errc::unavailable);
}

TEST(PostgresFailure, OnlyWhatMayGoNextTimeIsRetryable) {
  EXPECT_TRUE(to_error({.message = "gone", .connection_lost = true}, "test").retryable());
  EXPECT_TRUE(to_error({.deadline_passed = true}, "test").retryable());
  EXPECT_FALSE(to_error({.sqlstate = "28P01"}, "test").retryable());
  EXPECT_FALSE(to_error({.sqlstate = "53100"}, "test").retryable());
}

TEST(PostgresFailure, TheServersWordsAreInTheDetailAlone) {
  const Error error =
      to_error({.sqlstate = "22P02", .message = "invalid input", .detail = "a detail"}, "write");
  EXPECT_EQ(error.message.find("invalid input"), std::string::npos);
  EXPECT_EQ(error.detail, "22P02: invalid input (a detail)");
}

}  // namespace
}  // namespace bb5::postgres
