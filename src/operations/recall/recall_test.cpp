#include "operations/recall/recall.hpp"

#include "base/digest.hpp"
#include "operations/recall/fusion.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

ArmHits arm(const char* name, std::vector<Hit> hits) {
  return {.arm = name, .hits = std::move(hits)};
}
Hit hit(const char* name, std::int64_t seq, double score) {
  return {memory_id_of(name), seq, score};
}

std::vector<std::int64_t> order(const std::vector<FusedHit>& fused) {
  std::vector<std::int64_t> seqs;
  for (const FusedHit& one : fused) seqs.push_back(one.hit.seq);
  return seqs;
}

TEST(FuseRanks, CountsPlacesOnlyAndBreaksTiesByInsertion) {
  const ArmHits arms[] = {arm("semantic", {hit("b", 2, 9), hit("a", 1, 8)}),
                          arm("keyword", {hit("a", 1, 1), hit("b", 2, 0.1)})};
  EXPECT_THAT(order(fuse_ranks(arms, 60)), ElementsAre(1, 2));
}

class Recall : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(bank_->set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
    std::vector<Memory> memories = {vector_memory("tea at four", {1, 0}),
                                    vector_memory("coffee at nine", {0.9f, 0.1f}),
                                    vector_memory("rain", {0, 1})};
    memories[2].network = "world";
    ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  }
  std::vector<std::string> ids(const RecallAnswer& answer) {
    std::vector<std::string> found;
    for (const auto& result : answer.results) found.push_back(result.memory.legacy_id);
    return found;
  }
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
};

// As the old system did: entities and relationships compete with real memories.
TEST_F(Recall, LeavesPseudoMemoriesOutOnlyWhenAskedTo) {
  std::vector<Memory> more;
  for (int i = 0; i < 150; ++i) {
    more.push_back(with_metadata(vector_memory("tea " + std::to_string(i), {1, 0}),
                                 R"({"is_entity":true,"entity_name":"tea"})"));
  }
  ASSERT_THAT(bank_->write({.memories = more}), Succeeds());
  RecallQuery query{.text = "tea", .embedding = {1, 0.001f}, .limit = 3};
  const auto all = recall(*bank_, query);
  ASSERT_THAT(all, Succeeds());
  EXPECT_THAT(ids(*all), ElementsAre("tea at four", "tea 0", "tea 1"));
  query.filter.kinds = {MemoryKind::memory};
  const auto proper = recall(*bank_, query);
  ASSERT_THAT(proper, Succeeds());
  EXPECT_THAT(ids(*proper), ElementsAre("tea at four", "coffee at nine", "rain"));
}

TEST_F(Recall, AddsUpWordsAndMeaning) {
  const auto answer = recall(*bank_, {.text = "four, nine", .embedding = {0.9f, 0.1f}});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(ids(*answer), ElementsAre("coffee at nine", "tea at four", "rain"));
  const RecalledMemory& first = answer->results[0];
  EXPECT_EQ(first.rank, 1u);
  ASSERT_THAT(first.signals, SizeIs(2));
  EXPECT_EQ(first.signals[1].signal, "meaning");
  EXPECT_NEAR(*first.signals[1].raw, 1, 1e-6);
  EXPECT_NEAR(first.signals[0].share + first.signals[1].share, first.score, 1e-12);
  EXPECT_NEAR(first.strategy_scores.at("semantic"), 1, 1e-6);
  EXPECT_GT(first.strategy_scores.at("keyword"), 0);
  EXPECT_EQ(answer->receipt.fusion, "weighted");
  EXPECT_EQ(answer->receipt.ranking->candidates, 3U);
  EXPECT_EQ(answer->receipt.ranking->context, 0U);
  EXPECT_THAT(answer->receipt.arms, SizeIs(2));
  EXPECT_THAT(answer->receipt.short_of, HasSubstr("semantic: 3 of 3 match"));
}

TEST_F(Recall, OneArmAloneKeepsItsOrderAndScores) {
  for (const char* arm : {"semantic", "keyword"}) {
    const auto answer = recall(*bank_, {.text = "nine", .embedding = {1, 0}, .strategies = {arm}});
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->receipt.fusion, arm);
    EXPECT_FALSE(answer->receipt.ranking);
    for (const auto& result : answer->results)
      EXPECT_EQ(result.score, result.strategy_scores.at(arm));
  }
  const auto vector_only = recall(*bank_, {.text = "", .embedding = {1, 0}});
  EXPECT_EQ(vector_only->receipt.fusion, "semantic");
  EXPECT_THAT(vector_only->receipt.arms[1].why, HasSubstr("no words"));
  EXPECT_THAT(ids(*vector_only), ElementsAre("tea at four", "coffee at nine", "rain"));
}

