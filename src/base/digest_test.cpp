#include "base/digest.hpp"

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(Digest, AgreesWithThePublishedVectors) {  // RFC 1321 A.5, FIPS 180-4 examples
  EXPECT_EQ(to_hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(to_hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Stream, PiecesGiveTheDigestOfTheWholeAndItStartsAnew) {
  Sha256Stream stream;
  for (int round = 0; round < 2; ++round) {
    stream.add("a");
    stream.add("bc");
    EXPECT_EQ(stream.finish(), sha256("abc"));
  }
}

TEST(Sha256Stream, FieldsCannotRunIntoEachOther) {
  Sha256Stream left;
  left.add_field('x', "ab");
  left.add_field('x', "c");
  Sha256Stream right;
  right.add_field('x', "a");
  right.add_field('x', "bc");
  EXPECT_NE(left.finish(), right.finish());
}

}  // namespace
}  // namespace bb5
