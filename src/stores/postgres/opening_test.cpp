// Opening a bank: what is checked, what is made, and what a person is told.
#include <thread>

#include <fmt/format.h>

#include "stores/postgres/pool.hpp"
#include "stores/postgres/schema.hpp"
#include "stores/postgres/test_server.hpp"
#include "tests/contract/bank_contract.hpp"

namespace bb5::postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PostgresOpening : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_no_server().empty()) GTEST_SKIP() << why_no_server();
    admin_ = connect();
    ASSERT_NE(admin_, nullptr);
    must_execute(*admin_, "SET client_min_messages = warning");
    schema_ = std::make_unique<TestSchema>();
  }
  std::unique_ptr<Connection> admin_;
  std::unique_ptr<TestSchema> schema_;
};

TEST_F(PostgresOpening, NamesWhatIsWrong) {
  auto options = schema_->options();
  for (const char* url :
       {"", "host=127.0.0.1", "http://127.0.0.1/memory", "postgresql://127.0.0.1:port/x"}) {
    options.url = url;
    EXPECT_THAT(open_postgres_bank(options), FailsWith(Errc::invalid_argument)) << url;
  }
  options = schema_->options();
  for (const char* bank : {"", "Big", "a-b", "a\"b", "x; DROP SCHEMA public",
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    options.bank = bank;
    EXPECT_THAT(open_postgres_bank(options), FailsWith(Errc::invalid_argument)) << bank;
  }
  options = schema_->options();
  options.url = with_user(server_url(), "blackbox5:wrong");
  const auto refused = open_postgres_bank(options);
  // A server that trusts this machine never looks at the password.
  if (!refused) {
    EXPECT_THAT(refused, FailsWith(Errc::refused));
    EXPECT_THAT(refused.error().message, HasSubstr("password"));
    EXPECT_THAT(refused.error().remedy, HasSubstr("PGPASSWORD"));
  }
  options.url = with_user(server_url(), "nobody_of_that_name");
  EXPECT_THAT(open_postgres_bank(options), FailsWith(Errc::refused));
  options.url = with_database(server_url(), "no_such_database");
  EXPECT_THAT(open_postgres_bank(options), FailsWith(Errc::not_found));
  options.url = with_port(server_url(), 1);
  EXPECT_THAT(open_postgres_bank(options), FailsWith(Errc::unavailable));
  options = schema_->options();
  options.create = false;
  const auto missing = open_postgres_bank(options);
  ASSERT_THAT(missing, FailsWith(Errc::not_found));
  EXPECT_THAT(missing.error().message, HasSubstr(schema_->bank()));
}

TEST_F(PostgresOpening, ASecretInTheUrlIsNeverRepeated) {
  auto options = schema_->options();
  for (const std::string& url :
       {with_user(server_url(), "nobody:s3cret"), std::string("postgresql://u:s3cret@[::1/x"),
        std::string("postgresql://u:s3cret@127.0.0.1:1/x?unheard=of"),
        with_port(with_user(server_url(), "u:s3cret"), 1)}) {
    options.url = url;
    const auto bank = open_postgres_bank(options);
    ASSERT_FALSE(bank);
    for (const std::string& text :
         {bank.error().message, bank.error().remedy, bank.error().detail}) {
      EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
    }
  }
}

TEST_F(PostgresOpening, RefusesServersAndExtensionsThatAreTooOld) {
  auto options = schema_->options();
  options.minimum_server_version = 990'000;
  const auto server = open_postgres_bank(options);
  ASSERT_THAT(server, FailsWith(Errc::unsupported));
  EXPECT_THAT(server.error().message, HasSubstr("99 is the oldest"));
  options = schema_->options();
  options.minimum_vector_version = "0.99";
  const auto extension = open_postgres_bank(options);
  ASSERT_THAT(extension, FailsWith(Errc::unsupported));
  EXPECT_THAT(extension.error().remedy, HasSubstr("ALTER EXTENSION vector UPDATE"));
  EXPECT_TRUE(version_at_least("0.8.5", "0.8.4"));
  EXPECT_TRUE(version_at_least("0.10", "0.8.4"));
  EXPECT_TRUE(version_at_least("1", "0.8.4"));
  EXPECT_FALSE(version_at_least("0.8", "0.8.4"));
  EXPECT_FALSE(version_at_least("", "0.8.4"));
}

TEST_F(PostgresOpening, SaysSoWhenTheExtensionIsMissing) {
  const std::string name = schema_->bank();
  must_execute(*admin_, fmt::format("CREATE DATABASE {}", name));
  must_execute(*admin_, fmt::format("CREATE ROLE {} LOGIN PASSWORD 'weak'", name));
  auto options = schema_->options();
  options.url = with_user(with_database(server_url(), name), name + ":weak");
  options.bank = "default";
  const auto bank = open_postgres_bank(options);  // may not create it
  EXPECT_FALSE(bank);
  if (!bank) {
    EXPECT_EQ(bank.error().code, Errc::refused) << bank.error().detail;
    EXPECT_THAT(bank.error().remedy, HasSubstr("CREATE EXTENSION vector"));
  }
  must_execute(*admin_, fmt::format("DROP DATABASE {}", name));
  must_execute(*admin_, fmt::format("DROP ROLE {}", name));
}

TEST_F(PostgresOpening, TheDefaultBankIsThePublicSchema) {
  const std::string name = schema_->bank();
  must_execute(*admin_, fmt::format("CREATE DATABASE {}", name));
  {
    auto options = schema_->options();
    options.url = with_database(server_url(), name);
    options.bank = "default";
    auto bank = open_postgres_bank(options);
    ASSERT_THAT(bank, Succeeds());
    const std::vector<Memory> memories = {make_memory("a", "kept")};
    ASSERT_THAT((*bank)->write({.memories = memories}), Succeeds());
    const auto connection = connect(options.url);
    EXPECT_EQ(query_text(*connection, "SELECT content FROM memories"), "kept");
    options.create = false;
    EXPECT_THAT(open_postgres_bank(options), Succeeds());
  }
  must_execute(*admin_, fmt::format("DROP DATABASE {} WITH (FORCE)", name));
}

TEST_F(PostgresOpening, AnotherTableOfOurNamesIsNotTakenOver) {
  must_execute(*admin_,
               schema_->sql("CREATE SCHEMA {bank}; CREATE TABLE {bank}.memories (mine text)"));
  EXPECT_THAT(open_postgres_bank(schema_->options()), FailsWith(Errc::conflict));
  EXPECT_EQ(query_text(*admin_, schema_->sql("SELECT count(*) FROM {bank}.memories")), "0");
}

TEST_F(PostgresOpening, ManyStartersAtOnceAllSucceed) {
  std::vector<std::thread> starters;
  starters.reserve(6);
  std::atomic<int> opened = 0;
  for (int i = 0; i < 6; ++i) {
    starters.emplace_back([&] {
      const auto bank = open_postgres_bank(schema_->options());
      if (bank) ++opened;
      EXPECT_THAT(bank, Succeeds());
    });
  }
  for (std::thread& starter : starters) starter.join();
  EXPECT_EQ(opened, 6);
  EXPECT_EQ(query_text(*admin_, schema_->sql("SELECT count(*) FROM {bank}.schema_versions")), "1");
}

TEST_F(PostgresOpening, RefusesANewerOrEditedSchema) {
  ASSERT_THAT(open_postgres_bank(schema_->options()), Succeeds());
  must_execute(*admin_,
               schema_->sql("INSERT INTO {bank}.schema_versions VALUES (99, 'later', '\\x00')"));
  const auto newer = open_postgres_bank(schema_->options());
  ASSERT_THAT(newer, FailsWith(Errc::unsupported));
  EXPECT_THAT(newer.error().message, HasSubstr("99"));
  must_execute(*admin_, schema_->sql("DELETE FROM {bank}.schema_versions WHERE version = 99;"
                                     " UPDATE {bank}.schema_versions SET checksum = '\\x00'"));
  const auto edited = open_postgres_bank(schema_->options());
  ASSERT_THAT(edited, FailsWith(Errc::unsupported));
  EXPECT_THAT(edited.error().message, HasSubstr("001_start"));
}

TEST_F(PostgresOpening, WorksWithTheRightsThatTheReadmeLists) {
  const std::string name = schema_->bank();
  must_execute(*admin_, fmt::format("CREATE DATABASE {}", name));
  must_execute(*admin_, fmt::format("CREATE ROLE {} LOGIN PASSWORD 'weak'", name));
  {
    const auto owner = connect(with_database(server_url(), name));
    must_execute(*owner, "CREATE EXTENSION vector");
    must_execute(*owner,
                 fmt::format("GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {0} TO {0}", name));
  }
  {
    auto options = schema_->options();
    options.url = with_user(with_database(server_url(), name), name + ":weak");
    options.bank = "notes";
    auto opened = open_postgres_bank(options);
    ASSERT_THAT(opened, Succeeds());
    Bank& bank = **opened;
    ASSERT_THAT(bank.set_embedder({.model = "test", .dimension = 2}), Succeeds());
    const std::vector<Memory> memories = {vector_memory("a", {1, 0})};
    ASSERT_THAT(bank.write({.memories = memories}), Succeeds());
    ASSERT_THAT(bank.derive([](const auto&) { return true; }), Succeeds());
    EXPECT_THAT(bank.nearest(std::vector<float>{1, 0}, 1, {})->hits, SizeIs(1));
    EXPECT_THAT(bank.check(true), HasValue(IsEmpty()));
    // Reading needs less: a role that may only SELECT opens the bank too.
    must_execute(*admin_, fmt::format("CREATE ROLE {}_r LOGIN PASSWORD 'weak'", name));
    const auto owner = connect(with_database(server_url(), name));
    must_execute(
        *owner,
        fmt::format("GRANT USAGE ON SCHEMA bb5_notes TO {0}_r; GRANT SELECT ON ALL TABLES IN SCHEMA"
                    " bb5_notes TO {0}_r",
                    name));
    options.url = with_user(with_database(server_url(), name), name + "_r:weak");
    options.create = false;
    auto reader = open_postgres_bank(options);
    ASSERT_THAT(reader, Succeeds());
    EXPECT_THAT((*reader)->nearest(std::vector<float>{1, 0}, 1, {})->hits, SizeIs(1));
    const std::vector<Memory> more = {make_memory("b")};
    EXPECT_THAT((*reader)->write({.memories = more}), FailsWith(Errc::refused));
  }
  must_execute(*admin_, fmt::format("DROP DATABASE {} WITH (FORCE)", name));
  must_execute(*admin_, fmt::format("DROP ROLE {0}; DROP ROLE {0}_r", name));
}

TEST_F(PostgresOpening, ABankDoesNotDependOnTheSearchPath) {
  auto options = schema_->options();
  options.url += "?options=-csearch_path%3Dpg_temp";
  auto bank = open_postgres_bank(options);
  ASSERT_THAT(bank, Succeeds());
  ASSERT_THAT((*bank)->set_embedder({.model = "test", .dimension = 2}), Succeeds());
  const std::vector<Memory> memories = {vector_memory("a", {1, 0})};
  ASSERT_THAT((*bank)->write({.memories = memories}), Succeeds());
  EXPECT_THAT((*bank)->nearest(std::vector<float>{1, 0}, 1, {})->hits, SizeIs(1));
  EXPECT_THAT((*bank)->keyword("a tea", 1, {}), Succeeds());
  ASSERT_THAT((*bank)->derive([](const auto&) { return true; }), Succeeds());
}

// --- the pool ---

TEST_F(PostgresOpening, ThePoolIsBoundedAndItsWaitersGiveUp) {
  const auto counters = std::make_shared<PoolCounters>();
  Pool pool({.url = server_url()}, 2, std::chrono::milliseconds(100), counters);
  {
    auto first = pool.borrow();
    auto second = pool.borrow();
    ASSERT_THAT(first, Succeeds());
    ASSERT_THAT(second, Succeeds());
    EXPECT_THAT(pool.borrow(), FailsWith(Errc::unavailable));
    EXPECT_EQ(counters->in_use, 2);
    EXPECT_EQ(counters->waits, 1);
    EXPECT_EQ(counters->time_outs, 1);
  }
  EXPECT_EQ(counters->in_use, 0);
  EXPECT_EQ(counters->open, 2);
  EXPECT_THAT(pool.borrow(), Succeeds());
  EXPECT_EQ(counters->opened, 2);
}

TEST_F(PostgresOpening, AWaiterGetsTheConnectionThatIsGivenBack) {
  Pool pool({.url = server_url()}, 1, std::chrono::seconds(10), nullptr);
  auto lease = std::make_unique<Result<Pool::Lease>>(pool.borrow());
  ASSERT_THAT(*lease, Succeeds());
  std::thread waiter([&] { EXPECT_THAT(pool.borrow(), Succeeds()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  lease.reset();
  waiter.join();
}

TEST_F(PostgresOpening, BrokenAndUnfinishedConnectionsAreDropped) {
  const auto counters = std::make_shared<PoolCounters>();
  Pool pool({.url = server_url()}, 2, std::chrono::milliseconds(100), counters);
  const Statement pid("SELECT pg_backend_pid()");
  int terminated = 0;
  {
    auto lease = pool.borrow();
    terminated = (*lease)->run(pid)->int4(0, 0);
  }
  must_execute(*admin_, fmt::format("SELECT pg_terminate_backend({}, 1000)", terminated));
  {
    auto lease = pool.borrow();  // the dead one is noticed before it is lent
    ASSERT_THAT(lease, Succeeds());
    const auto rows = (*lease)->run(pid);
    ASSERT_TRUE(rows);
    EXPECT_NE(rows->int4(0, 0), terminated);
    must_execute(**lease, "BEGIN");  // given back in the middle of a transaction
  }
  EXPECT_EQ(counters->dropped, 2);
  EXPECT_EQ(counters->open, 0);
}

}  // namespace
}  // namespace bb5::postgres
