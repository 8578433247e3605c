#include "tests/contract/bank_contract.hpp"

namespace bb5 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

LedgerRun make_run(const std::string& source = "/somewhere") {
  LedgerRun run;
  run.run = {Uuid::random()};
  run.source = source;
  run.manifest_sha256 = std::string(32, '\x07');
  run.tool_version = "0.1.0";
  run.options = "{}";
  run.started = *parse_time("2026-02-04T01:02:03");
  run.files = {{.file = "memories.json",
                .part = LedgerPart::memories,
                .sha256 = std::string(32, '\xFF'),
                .bytes = 123,
                .records = -1},
               {.file = "entities.json",
                .part = LedgerPart::entities,
                .sha256 = std::string(32, '\0'),
                .bytes = 2,
                .records = -1}};
  return run;
}

LedgerBatch make_batch(const LedgerRun& run, std::int64_t number, std::int64_t records) {
  LedgerBatch batch;
  batch.run = run.run;
  batch.file = "memories.json";
  batch.batch_no = number;
  batch.first_ordinal = number * 10;
  batch.records = records;
  batch.byte_from = 5;
  batch.byte_to = 95;
  batch.content_digest = std::string(32, '\x01');
  return batch;
}

TEST_P(BankContract, TheLedgerRowComesWithItsRecordsAndCountsThem) {
  const LedgerRun run = make_run();
  ASSERT_THAT(bank().begin_run(run), Succeeds());
  must_write({make_memory("same"), make_memory("other", "held")});

  LedgerBatch batch = make_batch(run, 0, 5);
  batch.identical = 1;  // a record that repeats an earlier one of the run
  batch.quarantined = 1;
  batch.issues = {{.kind = LedgerIssue::Kind::quarantined,
                   .ordinal = 3,
                   .byte_from = 70,
                   .code = "not_an_object",
                   .message = "a number",
                   .raw = std::string("\xFF\0x", 3)},
                  {.kind = LedgerIssue::Kind::warning,
                   .ordinal = 0,
                   .byte_from = 5,
                   .pointer = "/metadata/confidence",
                   .code = "confidence_unusable",
                   .message = "NaN"}};
  batch.places = {{0, 5}, {1, 20}, {2, 40}};
  const std::vector<Memory> memories = {make_memory("new"), make_memory("same"),
                                        make_memory("other", "given")};
  ASSERT_THAT(bank().write({.memories = memories, .ledger = &batch}), Succeeds());

  const auto batches = *bank().batches(run.run);
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].loaded, 1);
  EXPECT_EQ(batches[0].identical, 2);
  EXPECT_EQ(batches[0].rejected, 1);
  EXPECT_EQ(batches[0].quarantined, 1);
  EXPECT_EQ(batches[0].content_digest, batch.content_digest);
  EXPECT_EQ(batches[0].byte_to, 95);
  const auto issues = *bank().issues(run.run, 10);
  ASSERT_THAT(issues, SizeIs(3));
  EXPECT_EQ(issues[0].issue, batch.issues[1]);
  EXPECT_EQ(issues[1].issue.code, "conflict");
  EXPECT_EQ(issues[1].issue.ordinal, 2);
  EXPECT_EQ(issues[1].issue.byte_from, 40);
  EXPECT_EQ(issues[2].issue, batch.issues[0]);
  EXPECT_THAT(bank().issues(run.run, 1), HasValue(SizeIs(1)));
}

TEST_P(BankContract, ABatchGoesIntoTheLedgerOnce) {
  const LedgerRun run = make_run();
  ASSERT_THAT(bank().begin_run(run), Succeeds());
  const LedgerBatch batch = make_batch(run, 0, 1);
  const std::vector<Memory> first = {make_memory("a")};
  ASSERT_THAT(bank().write({.memories = first, .ledger = &batch}), Succeeds());
  const std::vector<Memory> second = {make_memory("b")};
  EXPECT_THAT(bank().write({.memories = second, .ledger = &batch}), FailsWith(Errc::conflict));
  EXPECT_THAT(all_memories(), SizeIs(1));
}

TEST_P(BankContract, TooManyConflictsWriteNothing) {
  const LedgerRun run = make_run();
  ASSERT_THAT(bank().begin_run(run), Succeeds());
  must_write({make_memory("a", "held")});
  LedgerBatch batch = make_batch(run, 0, 2);
  batch.conflicts_allowed = 0;
  batch.places = {{0, 0}, {1, 0}};
  const std::vector<Memory> memories = {make_memory("b"), make_memory("a", "given")};
  EXPECT_THAT(bank().write({.memories = memories, .ledger = &batch}), FailsWith(Errc::conflict));
  EXPECT_THAT(all_memories(), SizeIs(1));
  EXPECT_THAT(bank().batches(run.run), HasValue(IsEmpty()));
}