TEST_F(Recall, CanJoinTheArmsByRanks) {
  const auto answer =
      recall(*bank_, {.text = "nine", .embedding = {1, 0}, .reciprocal_ranks = true});
  EXPECT_EQ(answer->receipt.fusion, "rrf");
  EXPECT_THAT(ids(*answer), ElementsAre("coffee at nine", "tea at four", "rain"));
  EXPECT_NEAR(answer->results[0].score, 1 / 61.0 + 1 / 62.0, 1e-12);
}

/// An answer that shares no word with its question, but stands behind one that does.
TEST_F(Recall, FindsTheTurnBesideTheOneThatIsFound) {
  std::vector<Memory> talk;
  const char* said[] = {"Ann: Good morning!", "Bob: Where did you buy that teapot?",
                        "Ann: In a small shop near the harbour.", "Bob: Lovely."};
  for (int i = 0; i < 4; ++i) {
    talk.push_back(make_memory(said[i]));
    talk.back().author = i % 2 == 0 ? "Ann" : "Bob";
    talk.back().thread = "t";
    talk.back().position = i;
    talk.back().network = i == 3 ? "opinion" : "observation";
  }
  ASSERT_THAT(bank_->write({.memories = talk}), Succeeds());
  const auto found = ids(*recall(*bank_, {.text = "Where did Ann buy the teapot?", .limit = 1}));
  EXPECT_THAT(found, ElementsAre(said[2]));
  const auto filtered =
      recall(*bank_, {.text = "teapot", .filter = {.networks = {"observation"}}, .limit = 9});
  EXPECT_THAT(ids(*filtered), UnorderedElementsAre(said[0], said[1], said[2]))
      << "a neighbour must pass the filter too";
  EXPECT_EQ(filtered->receipt.ranking->context, 1U);
}

TEST_F(Recall, HonoursPhrasesAndWordsThatMustNotBeThereInAllArms) {
  EXPECT_THAT(ids(*recall(*bank_, {.text = "\"at nine\"", .embedding = {1, 0}})),
              ElementsAre("coffee at nine"));
  EXPECT_THAT(ids(*recall(*bank_, {.text = "four -tea", .embedding = {1, 0}})),
              ElementsAre("coffee at nine", "rain"));
  EXPECT_THAT(
      ids(*recall(*bank_,
                  {.text = "four -tea -rain", .embedding = {1, 0}, .reciprocal_ranks = true})),
      ElementsAre("coffee at nine"));
  EXPECT_THAT(
      ids(*recall(*bank_, {.text = "four -tea", .embedding = {1, 0}, .strategies = {"semantic"}})),
      SizeIs(3))
      << "by its meaning alone a question is taken as it stands";
}

/// The pages of an answer are those of one ranking.
TEST_F(Recall, PagesFitTogether) {
  std::vector<Memory> more;
  for (int i = 0; i < 300; ++i) {
    more.push_back(vector_memory("tea " + std::to_string(i), {1, static_cast<float>(i % 37) / 50}));
    more.back().content += i % 3 == 0 ? " at four" : " somewhere else";
  }
  ASSERT_THAT(bank_->write({.memories = more}), Succeeds());
  RecallQuery query{.text = "tea four", .embedding = {1, 0.2f}, .limit = 90};
  const auto whole = ids(*recall(*bank_, query));
  std::vector<std::string> pages;
  query.limit = 30;
  for (query.offset = 0; query.offset < 90; query.offset += 30) {
    for (auto& id : ids(*recall(*bank_, query))) pages.push_back(id);
  }
  EXPECT_EQ(pages, whole);
  query.offset = 0;
  query.limit = 1000;
  EXPECT_THAT(ids(*recall(*bank_, query)), SizeIs(303)) << "all that there are";
}

TEST_F(Recall, SaysWhyTheSemanticArmIsSkippedAndAnswersByWords) {
  const auto answer = recall(*bank_, {.text = "rain", .limit = 1});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(ids(*answer), ElementsAre("rain"));
  EXPECT_FALSE(answer->receipt.arms[0].ran);
  EXPECT_THAT(answer->receipt.arms[0].why, HasSubstr("no embedder for test/two"));
  EXPECT_EQ(answer->receipt.short_of, "");
}

