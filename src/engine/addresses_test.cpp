#include "engine/addresses.hpp"

#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

TEST(Addresses, TakeEveryKindOfStoreAndGraph) {
  for (const char* store :
       {"embedded:a.db", "postgresql://u@h:5432/d", "postgres://h/d", "memory:"}) {
    EXPECT_THAT(check_addresses({.store = store}), Succeeds()) << store;
  }
  for (const char* graph :
       {"", "none", "neo4j+http://neo4j@localhost:7474/neo4j", "neo4j+https://h/d"}) {
    EXPECT_THAT(check_addresses({.store = "memory:", .graph = graph}), Succeeds()) << graph;
  }
}

TEST(Addresses, RefuseOthersAndSayWhatIsAllowed) {
  for (const char* store : {"", "a.db", "embedded:", "mysql://h/d", "sqlite:a.db"}) {
    const auto result = check_addresses({.store = store});
    ASSERT_THAT(result, FailsWith(Errc::invalid_argument)) << store;
    EXPECT_THAT(result.error().remedy, testing::HasSubstr("embedded:PATH"));
  }
  EXPECT_THAT(check_addresses({.store = "memory:", .graph = "bolt://h"}),
              FailsWith(Errc::invalid_argument));
  for (const char* bank :
       {"", "Bank", "a-b", "a b", "../x", "x123456789012345678901234567890123456789012"}) {
    EXPECT_THAT(check_addresses({.store = "memory:", .bank = bank}),
                FailsWith(Errc::invalid_argument))
        << bank;
  }
}

TEST(Addresses, PasswordsStayOffTheCommandLineAndOutOfWhatIsShown) {
  for (const char* url :
       {"postgresql://u:secret@h/d", "postgresql://h/d?password=secret",
        "postgresql://h/d?a=b&password=secret&c=d",
        // Found by a fuzzer: only the first of several was hidden, and libpq takes the last.
        "postgresql://h/d?password=x&b=c&password=secret", "neo4j+http://u:secret@h:7474/d"}) {
    EXPECT_THAT(refuse_password_in(url), FailsWith(Errc::invalid_argument)) << url;
    EXPECT_THAT(without_password(url), testing::Not(testing::HasSubstr("secret"))) << url;
  }
  for (const char* url : {"postgresql://u@h:5432/d", "embedded:a:b@c.db", "neo4j+http://u@h:7474/d",
                          "postgresql:///d"}) {
    EXPECT_THAT(refuse_password_in(url), Succeeds()) << url;
    EXPECT_EQ(without_password(url), url);
  }
}

}  // namespace
}  // namespace bb5
