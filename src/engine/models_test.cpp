#include "engine/models.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace bb5 {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Sets variables of this process and puts them back.
class Models : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "OPENAI_BASE_URL"})
      unsetenv(name);
  }
  void TearDown() override {
    SetUp();
    unsetenv("BB5_MODEL_DIR");
  }
};

TEST_F(Models, WithoutAServiceAllIsLocal) {
  const auto opened = open_embedder({}, "");
  ASSERT_TRUE(opened);
  ASSERT_TRUE(opened->embedder) << opened->why_none;
  EXPECT_EQ(opened->embedder->info(), (EmbedderInfo{"local/all-MiniLM-L6-v2", 384}));
  const auto extractor = open_extractor("");
  ASSERT_TRUE(extractor);
  EXPECT_THAT((*extractor)->name(), StartsWith("rules/"));
}

TEST_F(Models, AServiceInTheEnvironmentIsTaken) {
  setenv("OPENAI_API_KEY", "key", 1);
  const auto opened = open_embedder({}, "");
  ASSERT_TRUE(opened);
  ASSERT_TRUE(opened->embedder) << opened->why_none;
  EXPECT_EQ(opened->embedder->info(), (EmbedderInfo{"openai/text-embedding-3-small", 1536}));
  const auto extractor = open_extractor("");
  ASSERT_TRUE(extractor);
  EXPECT_THAT((*extractor)->name(), StartsWith("llm/"));
  const auto rules = open_extractor("rules");
  ASSERT_TRUE(rules);
  EXPECT_THAT((*rules)->name(), StartsWith("rules/"));
}

TEST_F(Models, AServiceModelMayBeNamed) {
  setenv("OPENAI_API_KEY", "key", 1);
  const auto opened = open_embedder({}, "openai/text-embedding-3-small@512");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->embedder->info(), (EmbedderInfo{"openai/text-embedding-3-small@512", 512}));
  EXPECT_EQ(open_embedder({}, "openai/x@y").error().code, Errc::invalid_argument);
  const auto extractor = open_extractor("llm/other");
  ASSERT_TRUE(extractor);
  EXPECT_THAT((*extractor)->name(), HasSubstr("other"));
}

TEST_F(Models, ABankWhoseModelIsNotAtHandHasNone) {
  const auto opened = open_embedder({"openai/text-embedding-3-small", 1536}, "");
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->embedder);
  EXPECT_THAT(opened->why_none, HasSubstr("openai/text-embedding-3-small"));
  EXPECT_THAT(opened->why_none, HasSubstr("key"));
  const auto unknown = open_embedder({"acme/vectors", 8}, "");
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(unknown->embedder);
}

TEST_F(Models, AnotherThanTheBanksIsAnErrorWhenNamed) {
  const auto opened = open_embedder({"openai/text-embedding-3-small", 1536}, "local");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::invalid_argument);
  EXPECT_THAT(opened.error().message, HasSubstr("openai/text-embedding-3-small"));
  EXPECT_FALSE(opened.error().remedy.empty());
}

TEST_F(Models, NoneIsWantedOrNotThere) {
  const auto none = open_embedder({}, "none");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->embedder);
  setenv("BB5_MODEL_DIR", "/nonexistent", 1);
  const auto absent = open_embedder({}, "");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->embedder);
  EXPECT_THAT(absent->why_none, HasSubstr("local"));
  EXPECT_EQ(open_embedder({}, "local").error().code, Errc::not_found);
}

TEST_F(Models, WhatThereIsNotIsRefusedByName) {
  EXPECT_EQ(open_embedder({}, "bert").error().code, Errc::invalid_argument);
  EXPECT_EQ(open_extractor("magic").error().code, Errc::invalid_argument);
  EXPECT_EQ(open_extractor("llm").error().code, Errc::refused);
}

}  // namespace
}  // namespace bb5
