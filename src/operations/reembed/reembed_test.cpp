#include "operations/reembed/reembed.hpp"

#include <algorithm>

#include "base/digest.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Vectors by the length of a text; may fail, and may do something in the middle.
class LengthEmbedder final : public Embedder {
 public:
  EmbedderInfo info() const override { return {"test/length", 2}; }
  Result<std::vector<std::vector<float>>> embed(std::span<const std::string_view> texts) override {
    asked += texts.size();
    if (before) before();
    if (asked > fails_after) return Error{Errc::unavailable, "the service is away"};
    std::vector<std::vector<float>> vectors;
    for (const std::string_view text : texts)
      vectors.push_back({1, static_cast<float>(text.size())});
    return vectors;
  }
  std::size_t asked = 0;
  std::size_t fails_after = 1000;
  std::function<void()> before;
};

class EmbedMissing : public testing::Test {
 protected:
  void write(std::vector<Memory> memories, OnConflict on_conflict = OnConflict::keep) {
    EXPECT_THAT(bank->write({.memories = memories, .on_conflict = on_conflict}), Succeeds());
  }
  std::vector<Memory> waiting() { return *bank->page({.without_vector = true}); }
  std::vector<float> vector_of(const std::string& name) {
    return bank->find(name)->at(0).embedding;
  }
  std::unique_ptr<Bank> bank = new_in_memory_bank();
  LengthEmbedder embedder;
};

TEST_F(EmbedMissing, FillsMemoriesOfEveryStateAndRecordsTheEmbedder) {
  Memory noise = make_memory("noise");
  noise.vector_state = VectorState::fallback;
  noise.raw = RawRecord{.text = "{}"};
  write({make_memory("one"), noise,
         with_metadata(make_memory("entity"), R"({"is_entity":true,"entity_name":"Redis"})")});
  const auto report = embed_missing(*bank, embedder, {.batch = 1});
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->waiting, 2);
  EXPECT_EQ(report->embedded, 2);
  EXPECT_EQ(report->passed_over, 0);
  EXPECT_EQ(*bank->embedder(), embedder.info());
  EXPECT_THAT(vector_of("noise"), ElementsAre(1, 5));
  ASSERT_THAT(waiting(), SizeIs(1));
  EXPECT_EQ(waiting()[0].legacy_id, "entity");
  EXPECT_EQ(embed_missing(*bank, embedder)->waiting, 0);
}

TEST_F(EmbedMissing, KeepsWhatIsDoneWhenTheEmbedderFails) {
  write({make_memory("a"), make_memory("b"), make_memory("c")});
  embedder.fails_after = 2;
  EXPECT_THAT(embed_missing(*bank, embedder, {.batch = 1}), FailsWith(Errc::unavailable));
  EXPECT_THAT(waiting(), SizeIs(1));
  embedder.fails_after = 1000;
  EXPECT_EQ(embed_missing(*bank, embedder)->embedded, 1);
  EXPECT_THAT(waiting(), IsEmpty());
}

TEST_F(EmbedMissing, LeavesAMemoryThatChangesMeanwhileForTheNextPass) {
  write({make_memory("a", "before"), make_memory("b")});
  embedder.before = [&] { write({make_memory("a", "afterwards")}, OnConflict::replace); };
  const auto report = embed_missing(*bank, embedder);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->embedded, 1);
  EXPECT_EQ(report->passed_over, 1);
  EXPECT_THAT(vector_of("a"), IsEmpty());
  embedder.before = {};
  EXPECT_EQ(embed_missing(*bank, embedder)->embedded, 1);
  EXPECT_THAT(vector_of("a"), ElementsAre(1, 10));
}

TEST_F(EmbedMissing, StopsWhenItIsTold) {
  write({make_memory("a"), make_memory("b")});
  std::int64_t told = 0;
  const auto report =
      embed_missing(*bank, embedder, {.batch = 1, .progress = [&](const auto& progress) {
                                        told = progress.total;
                                        return false;
                                      }});
  ASSERT_THAT(report, Succeeds());
  EXPECT_TRUE(report->stopped);
  EXPECT_EQ(told, 2);
  EXPECT_THAT(waiting(), SizeIs(1));
}

TEST_F(EmbedMissing, TakesVectorsOfTheModelThatTheBankHasSeen) {
  write({make_memory("a"), make_memory("b")});
  const std::vector<EmbeddingCache::Entry> seen = {{to_hex(md5("a")), "test/length", {3, 4}},
                                                   {to_hex(md5("b")), "test/length", {3, 4, 5}}};
  ASSERT_THAT(bank->cache_embeddings(seen, nullptr), Succeeds());
  const auto report = embed_missing(*bank, embedder);
  ASSERT_THAT(report, Succeeds());
  EXPECT_EQ(report->from_cache, 1);
  EXPECT_EQ(embedder.asked, 1U);
  EXPECT_THAT(vector_of("a"), ElementsAre(3, 4));
  EXPECT_THAT(vector_of("b"), ElementsAre(1, 1));
}

TEST_F(EmbedMissing, RefusesABankOfAnotherEmbedder) {
  ASSERT_THAT(bank->set_embedder({"test/other", 2}), Succeeds());
  write({make_memory("a")});
  EXPECT_THAT(embed_missing(*bank, embedder), FailsWith(Errc::conflict));
  EXPECT_THAT(waiting(), SizeIs(1));
}

}  // namespace
}  // namespace bb5
