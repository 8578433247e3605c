#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace bb5 {
namespace {

TEST(Uuid, PrintsWhatItParses) {
  const auto id = Uuid::parse("6BA7B810-9dad-11d1-80b4-00c04fd430c8");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->to_string(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}

TEST(Uuid, RefusesEverythingElse) {
  for (const char* text :
       {"", "6ba7b810", "6ba7b810-9dad-11d1-80b4-00c04fd430c",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cx", "6ba7b8109dad-11d1-80b4-00c04fd430c8-",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c}"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, Version5IsTheOneOfTheRfc) {  // RFC 9562, appendix A.4: DNS namespace, www.example.com
  const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(Uuid::v5(*dns, "www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid, RandomOnesDifferAndSayVersion4) {
  const auto one = Uuid::random();
  EXPECT_NE(one, Uuid::random());
  EXPECT_EQ(one.to_string()[14], '4');
}

}  // namespace
}  // namespace bb5
