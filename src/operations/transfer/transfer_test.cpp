#include "operations/transfer/copy.hpp"
#include "operations/transfer/export.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Copy : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(bank_->set_embedder({.model = "test/two", .dimension = 2}), Succeeds());
    const std::vector<Memory> memories = {
        vector_memory("b", {1, 0}), with_metadata(make_memory("a"), R"({"entities":["Redis"]})"),
        with_metadata(make_memory("e"), R"({"is_entity":true,"entity_name":"Redis"})")};
    const std::vector<EntityFact> entities = {make_entity("Lua")};
    const std::vector<RelationshipFact> edges = {make_relationship("Redis", "runs", "Lua")};
    ASSERT_THAT(
        bank_->write({.memories = memories, .entity_facts = entities, .relationship_facts = edges}),
        Succeeds());
    const EmbeddingCache::Entry entries[] = {{std::string(32, 'a'), "test/two", {1, 2}}};
    ASSERT_THAT(bank_->cache_embeddings(entries, nullptr), Succeeds());
    LedgerRun run{.run = {Uuid::random()},
                  .source = "/x",
                  .manifest_sha256 = std::string(32, 'x'),
                  .tool_version = "1",
                  .options = "{}",
                  .started = now(),
                  .files = {{.file = "memories.json", .sha256 = std::string(32, 'y')}}};
    ASSERT_THAT(bank_->begin_run(run), Succeeds());
  }
  std::unique_ptr<Bank> bank_ = new_in_memory_bank();
  std::unique_ptr<Bank> other_ = new_in_memory_bank();
};

TEST_F(Copy, BringsEverythingAlong) {
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), HasValue(3));
  EXPECT_THAT(compare_banks(*bank_, *other_, {}), HasValue(IsEmpty()));
  EXPECT_THAT(*other_->runs(), SizeIs(1));
  EXPECT_EQ(*other_->graph_counts(), *bank_->graph_counts());
}

TEST_F(Copy, BringsDocumentsAlongAndWhatRestsOnThem) {
  const auto retain = [](Bank& bank, const char* source, char digest, std::optional<char> former,
                         std::vector<Memory> memories) {
    DocumentChange change;
    change.document = {.source = source,
                       .digest = std::string(32, digest),
                       .extractor = "rules/1",
                       .retained_at = Timestamp(std::chrono::seconds(digest))};
    for (const Memory& memory : memories) change.document.memories.push_back(memory.id);
    if (former) change.previous_digest = std::string(32, *former);
    EXPECT_THAT(bank.write({.memories = memories, .documents = std::span(&change, 1)}), Succeeds());
  };
  retain(*bank_, "a", '1', {}, {make_memory("tea"), make_memory("rain")});
  retain(*bank_, "b", '2', {}, {make_memory("snow")});
  retain(*bank_, "a", '3', '1', {make_memory("rain")});  // tea is closed
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), Succeeds());
  EXPECT_THAT(compare_banks(*bank_, *other_, {}), HasValue(IsEmpty()));
  EXPECT_EQ(*other_->documents("", 10), *bank_->documents("", 10));
  // The copy goes on as the bank would have done.
  for (Bank* bank : {bank_.get(), other_.get()}) {
    retain(*bank, "b", '4', '2', {make_memory("tea")});
    EXPECT_THAT(*bank->page({.filter = {.valid_at = Timestamp(std::chrono::seconds(100))}}),
                SizeIs(5))
        << "the three of before, rain and tea";
  }
  retain(*other_, "b", '5', '4', {});
  EXPECT_THAT(*compare_banks(*bank_, *other_, {}),
              testing::AllOf(testing::Contains(testing::Field(&Difference::field, "document")),
                             testing::Contains(testing::Field(&Difference::field, "standing"))));
}

