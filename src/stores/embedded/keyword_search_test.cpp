#include "stores/embedded/keyword_search.hpp"

#include "stores/embedded/testing/sample_memories.hpp"

namespace bb5::embedded {
namespace {

TEST(KeywordSearch, QuotesEveryWordOnce) {
  const auto expression = [](const char* text) {
    return match_expression(ranking::asked_words(text));
  };
  EXPECT_EQ(expression("NEAR(redis, Redis) OR lua*"), R"(("near" OR "redis" OR "lua"))");
  EXPECT_EQ(expression("--- \" '"), "");
  EXPECT_EQ(expression("What is the cache?"), R"(("cache"))");
  EXPECT_EQ(expression(R"("the pool" -lua -"a b")"),
            R"((("pool") AND "the pool") NOT ("lua" OR "a b"))");
}

class KeywordSearchTest : public testing::Test {
 protected:
  void keep(const std::string& name, const std::string& content) {
    Memory memory;
    memory.legacy_id = name;
    memory.id = memory_id_of('"' + name + '"');
    memory.content = content;
    const std::vector<Memory> batch = {memory};
    ASSERT_THAT(bank_->write({.memories = batch, .on_conflict = OnConflict::replace}), Succeeds());
  }
  std::vector<std::int64_t> found(const std::string& text) {
    std::vector<std::int64_t> seqs;
    const auto result = bank_->keyword(text, 100, {});
    for (const Hit& hit : result->hits) seqs.push_back(hit.seq);
    return seqs;
  }
  TemporaryFolder folder_;
  std::unique_ptr<Bank> bank_ = open_bank(folder_ / "bank.db");
};

TEST_F(KeywordSearchTest, StemsEnglishAndIgnoresAccents) {
  keep("a", "The migrations were running in Zürich");
  EXPECT_THAT(found("migration"), testing::ElementsAre(1));
  EXPECT_THAT(found("run"), testing::ElementsAre(1));
  EXPECT_THAT(found("zurich"), testing::ElementsAre(1));
}

TEST_F(KeywordSearchTest, ForgetsTheTextOfAReplacedMemory) {
  keep("a", "tea at four");
  keep("a", "coffee at five");
  EXPECT_THAT(found("tea"), testing::IsEmpty());
  EXPECT_THAT(found("coffee"), testing::ElementsAre(1));
  EXPECT_THAT(bank_->check(true), HasValue(testing::IsEmpty()));
}

TEST_F(KeywordSearchTest, EqualScoresComeInOrderOfInsertion) {
  for (const char* name : {"c", "a", "b"}) keep(name, "the same words");
  EXPECT_THAT(found("words"), testing::ElementsAre(1, 2, 3));
}

TEST_F(KeywordSearchTest, TakesAWholeDocumentAsQuestion) {
  keep("a", "needle");
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "word" + std::to_string(i) + ' ';
  EXPECT_THAT(found("needle " + text), testing::ElementsAre(1));
}

}  // namespace
}  // namespace bb5::embedded