TEST_F(Recall, FindsTheQuestionsVectorInTheCache) {
  const EmbeddingCache::Entry entries[] = {{to_hex(md5("weather")), "test/two", {0, 1}}};
  ASSERT_THAT(bank_->cache_embeddings(entries, nullptr), Succeeds());
  EXPECT_THAT(ids(*recall(*bank_, {.text = "weather", .limit = 1})), ElementsAre("rain"));
}

/// Counts what it is asked.
class CountingEmbedder final : public Embedder {
 public:
  EmbedderInfo info() const override { return {"test/two", 2}; }
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    asked += texts.size();
    if (meanwhile) meanwhile();
    return std::vector<std::vector<float>>(texts.size(), {0, 1});
  }
  std::size_t asked = 0;
  std::function<void()> meanwhile;
};

/// As the old system's cache may hold it.
TEST_F(Recall, AsksTheEmbedderWhereTheCachedVectorHasNoDirection) {
  const EmbeddingCache::Entry entries[] = {{to_hex(md5("weather")), "test/two", {0, 0}}};
  ASSERT_THAT(bank_->cache_embeddings(entries, nullptr), Succeeds());
  CountingEmbedder embedder;
  EXPECT_THAT(ids(*recall(*bank_, {.text = "weather", .limit = 1}, {.embedder = &embedder})),
              ElementsAre("rain"));
  EXPECT_EQ(embedder.asked, 1U);
  const auto answer = recall(*bank_, {.text = "weather", .limit = 1});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->receipt.arms[0].why, HasSubstr("no embedder for test/two"));
}

TEST_F(Recall, SaysSoWhenTheBankChangesItsModelWhileItIsAsked) {
  CountingEmbedder embedder;
  embedder.meanwhile = [&] {
    const EmbedderInfo next{"test/other-two", 2};
    std::vector<MadeVector> made;
    for (const Memory& memory : *bank_->lacking(next.model, 0, 100))
      made.push_back({memory.id, content_sha256_of(memory.content), {0, 1}});
    ASSERT_THAT(bank_->hold_vectors(next, made), Succeeds());
    ASSERT_THAT(bank_->change_model(next), HasValue(0));
  };
  const auto answer = recall(*bank_, {.text = "tea", .limit = 1}, {.embedder = &embedder});
  EXPECT_THAT(ids(*answer), ElementsAre("tea at four")) << "by its words";
  EXPECT_FALSE(answer->receipt.arms[0].ran);
  EXPECT_THAT(answer->receipt.arms[0].why, HasSubstr("test/other-two"));
}

TEST_F(Recall, KeepsTheVectorsOfQuestionsWhereACacheIsGiven) {
  CountingEmbedder embedder;
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(ids(*recall(*bank_, {.text = "weather", .limit = 1}, {.embedder = &embedder})),
                ElementsAre("rain"));
  EXPECT_EQ(embedder.asked, 2U);
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(ids(*recall(*bank_, {.text = "weather", .limit = 1},
                            {.embedder = &embedder, .cache = bank_.get()})),
                ElementsAre("rain"));
  EXPECT_EQ(embedder.asked, 3U);
  EXPECT_THAT(bank_->cached_embeddings("", "", 9), HasValue(IsEmpty())) << "they are no record";
}

TEST_F(Recall, PagesAndFilters) {
  EXPECT_THAT(
      ids(*recall(
          *bank_,
          {.text = "x", .embedding = {1, 0}, .strategies = {"semantic"}, .limit = 1, .offset = 1})),
      ElementsAre("coffee at nine"));
  EXPECT_THAT(
      ids(*recall(*bank_, {.text = "x", .embedding = {1, 0}, .filter = {.networks = {"world"}}})),
      ElementsAre("rain"));
  EXPECT_THAT(ids(*recall(*bank_, {.text = "x", .embedding = {1, 0}, .offset = 99})), IsEmpty());
}