TEST_F(Copy, BringsMergesAlongAndComparingNamesTheirLack) {
  const EntityMerge merges[] = {{"technology:lua", "concept:redis", "Lua", "a test", now()},
                                {alias_key("KV"), "concept:redis", "KV", "another", now()}};
  ASSERT_THAT(bank_->merge_entities(merges), Succeeds());
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), Succeeds());
  EXPECT_EQ(*other_->merges(), *bank_->merges());
  EXPECT_EQ(other_->graph_counts()->entities, 1);
  EXPECT_THAT(compare_banks(*bank_, *other_, {}), HasValue(IsEmpty()));
  ASSERT_THAT(other_->split_entity("technology:lua"), HasValue(true));
  EXPECT_THAT(*compare_banks(*bank_, *other_, {}),
              testing::Contains(testing::Field(&Difference::field, "merges")));
}

TEST_F(Copy, BringsWhatIsKeptApartAlongAndComparingNamesItsLack) {
  const KeptApart pairs[] = {*kept_apart("technology:lua", "concept:redis", "a test", now())};
  ASSERT_THAT(bank_->keep_apart(pairs), Succeeds());
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), Succeeds());
  EXPECT_THAT(other_->kept_apart(), HasValue(testing::ElementsAre(pairs[0])));
  EXPECT_THAT(compare_banks(*bank_, *other_, {}), HasValue(IsEmpty()));
  ASSERT_THAT(other_->keep_apart_no_more("technology:lua", "concept:redis"), HasValue(true));
  EXPECT_THAT(*compare_banks(*bank_, *other_, {}),
              testing::Contains(testing::Field(&Difference::field, "kept apart")));
}

TEST_F(Copy, BringsVectorsOfOtherModelsAlongAndComparingNamesTheirLack) {
  const auto collect = [&](const EmbedderInfo& next) {
    std::vector<MadeVector> made;
    for (const Memory& memory : *bank_->lacking(next.model, 0, 10))
      made.push_back(
          {memory.id, content_sha256_of(memory.content), std::vector<float>(next.dimension, 1)});
    ASSERT_THAT(bank_->hold_vectors(next, made), Succeeds());
  };
  collect({"test/three", 3});
  ASSERT_THAT(bank_->change_model({"test/three", 3}), HasValue(0));
  collect({"test/four", 4});
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), HasValue(3));
  EXPECT_THAT(compare_banks(*bank_, *other_, {}), HasValue(IsEmpty()));
  EXPECT_EQ(other_->stats()->other_vectors, bank_->stats()->other_vectors);
  EXPECT_THAT(other_->find("b")->at(0).given->numbers, testing::ElementsAre(1, 0));
  EXPECT_THAT(other_->change_model({"test/four", 4}), HasValue(0));
  ASSERT_THAT(other_->drop_other_vectors(), Succeeds());
  EXPECT_THAT(*compare_banks(*bank_, *other_, {}),
              testing::Contains(testing::Field(&Difference::id, "vectors of other models")));
}

TEST_F(Copy, GoesIntoEmptyBanksOnly) {
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), Succeeds());
  EXPECT_THAT(copy_bank(*bank_, *other_, {}), FailsWith(Errc::conflict));
}

TEST_F(Copy, ComparingNamesWhatDiffers) {
  ASSERT_THAT(copy_bank(*bank_, *other_, {}), Succeeds());
  const std::vector<Memory> changed = {vector_memory("b", {1, 0.5f})};
  ASSERT_THAT(other_->write({.memories = changed, .on_conflict = OnConflict::replace}), Succeeds());
  const auto found = *compare_banks(*bank_, *other_, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].id, "b");
  EXPECT_EQ(found[0].field, "embedding[1]");
  ASSERT_THAT(other_->erase(memory_id_of("\"e\"")), HasValue(true));
  EXPECT_THAT(*compare_banks(*bank_, *other_, {}),
              testing::Contains(testing::Field(&Difference::field, "missing")));
}

TEST_F(Copy, AnEmptyBankExportsAnEmptyArray) {
  std::string bytes;
  ASSERT_THAT(export_legacy(*other_, [&](std::string_view piece) { return bytes += piece, ok(); }),
              HasValue(testing::Field(&ExportReport::memories, 0)));
  EXPECT_EQ(bytes, "[]");
}

}  // namespace
}  // namespace bb5
