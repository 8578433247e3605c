#include "tools/store_generator.hpp"

#include <cmath>
#include <set>

#include "operations/migrate/migration.hpp"
#include "operations/migrate/verification.hpp"
#include "operations/transfer/export.hpp"
#include "sources/blackbox5/blackbox5_source.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5 {
namespace {

using testing::Contains;
using testing::Each;
using testing::Key;
using testing::SizeIs;

struct Migrated {
  MigrationReport report;
  VerificationReport verification;
  std::string exported;
};

Migrated migrate(const std::string& file, const std::string& source_model, Bank& bank) {
  const auto source = open_blackbox5_source(file);
  auto report = run_migration(**source, file, bank, {.source_model = source_model});
  EXPECT_THAT(report, Succeeds());
  auto verification = verify_migration(**source, file, bank, source_model, {});
  EXPECT_THAT(verification, Succeeds());
  std::string exported;
  EXPECT_THAT(export_legacy(bank,
                            [&](std::string_view piece) {
                              exported += piece;
                              return ok();
                            }),
              Succeeds());
  return {std::move(*report), std::move(*verification), std::move(exported)};
}

TEST(StoreGenerator, WhatItWritesComesOutOfABankByteForByteWithoutRawRecords) {
  const TemporaryFolder folder;
  const std::string file = (folder / "memories.json").string();
  const auto store = generate_store_file(
      {.records = 120, .dimension = 96, .entities = 0.2, .relationships = 0.1}, file);
  ASSERT_THAT(store, Succeeds());
  const auto bank = new_in_memory_bank();
  const Migrated migrated = migrate(file, "test/96", *bank);
  EXPECT_EQ(migrated.report.parts.at(LedgerPart::memories).loaded, 120);
  // Its relationships name what it has no record of.
  EXPECT_THAT(migrated.report.issues, Each(Key("endpoint_placeholder")));
  EXPECT_TRUE(migrated.verification.verified());
  EXPECT_EQ(migrated.exported, read_file(file));
  const auto stats = *bank->stats();
  EXPECT_GT(stats.kinds.at(MemoryKind::entity), 10);
  EXPECT_GT(stats.kinds.at(MemoryKind::relationship), 3);
  EXPECT_GT(stats.mentions, 50);
  const auto page = *bank->page({.limit = 1000});
  for (const Memory& memory : page) {
    EXPECT_EQ(memory.raw, std::nullopt) << memory.content;
    EXPECT_EQ(memory.vector_state, VectorState::indexed);
  }
}

TEST(StoreGenerator, DamagedRecordsAreAccountedForAndComeOutAgain) {
  const TemporaryFolder folder;
  const std::string file = (folder / "memories.json").string();
  const auto store =
      generate_store_file({.records = 300, .dimension = 24, .entities = 0.1, .damage = 0.5}, file);
  ASSERT_THAT(store, Succeeds());
  EXPECT_THAT(store->damaged, SizeIs(11));  // every kind of fault
  const auto bank = new_in_memory_bank();
  const Migrated migrated = migrate(file, "test/24", *bank);
  const PartCounts counts = migrated.report.parts.at(LedgerPart::memories);
  EXPECT_TRUE(counts.adds_up());
  EXPECT_EQ(counts.read, 300);
  EXPECT_EQ(counts.quarantined, store->damaged.at("no_content") + store->damaged.at("bad_utf8") +
                                    store->damaged.at("bad_json"));
  EXPECT_TRUE(migrated.verification.verified());
  EXPECT_THAT(migrated.report.issues, Contains(Key("vector_not_finite")));
  EXPECT_THAT(migrated.report.issues, Contains(Key("network_unknown")));
}

TEST(StoreGenerator, EqualSeedsGiveEqualBytesAndOthersDoNot) {
  const auto text = [](std::uint64_t seed) {
    std::string bytes;
    EXPECT_THAT(generate_store({.records = 5, .dimension = 8, .seed = seed},
                               [&](std::string_view piece) {
                                 bytes += piece;
                                 return ok();
                               }),
                Succeeds());
    return bytes;
  };
  EXPECT_EQ(text(7), text(7));
  EXPECT_NE(text(7), text(8));
}

TEST(StoreGenerator, VectorsAreOfUnitLengthAndClustersLieTogether) {
  const StoreGenerator generator({.records = 50, .dimension = 256, .clusters = 2});
  std::set<bool> near;
  std::vector<float> first(256);
  std::vector<float> other(256);
  generator.vector(0, first);
  for (int i = 1; i < 50; ++i) {
    generator.vector(i, other);
    double dot = 0;
    double square = 0;
    for (std::size_t j = 0; j < 256; ++j) {
      dot += static_cast<double>(first[j]) * other[j];
      square += static_cast<double>(other[j]) * other[j];
    }
    EXPECT_NEAR(square, 1, 1e-6);
    EXPECT_TRUE(std::fabs(dot) < 0.3 || dot > 0.4) << dot;
    near.insert(dot > 0.4);
  }
  EXPECT_THAT(near, SizeIs(2));
}

TEST(StoreGenerator, NoIdComesTwice) {
  const StoreGenerator generator(
      {.records = 20'000, .dimension = 0, .entities = 0.3, .relationships = 0.3});
  std::set<MemoryId> ids;
  for (int i = 0; i < 20'000; ++i) ids.insert(generator.memory(i).id);
  EXPECT_THAT(ids, SizeIs(20'000));
}

TEST(StoreGenerator, NoRecordsAreAnEmptyArray) {
  std::string bytes;
  EXPECT_THAT(generate_store({.records = 0},
                             [&](std::string_view piece) {
                               bytes += piece;
                               return ok();
                             }),
              Succeeds());
  EXPECT_EQ(bytes, "[]");
}

}  // namespace
}  // namespace bb5
