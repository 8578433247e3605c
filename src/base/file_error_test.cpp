#include "base/file_error.hpp"

#include <cerrno>

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(FileError, SaysWhatCouldNotBeDoneToWhichFileAndWhy) {
  EXPECT_EQ(file_error("read", "/a/memories.json", ENOENT).message,
            "cannot read /a/memories.json: No such file or directory");
}

TEST(FileError, SortsTheSystemsNumbersIntoCodesACallerCanActOn) {
  for (const int number : {ENOSPC, EDQUOT, EFBIG})
    EXPECT_EQ(file_error("write", "x", number).code, Errc::out_of_space) << number;
  for (const int number : {EACCES, EPERM, EROFS})
    EXPECT_EQ(file_error("write", "x", number).code, Errc::refused) << number;
  for (const int number : {EISDIR, ENOTDIR, ENAMETOOLONG, ELOOP})
    EXPECT_EQ(file_error("write", "x", number).code, Errc::invalid_argument) << number;
  EXPECT_EQ(file_error("read", "x", ENOENT).code, Errc::not_found);
  EXPECT_EQ(file_error("read", "x", EIO).code, Errc::unavailable);
}

}  // namespace
}  // namespace bb5