TEST_F(Recall, FindsWhatIsValidNowOrAtTheMomentAskedAboutOrAtAll) {
  const Timestamp today = now();
  Memory over = vector_memory("tea at three", {1, 0.01f});
  over.valid_until = today - std::chrono::hours(1);
  Memory coming = vector_memory("tea at five", {1, 0.02f});
  coming.valid_from = today + std::chrono::hours(1);
  const std::vector<Memory> memories = {over, coming};
  ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  RecallQuery query{.text = "tea", .embedding = {1, 0}, .limit = 2};
  const auto then = recall(*bank_, query);
  ASSERT_THAT(then, Succeeds());
  EXPECT_THAT(ids(*then), ElementsAre("tea at four", "coffee at nine"));
  EXPECT_GE(then->receipt.valid_at, today);
  query.as_of = today - std::chrono::hours(2);
  EXPECT_THAT(ids(*recall(*bank_, query)), ElementsAre("tea at four", "tea at three"));
  EXPECT_EQ(recall(*bank_, query)->receipt.valid_at, query.as_of);
  query.as_of = today + std::chrono::hours(2);
  EXPECT_THAT(ids(*recall(*bank_, query)), ElementsAre("tea at four", "tea at five"));
  query.all_times = true;
  query.limit = 3;
  EXPECT_THAT(ids(*recall(*bank_, query)),
              ElementsAre("tea at four", "tea at three", "tea at five"));
  EXPECT_EQ(recall(*bank_, query)->receipt.valid_at, std::nullopt);
}

TEST_F(Recall, AnEntityIsAskedForByAnyOfItsNames) {
  const std::vector<Memory> memories = {
      with_metadata(make_memory("tea in a database"), R"({"entities":["Postgres"]})"),
      with_metadata(make_memory("tea elsewhere"), R"({"entities":["PostgreSQL"]})"),
      with_metadata(make_memory("tea in memory"), R"({"entities":["Redis"]})")};
  const std::vector<EntityFact> facts = {make_entity("PostgreSQL"), make_entity("Postgres")};
  ASSERT_THAT(bank_->write({.memories = memories, .entity_facts = facts}), Succeeds());
  const auto about = [&](const char* name) {
    return ids(*recall(*bank_, {.text = "tea", .filter = {.entities = {name}}}));
  };
  EXPECT_THAT(about("postgresql"), ElementsAre("tea elsewhere"));
  const EntityMerge merge{.from_key = entity_key("Postgres", "technology"),
                          .into_key = entity_key("PostgreSQL", "technology"),
                          .name = "Postgres",
                          .reason = "said so"};
  ASSERT_THAT(bank_->merge_entities(std::span(&merge, 1)), Succeeds());
  for (const char* name : {"postgresql", "Postgres"})
    EXPECT_THAT(about(name), UnorderedElementsAre("tea in a database", "tea elsewhere"));
}

TEST_F(Recall, TellsWhatABudgetOfTokensLeftOut) {
  RecallQuery query{.text = "x", .embedding = {1, 0}, .strategies = {"semantic"}, .limit = 3};
  query.tokens = 7;  // "tea at four" is 3, "coffee at nine" 4, "rain" 1
  const auto cut = recall(*bank_, query);
  ASSERT_THAT(cut, Succeeds());
  EXPECT_THAT(ids(*cut), ElementsAre("tea at four", "coffee at nine"));
  EXPECT_EQ(cut->receipt.tokens->used, 7U);
  EXPECT_EQ(cut->receipt.returned, 2U);
  EXPECT_EQ(cut->receipt.short_of, "the budget of tokens (7) holds 2 of 3, the next takes 1");
  query.tokens = 2;
  EXPECT_EQ(recall(*bank_, query)->receipt.short_of,
            "the budget of tokens (2) holds 0 of 3, the next takes 3");
  query.limit = 5;
  EXPECT_EQ(recall(*bank_, query)->receipt.short_of,
            "the budget of tokens (2) holds 0 of 3, the next takes 3; semantic: 3 of 3 match");
  query.tokens = 8;
  query.limit = 3;
  const auto whole = recall(*bank_, query);
  EXPECT_THAT(ids(*whole), SizeIs(3));
  EXPECT_EQ(whole->receipt.short_of, "");
  query.tokens.reset();
  EXPECT_EQ(recall(*bank_, query)->receipt.tokens.has_value(), false);
}

TEST_F(Recall, RefusesWhatMakesNoSense) {
  EXPECT_THAT(recall(*bank_, {.text = "x", .tokens = 0}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "x", .filter = {.min_confidence = 2}}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "  "}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "x", .limit = 0}), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "x", .limit = 1'000'000'000}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "x", .strategies = {"magic"}}),
              FailsWith(Errc::invalid_argument));
  EXPECT_THAT(recall(*bank_, {.text = "x", .embedding = {1, 2, 3}}),
              FailsWith(Errc::invalid_argument));
}

}  // namespace
}  // namespace bb5
