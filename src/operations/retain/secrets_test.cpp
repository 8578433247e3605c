#include "operations/retain/secrets.hpp"

#include <gmock/gmock.h>

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::Pair;

// Put together here, so that no scanner takes this file for a leak.
const std::string letters = "abcDEF123456ghiJKL789012mnoPQR345678";
const std::string github = "gh" + ("p_" + letters);
const std::string openai = "sk" + ("-proj-" + letters);

std::string masked(std::string_view text) {
  const MaskedText once = mask_secrets(text);
  EXPECT_EQ(mask_secrets(once.text).text, once.text) << "what was masked has no secrets left";
  EXPECT_TRUE(mask_secrets(once.text).found.empty()) << once.text;
  return once.text;
}

TEST(Secrets, KeysOfAKnownShapeAreMaskedWhereverTheyStand) {
  EXPECT_EQ(masked("use " + github + ", please"), "use [secret: github token], please");
  EXPECT_EQ(masked("`" + openai + "`"), "`[secret: openai key]`");
  EXPECT_EQ(masked("AKIA" + std::string("ABCDEFGHIJKLMNOP")), "[secret: aws key]");
  EXPECT_EQ(masked("https://h/?k=AIza" + letters), "https://h/?k=[secret: google key]");
}

TEST(Secrets, EachIsCounted) {
  EXPECT_THAT(mask_secrets(github + " " + github + " password=hunter22x").found,
              ElementsAre(Pair("github token", 2), Pair("password", 1)));
}

TEST(Secrets, PrivateKeysGoWithAllTheirLines) {
  const std::string key =
      std::string("-----BEGIN RSA ") + "PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
  EXPECT_EQ(masked("a\n" + key + "\nb"), "a\n[secret: private key]\nb");
  EXPECT_EQ(masked("a\n" + key.substr(0, 45)), "a\n[secret: private key]");
  EXPECT_EQ(masked("-----BEGIN CERTIFICATE-----\nMIIE"), "-----BEGIN CERTIFICATE-----\nMIIE");
}

TEST(Secrets, TokensInHeadersAndUrls) {
  EXPECT_EQ(masked("Authorization: Bearer abcdefgh12345678.x"),
            "Authorization: Bearer [secret: bearer token]");
  EXPECT_EQ(masked("postgresql://ann:s3cr3t@db:5432/x"),
            "postgresql://ann:[secret: password]@db:5432/x");
  EXPECT_EQ(masked("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl"), "[secret: web token]");
}

TEST(Secrets, ValuesOfTellingNamesAreMasked) {
  EXPECT_EQ(masked("DB_PASSWORD=hunter2-x9"), "DB_PASSWORD=[secret: password]");
  EXPECT_EQ(masked("\"api_key\": \"abcdefgh\","), "\"api_key\": \"[secret: api key]\",");
  EXPECT_EQ(masked("**Password:** hunter2x9."), "**Password:** [secret: password].");
  EXPECT_EQ(masked("client-secret: 'correct-horse'"), "client-secret: '[secret: secret]'");
}

TEST(Secrets, OrdinaryTextStaysAsItIs) {
  for (const char* text :
       {"", "The token bucket: each request takes a token.", "Password: required",
        "token = request.headers", "password: ${DB_PASSWORD}", "api_key=<your key>",
        "API_KEY=your-key-1234", "secret: ***", "PGPASSWORD is read", "sk-learn and sk-short",
        "postgresql://ann@db/x", "postgresql://ann:${PASSWORD}@db/x", "https://h:8080/a@b",
        "eyJ is how tokens begin", "The password = of the user was changed in 2024",
        "naïve – “token: 5”"})
    EXPECT_EQ(masked(text), text);
}

TEST(Secrets, TimeGrowsWithTheTextOnly) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "token ://a:b";
  EXPECT_EQ(mask_secrets(text).found.size(), 0U);
  EXPECT_EQ(mask_secrets(std::string(2'000'000, 'a')).text.size(), 2'000'000U);
  EXPECT_EQ(mask_secrets(std::string(2'000'000, '-')).text.size(), 2'000'000U);
}

}  // namespace
}  // namespace bb5
