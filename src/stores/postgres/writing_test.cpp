// Several writers, connections that break at the worst moment, a server that dies.
#include <future>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "stores/postgres/test_server.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5::postgres {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PostgresWriting : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_no_server().empty()) GTEST_SKIP() << why_no_server();
    schema_ = std::make_unique<TestSchema>();
    bank_ = open(schema_->options());
    ASSERT_NE(bank_, nullptr);
  }

  static std::unique_ptr<Bank> open(const PostgresOptions& options) {
    auto bank = open_postgres_bank(options);
    EXPECT_THAT(bank, Succeeds());
    return bank ? std::move(*bank) : nullptr;
  }
  static std::vector<Memory> page(const Bank& bank) {
    auto memories = bank.page({.limit = 1'000'000});
    EXPECT_THAT(memories, Succeeds());
    return memories ? std::move(*memories) : std::vector<Memory>{};
  }

  std::unique_ptr<TestSchema> schema_;
  std::unique_ptr<Bank> bank_;
};

LedgerBatch ledger_batch(const LedgerRun& run, std::int64_t number, std::int64_t records) {
  LedgerBatch batch;
  batch.run = run.run;
  batch.file = "memories.json";
  batch.batch_no = number;
  batch.records = records;
  batch.content_digest = std::string(32, static_cast<char>('a' + number % 26));
  return batch;
}

LedgerRun begun_run(Bank& bank) {
  LedgerRun run;
  run.run = {Uuid::random()};
  run.manifest_sha256 = std::string(32, 'm');
  run.started = now();
  run.files = {{.file = "memories.json", .sha256 = std::string(32, 's')}};
  EXPECT_THAT(bank.begin_run(run), Succeeds());
  return run;
}