TEST_P(BankContract, TheLedgerCountsFactsAndCachedVectorsToo) {
  const LedgerRun run = make_run();
  ASSERT_THAT(bank().begin_run(run), Succeeds());
  const std::vector<EntityFact> entities = {make_entity("a"), make_entity("b")};
  LedgerBatch batch = make_batch(run, 0, 2);
  batch.file = "entities.json";
  batch.part = LedgerPart::entities;
  ASSERT_THAT(bank().write({.entity_facts = entities, .ledger = &batch}), Succeeds());
  batch.batch_no = 1;
  ASSERT_THAT(bank().write({.entity_facts = entities, .ledger = &batch}), Succeeds());
  const std::vector<RelationshipFact> edges = {make_relationship("a", "uses", "b")};
  LedgerBatch edge_batch = make_batch(run, 0, 1);
  edge_batch.file = "relationships.json";
  edge_batch.part = LedgerPart::relationships;
  ASSERT_THAT(bank().write({.relationship_facts = edges, .ledger = &edge_batch}), Succeeds());
  const std::vector<EmbeddingCache::Entry> entries = {{std::string(32, 'a'), "m", {1}}};
  LedgerBatch cache_batch = make_batch(run, 0, 1);
  cache_batch.file = ".embedding_cache.json";
  cache_batch.part = LedgerPart::embedding_cache;
  ASSERT_THAT(bank().cache_embeddings(entries, &cache_batch), Succeeds());

  const auto batches = *bank().batches(run.run);
  ASSERT_THAT(batches, SizeIs(4));
  EXPECT_EQ(batches[0].file, ".embedding_cache.json");
  EXPECT_EQ(batches[0].loaded, 1);
  EXPECT_EQ(batches[1].loaded, 2);
  EXPECT_EQ(batches[2].identical, 2);
  EXPECT_EQ(batches[3].part, LedgerPart::relationships);
}

TEST_P(BankContract, RemembersRunsNewestFirst) {
  const LedgerRun first = make_run("/first");
  LedgerRun second = make_run("/second");
  second.started += std::chrono::hours{1};
  ASSERT_THAT(bank().begin_run(first), Succeeds());
  ASSERT_THAT(bank().begin_run(second), Succeeds());
  ASSERT_THAT(bank().finish_file(first.run, "memories.json", 42), Succeeds());
  const Timestamp ended = *parse_time("2026-02-04T05:00:00");
  ASSERT_THAT(bank().set_run_state(first.run, RunState::verified, ended), Succeeds());
  const auto runs = *bank().runs();
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].source, "/second");
  EXPECT_EQ(runs[0].state, RunState::running);
  EXPECT_EQ(runs[1].state, RunState::verified);
  EXPECT_EQ(runs[1].ended, ended);
  EXPECT_EQ(runs[1].started, first.started);
  EXPECT_EQ(runs[1].manifest_sha256, first.manifest_sha256);
  ASSERT_THAT(runs[1].files, SizeIs(2));
  for (const LedgerFile& file : runs[1].files) {
    if (file.file == "memories.json") {
      EXPECT_EQ(file.records, 42);
      EXPECT_EQ(file.sha256, std::string(32, '\xFF'));
      EXPECT_EQ(file.bytes, 123);
    }
  }
}

TEST_P(BankContract, RestoresARunAsItWas) {
  LedgerRun run = make_run();
  run.state = RunState::verified;
  run.ended = parse_time("2026-02-04T05:00:00");
  run.files[0].records = 5;
  LedgerBatch batch = make_batch(run, 0, 5);
  batch.loaded = 2;
  batch.identical = 1;
  batch.rejected = 1;
  batch.quarantined = 1;
  batch.issues = {{.kind = LedgerIssue::Kind::quarantined,
                   .ordinal = 3,
                   .byte_from = 70,
                   .code = "x",
                   .message = "y",
                   .raw = "\xFF"}};
  const LedgerBatch batches[] = {batch};
  ASSERT_THAT(bank().restore_run(run, batches), Succeeds());
  EXPECT_THAT(bank().restore_run(run, batches), FailsWith(Errc::conflict));
  const auto runs = *bank().runs();
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].state, RunState::verified);
  EXPECT_EQ(runs[0].ended, run.ended);
  const auto restored = *bank().batches(run.run);
  ASSERT_THAT(restored, SizeIs(1));
  EXPECT_EQ(restored[0].loaded, 2);
  EXPECT_EQ(restored[0].rejected, 1);
  ASSERT_THAT(bank().issues(run.run, 10), HasValue(SizeIs(1)));
  EXPECT_EQ(bank().issues(run.run, 10)->front().issue, batch.issues[0]);
}

TEST_P(BankContract, OneMigrationAndOneRelayAtATime) {
  {
    const auto migration = bank().lock_migration();
    ASSERT_THAT(migration, Succeeds());
    EXPECT_THAT(bank().lock_migration(), FailsWith(Errc::locked));
    const auto relay = bank().lock_relay();
    ASSERT_THAT(relay, Succeeds());
    EXPECT_THAT(bank().lock_relay(), FailsWith(Errc::locked));
    if (const auto other = again()) {
      EXPECT_THAT(other->lock_migration(), FailsWith(Errc::locked));
      EXPECT_THAT(other->lock_relay(), FailsWith(Errc::locked));
    }
  }
  EXPECT_THAT(bank().lock_migration(), Succeeds());
  EXPECT_THAT(bank().lock_relay(), Succeeds());
}

}  // namespace
}  // namespace bb5