TEST_F(PostgresWriting, WritersOfTheSameIdsAgreeOnOneRecordEach) {
  // Half of the writers go through the ids backwards: they meet, and some wait for each other in a
  // ring.
  constexpr int writers = 6;
  constexpr int ids = 60;
  std::vector<std::thread> threads;
  threads.reserve(6);
  std::atomic<int> inserted = 0;
  std::atomic<int> conflicts = 0;
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] {
      auto bank = open(schema_->options());
      ASSERT_NE(bank, nullptr);
      std::vector<Memory> memories;
      memories.reserve(ids);
      for (int i = 0; i < ids; ++i)
        memories.push_back(make_memory(fmt::format("m{}", i), fmt::format("writer {}", w % 3)));
      if (w % 2 == 1) std::reverse(memories.begin(), memories.end());
      for (int from = 0; from < ids; from += 20) {
        const auto outcome = bank->write(
            {.memories = std::span(memories).subspan(static_cast<std::size_t>(from), 20)});
        ASSERT_THAT(outcome, Succeeds());
        for (const WriteAction action : outcome->memories) {
          inserted += action == WriteAction::inserted ? 1 : 0;
          conflicts += action == WriteAction::conflict ? 1 : 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inserted, ids);
  EXPECT_GT(conflicts, 0);
  EXPECT_THAT(page(*bank_), SizeIs(ids));
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

TEST_F(PostgresWriting, ReplacingWritersAndErasersLeaveWholeRecordsAndATrueGraph) {
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int w = 0; w < 4; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937_64 random(static_cast<std::uint64_t>(w));
      auto bank = open(schema_->options());
      ASSERT_NE(bank, nullptr);
      for (int round = 0; round < 15; ++round) {
        std::vector<Memory> memories;
        for (int i = 0; i < 8; ++i) {
          const std::string name = fmt::format("m{}", random() % 20);
          if (std::any_of(memories.begin(), memories.end(),
                          [&](const Memory& m) { return m.legacy_id == name; }))
            continue;
          memories.push_back(with_metadata(
              make_memory(name, fmt::format("{} {}", w, round)),
              random() % 3 == 0
                  ? fmt::format(R"({{"is_entity":true,"entity_name":"N{}"}})", random() % 6)
                  : fmt::format(R"({{"entities":["N{}","n{}"]}})", random() % 6, random() % 6)));
        }
        const std::vector<RelationshipFact> edges = {make_relationship(
            fmt::format("n{}", random() % 6), "uses", fmt::format("N{}", random() % 6))};
        ASSERT_THAT(bank->write({.memories = memories,
                                 .relationship_facts = edges,
                                 .on_conflict = OnConflict::replace}),
                    Succeeds());
        ASSERT_THAT(bank->erase(make_memory(fmt::format("m{}", random() % 20)).id), Succeeds());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
  std::vector<MemoryMentions> mentions;
  for (const Memory& memory : page(*bank_)) {
    if (memory.kind == MemoryKind::memory) mentions.push_back({memory.id, memory.entities});
  }
  FoldedGraph expected =
      fold(*bank_->entity_facts(0, 100'000), *bank_->relationship_facts(0, 100'000), mentions);
  FoldedGraph stored;
  stored.meanings = expected.meanings;  // the contract looks at these
  auto entities = bank_->entities({}, 100'000);
  auto relationships = bank_->relationships({}, 100'000);
  const auto stored_mentions = bank_->mentions({}, 100'000);
  for (Entity& row : *entities) {
    row.rev = 0;
    stored.entities.emplace(row.key, row);
  }
  for (Relationship& row : *relationships) {
    row.rev = 0;
    stored.relationships.emplace(relationship_key(row), row);
  }
  for (Mention row : *stored_mentions) {
    row.rev = 0;
    stored.mentions.insert(row);
  }
  EXPECT_EQ(stored, expected);
}

TEST_F(PostgresWriting, ACommitWhoseAnswerIsLostIsFoundOut) {
  Proxy proxy(port_of(server_url()));
  auto options = schema_->options();
  options.url = with_port(options.url, proxy.port());
  const auto bank = open(options);
  ASSERT_NE(bank, nullptr);
  const LedgerRun run = begun_run(*bank);
  const std::string commit = Statement("COMMIT").name;

  const auto write = [&](const std::string& name, const LedgerBatch* ledger) {
    const std::vector<Memory> memories = {
        with_metadata(make_memory(name), R"({"entities":["Redis"]})")};
    const auto outcome = bank->write({.memories = memories, .ledger = ledger});
    ASSERT_THAT(outcome, Succeeds());
    EXPECT_THAT(outcome->memories, ElementsAre(WriteAction::inserted));
  };
  LedgerBatch batch = ledger_batch(run, 0, 1);
  write("first", nullptr);
  proxy.cut_after(commit);  // it took place
  write("second", nullptr);
  proxy.cut_after(commit);
  write("third", &batch);
  batch.batch_no = 1;
  proxy.cut_before(commit);  // it never arrived
  write("fourth", nullptr);
  proxy.cut_before(commit);
  write("fifth", &batch);
  EXPECT_EQ(proxy.cuts(), 4);
  EXPECT_THAT(page(*bank_), SizeIs(5));
  EXPECT_THAT(bank_->batches(run.run), HasValue(SizeIs(2)));

  proxy.cut_after(commit);
  EXPECT_THAT(bank->erase(make_memory("second").id), HasValue(true));
  proxy.cut_before(commit);
  EXPECT_THAT(bank->erase(make_memory("third").id), HasValue(true));
  EXPECT_EQ(proxy.cuts(), 6);
  EXPECT_THAT(page(*bank_), SizeIs(3));
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

DocumentChange document_change(const std::string& source, int state,
                               const std::vector<Memory>& memories,
                               const std::optional<RetainedDocument>& former) {
  DocumentChange change;
  change.document.source = source;
  change.document.digest = std::string(28, 'd') + fmt::format("{:4}", state);
  change.document.extractor = "rules/1";
  change.document.retained_at = Timestamp(std::chrono::seconds(1'770'000'000 + state));
  for (const Memory& memory : memories) change.document.memories.push_back(memory.id);
  if (former) change.previous_digest = former->digest;
  return change;
}

TEST_F(PostgresWriting, ADocumentWhoseCommitHasNoAnswerIsFoundOut) {
  Proxy proxy(port_of(server_url()));
  auto options = schema_->options();
  options.url = with_port(options.url, proxy.port());
  options.pool_size = 1;
  const auto bank = open(options);
  ASSERT_NE(bank, nullptr);
  const std::string commit = Statement("COMMIT").name;
  for (int state = 0; state < 4; ++state) {
    const std::vector<Memory> memories = {make_memory(fmt::format("m{}", state))};
    const auto change = document_change("notes", state, memories, *bank->document("notes"));
    state % 2 == 0 ? proxy.cut_after(commit) : proxy.cut_before(commit);
    EXPECT_THAT(bank->write({.memories = memories, .documents = std::span(&change, 1)}),
                Succeeds());
    EXPECT_EQ(*bank_->document("notes"), change.document);
  }
  EXPECT_EQ(proxy.cuts(), 4);
  EXPECT_THAT(*bank_->page({.filter = {.valid_at = now()}}), SizeIs(1));
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

// A race could leave a memory closed that a document says, or open that none says.
TEST_F(PostgresWriting, DocumentsThatChangeAtOnceCloseExactlyWhatNoneSays) {
  std::vector<std::thread> threads;
  std::atomic<int> changed = 0;
  std::atomic<int> conflicts = 0;
  for (int w = 0; w < 4; ++w) {
    threads.emplace_back([&, w] {
      std::mt19937_64 random(static_cast<std::uint64_t>(w));
      const auto bank = open(schema_->options());
      ASSERT_NE(bank, nullptr);
      for (int round = 0; round < 25; ++round) {
        std::vector<Memory> memories;
        std::set<std::uint64_t> numbers;
        for (int i = 0; i < 4; ++i) numbers.insert(random() % 8);
        for (const auto number : numbers)
          memories.push_back(make_memory(fmt::format("m{}", number)));
        // Two writers a document: some come too late.
        const std::string source = w % 2 == 0 ? "a" : "b";
        const auto change =
            document_change(source, w * 100 + round, memories, *bank->document(source));
        const auto outcome =
            bank->write({.memories = memories, .documents = std::span(&change, 1)});
        changed += outcome ? 1 : 0;
        if (!outcome) {
          ASSERT_THAT(outcome, FailsWith(Errc::conflict));
          ++conflicts;
        }
        if (random() % 4 == 0) {
          ASSERT_THAT(bank->erase(make_memory(fmt::format("m{}", random() % 8)).id), Succeeds());
        }
        if (random() % 8 == 0) {
          const std::vector<Memory> by_hand = {make_memory(fmt::format("m{}", random() % 2))};
          ASSERT_THAT(bank->write({.memories = by_hand}), Succeeds());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(changed, 25);  // or nothing was tried
  RecordProperty("conflicts", conflicts);
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
  for (const Memory& memory : page(*bank_)) {
    const auto times = *bank_->times_said(memory.id);
    const Standing standing = bank_->standings(std::span(&memory.id, 1))->front();
    SCOPED_TRACE(memory.legacy_id);
    if (standing == Standing::said) {
      EXPECT_GT(times, 0);
      EXPECT_EQ(memory.valid_until, std::nullopt);
    } else if (standing == Standing::unsaid) {
      EXPECT_EQ(times, 0);
      EXPECT_NE(memory.valid_until, std::nullopt);
    }
  }
}

TEST_F(PostgresWriting, ALoadSurvivesCutsAtAnyByte) {
  std::mt19937_64 random(test_seed());
  Proxy proxy(port_of(server_url()));
  auto options = schema_->options();
  options.url = with_port(options.url, proxy.port());
  options.pool_size = 1;
  ASSERT_THAT(bank_->set_embedder({.model = "test", .dimension = 64}), Succeeds());
  const auto bank = open(options);
  ASSERT_NE(bank, nullptr);
  const LedgerRun run = begun_run(*bank_);
  constexpr int batches = 40;
  constexpr int batch_size = 10;
  std::vector<Memory> expected;
  for (int number = 0; number < batches; ++number) {
    std::vector<Memory> memories;
    for (int i = 0; i < batch_size; ++i) {
      std::vector<float> vector(64, 0.5f);
      vector[static_cast<std::size_t>(i)] = static_cast<float>(number + 1);
      memories.push_back(vector_memory(fmt::format("m{}-{}", number, i), vector));
    }
    proxy.cut_at_byte(static_cast<std::int64_t>(random() % 12'000));
    const LedgerBatch ledger = ledger_batch(run, number, batch_size);
    // A person would simply run it again.
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto outcome = bank->write({.memories = memories, .ledger = &ledger});
      if (outcome) {
        EXPECT_THAT(outcome->memories, Each(WriteAction::inserted));
        break;
      }
      ASSERT_THAT(outcome, FailsWith(Errc::unavailable));
      ASSERT_LT(attempt, 4);
    }
    expected.insert(expected.end(), memories.begin(), memories.end());
  }
  EXPECT_GT(proxy.cuts(), 0);
  const auto stored = page(*bank_);
  ASSERT_EQ(stored.size(), expected.size());
  for (std::size_t i = 0; i < stored.size(); ++i)
    EXPECT_EQ(record_hash(stored[i]), record_hash(expected[i]));
  EXPECT_THAT(bank_->batches(run.run), HasValue(SizeIs(batches)));
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
}

TEST_F(PostgresWriting, AServerThatIsKilledLosesNothingThatWasAcknowledged) {
  if (!OwnServer::why_not().empty()) GTEST_SKIP() << OwnServer::why_not();
  OwnServer server;
  const auto bank = open({.url = server.url(), .create = true});
  ASSERT_NE(bank, nullptr);
  std::atomic<bool> stop = false;
  std::vector<std::string> acknowledged;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      std::vector<Memory> memories;
      memories.reserve(50);
      for (int k = 0; k < 50; ++k)
        memories.push_back(make_memory(fmt::format("m{}-{}", i, k), std::string(2'000, 'x')));
      const auto outcome = bank->write({.memories = memories});
      if (!outcome) {
        EXPECT_EQ(outcome.error().code, Errc::unavailable) << outcome.error().detail;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        --i;  // the same batch again
        continue;
      }
      for (std::size_t k = 0; k < memories.size(); ++k) {
        EXPECT_TRUE(outcome->memories[k] == WriteAction::inserted ||
                    outcome->memories[k] == WriteAction::identical);
        acknowledged.push_back(memories[k].legacy_id);
      }
    }
  });
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server.kill();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    server.start();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stop = true;
  writer.join();
  std::set<std::string> stored;
  for (const Memory& memory : page(*bank)) stored.insert(memory.legacy_id);
  EXPECT_THAT(acknowledged, testing::Not(IsEmpty()));
  for (const std::string& id : acknowledged) EXPECT_TRUE(stored.contains(id)) << id;
  EXPECT_EQ(stored.size(), acknowledged.size()) << "and nothing that was not";
  EXPECT_THAT(bank->check(true), HasValue(IsEmpty()));
}

TEST_F(PostgresWriting, ABulkLoadIsOnDiskWhenItsFoldIsDone) {
  if (!OwnServer::why_not().empty()) GTEST_SKIP() << OwnServer::why_not();
  OwnServer server;
  const auto bank = open({.url = server.url(), .create = true});
  ASSERT_NE(bank, nullptr);
  std::vector<Memory> memories;
  for (int i = 0; i < 20; ++i) {
    memories = {make_memory(fmt::format("m{}", i), std::string(2'000, 'x'))};
    ASSERT_THAT(bank->write({.memories = memories, .fold = false}), Succeeds());
  }
  ASSERT_THAT(bank->fold_graph(), Succeeds());
  server.kill();
  server.start();
  EXPECT_EQ(page(*bank).size(), 20U);
}

TEST_F(PostgresWriting, ALockEndsWithItsConnection) {
  auto lock = bank_->lock_migration();
  ASSERT_THAT(lock, Succeeds());
  const auto other = open(schema_->options());
  EXPECT_THAT(other->lock_migration(), FailsWith(Errc::locked));
  const auto admin = connect();
  must_execute(
      *admin,
      fmt::format("SELECT pg_terminate_backend(pid, 1000) FROM pg_locks WHERE locktype = 'advisory'"
                  " AND classid = {} AND objid = {}",
                  static_cast<std::uint32_t>(
                      static_cast<std::uint64_t>(schema_->names().lock_key("migration")) >> 32),
                  static_cast<std::uint32_t>(schema_->names().lock_key("migration"))));
  EXPECT_THAT(other->lock_migration(), Succeeds());
}

TEST_F(PostgresWriting, TheLockHoldsNoSnapshot) {
  auto lock = bank_->lock_relay();
  ASSERT_THAT(lock, Succeeds());
  const auto admin = connect();
  EXPECT_EQ(query_text(*admin,
                       fmt::format("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING "
                                   "(pid) WHERE l.locktype = 'advisory'"
                                   " AND l.objid = {} AND a.backend_xmin IS NOT NULL",
                                   static_cast<std::uint32_t>(schema_->names().lock_key("relay")))),
            "0");
}

TEST_F(PostgresWriting, GivenPlacesAreKeptAndTheNextOnesComeAfter) {
  Memory placed = make_memory("placed");
  placed.seq = 41;
  const std::vector<Memory> first = {placed};
  ASSERT_THAT(bank_->write({.memories = first}), Succeeds());
  const std::vector<Memory> second = {make_memory("next")};
  ASSERT_THAT(bank_->write({.memories = second}), Succeeds());
  EXPECT_EQ(page(*bank_)[0].seq, 41);
  EXPECT_EQ(page(*bank_)[1].seq, 42);
  Memory taken = make_memory("taken");
  taken.seq = 41;
  const std::vector<Memory> third = {taken};
  EXPECT_THAT(bank_->write({.memories = third}), FailsWith(Errc::conflict));
}

TEST_F(PostgresWriting, ASecondRunWritesNothing) {
  std::vector<Memory> memories;
  memories.reserve(50);
  for (int i = 0; i < 50; ++i) {
    memories.push_back(
        with_metadata(make_memory(fmt::format("m{}", i)), R"({"entities":["Redis"]})"));
  }
  ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  const auto admin = connect();
  const std::string versions = schema_->sql(
      "SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (SELECT id::text || xmin FROM "
      "{bank}.memories UNION ALL"
      " SELECT key || xmin FROM {bank}.entities UNION ALL SELECT memory_id::text || xmin FROM "
      "{bank}.mentions) r(x)");
  const std::string before = query_text(*admin, versions);
  for (const OnConflict policy : {OnConflict::keep, OnConflict::replace}) {
    const auto outcome = bank_->write({.memories = memories, .on_conflict = policy});
    ASSERT_THAT(outcome, Succeeds());
    EXPECT_THAT(outcome->memories, Each(WriteAction::identical));
  }
  EXPECT_EQ(query_text(*admin, versions), before);
}

TEST_F(PostgresWriting, LongNamesAndKeysAreKept) {
  std::string name;
  for (int i = 0; i < 2'500; ++i)
    name += fmt::format("{:x} ", i * 2'654'435'761U);  // 10 kB that do not compress
  Memory memory = with_metadata(make_memory("long"), fmt::format(R"({{"entities":["{}"]}})", name));
  memory.legacy_id = name;
  memory.thread = name;
  memory.author = name;
  const std::vector<Memory> memories = {memory};
  const std::vector<EntityFact> entities = {make_entity(name, name)};
  const std::vector<RelationshipFact> edges = {make_relationship(name, name, name + "2")};
  ASSERT_THAT(
      bank_->write({.memories = memories, .entity_facts = entities, .relationship_facts = edges}),
      Succeeds());
  EXPECT_THAT(bank_->find(name), HasValue(SizeIs(1)));
  EXPECT_THAT(bank_->entities({}, 10), HasValue(SizeIs(2)));
  EXPECT_THAT(bank_->relationships({}, 10), HasValue(SizeIs(1)));
  const auto first = bank_->entities({}, 1);
  EXPECT_THAT(bank_->entities(first->front().key, 10), HasValue(SizeIs(1)));
  EXPECT_THAT(bank_->pending_changes(10), HasValue(SizeIs(4)));
}

TEST_F(PostgresWriting, ContentOfTheWorstKindFitsTheKeywordIndex) {
  // Short words that are all different, hyphenated so that each is kept three times, four bytes a
  // letter.
  std::string content;
  for (int i = 0; i < 60'000; ++i) {
    for (const int letter : {i % 90, i / 90 % 90}) {
      append_utf8(content, static_cast<char32_t>(0x20000 + letter));
      if (letter == i % 90) content += '-';
    }
    append_utf8(content, static_cast<char32_t>(0x20000 + i / 8'100));
    content += ' ';
  }
  std::string numbers;
  for (int i = 0; i < 200'000; ++i) numbers += fmt::format("{} ", i);
  std::string links;
  for (int i = 0; i < 30'000; ++i) links += fmt::format("a{0}.de/b{0}?c ", i);
  const std::vector<Memory> memories = {make_memory("hyphens", content),
                                        make_memory("numbers", numbers),
                                        make_memory("links", links)};
  ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  EXPECT_THAT(bank_->keyword("1234", 5, {})->hits, SizeIs(1));
}

TEST_F(PostgresWriting, AFullLedgerOfOddWordsIsKept) {
  const LedgerRun run = begun_run(*bank_);
  LedgerBatch batch = ledger_batch(run, 0, 1);
  batch.quarantined = 1;
  batch.issues = {{.kind = LedgerIssue::Kind::quarantined,
                   .ordinal = 0,
                   .pointer = "/a\xFF",
                   .code = "c",
                   .message = std::string("bytes \0 \xFE", 9),
                   .raw = std::string("\xFF\0", 2)}};
  ASSERT_THAT(bank_->write({.ledger = &batch}), Succeeds());
  EXPECT_EQ(bank_->issues(run.run, 10)->front().issue.raw, std::string("\xFF\0", 2));
}

TEST_F(PostgresWriting, ATamperedRowIsNamed) {
  const std::vector<Memory> memories = {make_memory("a"), make_memory("b")};
  ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  EXPECT_THAT(bank_->check(true), HasValue(IsEmpty()));
  const auto admin = connect();
  must_execute(
      *admin, schema_->sql("UPDATE {bank}.memories SET content = 'altered' WHERE legacy_id = 'b'"));
  EXPECT_THAT(bank_->check(false), HasValue(IsEmpty()));
  EXPECT_THAT(bank_->check(true), HasValue(ElementsAre(HasSubstr("(b)"))));
}

// Who writes vectors holds the bank's model to its end, and then wants the fold: whoever has the
// fold must not want the model.
TEST_F(PostgresWriting, FoldsAndMarksDoNotWaitForWritersOfVectors) {
  const auto writer = connect();
  must_execute(*writer, schema_->sql("BEGIN; SELECT model FROM {bank}.bank_info FOR SHARE"));
  auto others = std::async(std::launch::async, [&] {
    EXPECT_THAT(bank_->fold_graph(), Succeeds());
    EXPECT_THAT(bank_->merge_resolved({}, 5), HasValue(IsEmpty()));
    EXPECT_THAT(bank_->index_statements({}, 5), Succeeds());
  });
  EXPECT_EQ(others.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  must_execute(*writer, "COMMIT");
  others.get();
  EXPECT_EQ(bank_->resolved_mark()->up_to, 5);
  EXPECT_EQ(bank_->missing_statements(1)->after, 5);
}

TEST_F(PostgresWriting, AnOpenTransactionsChangesAreNotSkippedForGood) {
  // A writer takes its place in the outbox, others commit after it, then it commits.
  const auto slow = connect();
  must_execute(
      *slow, schema_->sql(
                 "BEGIN; SELECT nextval('{bank}.graph_rev'); SELECT nextval('{bank}.outbox_id');"));
  const std::vector<EntityFact> facts = {make_entity("fast")};
  ASSERT_THAT(bank_->write({.entity_facts = facts}), Succeeds());
  ASSERT_THAT(bank_->mark_applied(*bank_->pending_changes(10)), Succeeds());
  must_execute(
      *slow,
      schema_->sql("INSERT INTO {bank}.outbox (kind, row_id, id, key, rev) VALUES"
                   " (0, {bank}.text_id('technology:slow'), 1, 'technology:slow', 1); COMMIT"));
  const auto pending = bank_->pending_changes(10);
  ASSERT_THAT(pending, HasValue(SizeIs(1)));
  EXPECT_EQ(pending->front().entity.key, "technology:slow");
  EXPECT_TRUE(pending->front().removed);
}

/// Notes that stand beside the model in bank_info are moved in transactions that hold the fold's
/// lock, for which writers wait: if these waited for the writers' lock on the model, they would
/// wait in a ring.
TEST_F(PostgresWriting, WritersOfVectorsAndThoseWhoMoveTheBanksNotesDoNotWaitForEachOther) {
  ASSERT_THAT(bank_->set_embedder({"test/two", 2}), Succeeds());
  const auto other = connect();
  must_execute(*other, "BEGIN; SET lock_timeout = 2000");
  must_execute(*other, schema_->sql("UPDATE {bank}.bank_info SET hnsw_ef_search = 70"));
  std::promise<void> written;
  std::thread writer([&] {
    const std::vector<Memory> memories = {vector_memory("a", {1, 2})};
    EXPECT_THAT(bank_->write({.memories = memories, .model = "test/two"}), Succeeds());
    written.set_value();
  });
  EXPECT_EQ(written.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  must_execute(*other, "COMMIT");
  writer.join();

  // The other way round: who writes vectors, keeps the model, and nothing but the model.
  must_execute(*other, "BEGIN");
  must_execute(*other, schema_->sql("SELECT model FROM {bank}.bank_info FOR KEY SHARE"));
  EXPECT_THAT(bank_->merge_resolved({}, 9), Succeeds());
  std::promise<void> changed;
  std::thread changer([&] {
    EXPECT_THAT(bank_->drop_other_vectors(), HasValue(0));
    changed.set_value();
  });
  const auto is_changed = changed.get_future();
  EXPECT_EQ(is_changed.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  must_execute(*other, "COMMIT");
  EXPECT_EQ(is_changed.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  changer.join();
}

/// Until someone on the server waits for a lock.
void wait_for_a_waiter() {
  const auto watcher = connect();
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
      "current_database()";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (query_text(*watcher, waiting) == "0" && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

TEST_F(PostgresWriting, IndexingStatementsAndAChangeOfTheModelDoNotWaitForEachOtherInARing) {
  const std::vector<Memory> memories = {make_memory("a")};
  ASSERT_THAT(bank_->write({.memories = memories}), Succeeds());
  const auto change = connect();
  must_execute(*change, "BEGIN; SET deadlock_timeout = '100ms'");
  must_execute(*change, schema_->sql("SELECT model FROM {bank}.bank_info FOR UPDATE"));
  std::thread indexer([&] {
    const std::vector<StatementKey> keys = {{memories[0].id, 7}};
    EXPECT_THAT(bank_->index_statements(keys, 1), Succeeds());
  });
  wait_for_a_waiter();
  must_execute(*change, schema_->sql("LOCK TABLE {bank}.memories IN ACCESS EXCLUSIVE MODE"));
  must_execute(*change, "COMMIT");
  indexer.join();
}

/// Two memories that stand in one order of insertion and in another one of ids.
TEST_F(PostgresWriting, DroppingVectorsAndWritersDoNotWaitForEachOtherInARing) {
  const EmbedderInfo two{"test/two", 2};
  const EmbedderInfo three{"test/three", 3};
  ASSERT_THAT(bank_->set_embedder(two), Succeeds());
  std::vector<Memory> memories = {vector_memory("a", {1, 2}), vector_memory("b", {2, 1})};
  std::sort(memories.begin(), memories.end(),
            [](const Memory& x, const Memory& y) { return x.id > y.id; });
  for (const Memory& memory : memories) {
    const std::span one(&memory, 1);
    ASSERT_THAT(bank_->write({.memories = one}), Succeeds());
    const MadeVector made[] = {{memory.id, content_sha256_of(memory.content), {1, 2, 3}}};
    ASSERT_THAT(bank_->hold_vectors(three, made), HasValue(1));
  }
  ASSERT_THAT(bank_->change_model(three), HasValue(0));

  const auto lock = [&](std::size_t i) {
    return schema_->sql(fmt::format("SELECT id FROM {{bank}}.memories WHERE id = '{}' FOR UPDATE",
                                    memories[i].id.to_string()));
  };
  const auto writer = connect();
  must_execute(*writer, "BEGIN; SET deadlock_timeout = '100ms'");
  must_execute(*writer, lock(1));
  std::thread dropper([&] { EXPECT_THAT(bank_->drop_other_vectors(), HasValue(2)); });
  wait_for_a_waiter();
  must_execute(*writer, lock(0));
  must_execute(*writer, "COMMIT");
  dropper.join();
}

}  // namespace
}  // namespace bb5::postgres
