// The codec and the connection against a real server.
#include <limits>
#include <random>

#include <fmt/format.h>

#include "stores/postgres/copy_writer.hpp"
#include "stores/postgres/graph_rows.hpp"
#include "stores/postgres/jsonb_text.hpp"
#include "stores/postgres/test_server.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5::postgres {
namespace {

class PostgresWire : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_no_server().empty()) GTEST_SKIP() << why_no_server();
    connection_ = connect();
    ASSERT_NE(connection_, nullptr);
    must_execute(
        *connection_,
        "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS vector SCHEMA public");
  }
  std::unique_ptr<Connection> connection_;
};

TEST_F(PostgresWire, EveryTypeComesBackAsItWasSent) {
  const Statement echo(
      "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::public.vector, $10, $11, $12, $13, $14, "
      "public.vector_send($9)");
  const Uuid uuid = Uuid::random();
  const std::vector<std::string> texts = {"", "a,{}\"\\ NULL", "漢字"};
  const std::vector<Uuid> uuids = {uuid, {}};
  const std::vector<std::int64_t> numbers = {std::numeric_limits<std::int64_t>::min(), 0};
  const std::vector<std::int16_t> small = {-1, 2};
  const std::vector<float> vector = {1, -0.0f, 1e-45f, 3.4028234e38f};
  const Timestamp time = *parse_time("0001-01-01T00:00:00.000001");
  Params params;
  params.boolean(true)
      .int2(-3)
      .int4(70'000)
      .int8(-1)
      .float8(0.1)
      .text("ü")
      .bytes(std::string("\0\xFF", 2))
      .uuid(uuid);
  params.vector(vector).timestamptz(time).texts(texts).uuids(uuids).int8s(numbers).int2s(small);
  const auto rows = connection_->run(echo, params);
  ASSERT_TRUE(rows) << connection_->failure().message;
  EXPECT_EQ(rows->boolean(0, 0), true);
  EXPECT_EQ(rows->int2(0, 1), -3);
  EXPECT_EQ(rows->int4(0, 2), 70'000);
  EXPECT_EQ(rows->int8(0, 3), -1);
  EXPECT_EQ(rows->float8(0, 4), 0.1);
  EXPECT_EQ(rows->text(0, 5), "ü");
  EXPECT_EQ(rows->text(0, 6), std::string("\0\xFF", 2));
  EXPECT_EQ(rows->uuid(0, 7), uuid);
  EXPECT_EQ(read_vector(rows->field(0, 8)), vector);
  EXPECT_EQ(rows->field(0, 8), rows->field(0, 14));  // what the server hashes is what travels
  EXPECT_EQ(rows->timestamptz(0, 9), time);
  EXPECT_EQ(read_texts(rows->field(0, 10)), texts);
  EXPECT_EQ(rows->field(0, 11).size(), 20u + 2 * 20);
  EXPECT_EQ(query_text(*connection_, "SELECT ARRAY[NULL, 'b']"), "{NULL,b}");
}

TEST_F(PostgresWire, NullsComeBackAsNulls) {
  const Statement echo("SELECT $1, $2, $3::public.vector, $4");
  Params params;
  params.optional(std::optional<std::string>{})
      .optional(std::optional<double>{})
      .null(oid::inferred)
      .null(oid::jsonb);
  const auto rows = connection_->run(echo, params);
  ASSERT_TRUE(rows) << connection_->failure().message;
  for (int column = 0; column < 4; ++column) EXPECT_TRUE(rows->is_null(0, column));
}

/// Some JSON text, right or nearly so, of the kinds that metadata holds.
std::string random_json(std::mt19937_64& random, int depth) {
  const std::vector<std::string> atoms = {"null",
                                          "true",
                                          "0",
                                          "-0",
                                          "1.50",
                                          "1e3",
                                          "1E-7",
                                          "NaN",
                                          "-Infinity",
                                          "1e400000",
                                          "123456789012345678901234567890",
                                          "\"\"",
                                          R"("a b")",
                                          R"("\u00e9")",
                                          R"("\u00E9")",
                                          R"("\/")",
                                          R"("\u0000")",
                                          R"("\ud800x")",
                                          R"("\ud83d\ude00")",
                                          R"("\u0041")",
                                          R"("\u001f\n\"\\")",
                                          "\"\x7f\"",
                                          "\"é\"",
                                          "-0.0",
                                          "0.000000000000000000001"};
  switch (depth > 3 ? 0 : random() % 4) {
    case 0:
    case 1:
      return atoms[random() % atoms.size()];
    case 2: {
      std::string array = "[";
      for (std::size_t i = random() % 4; i > 0; --i)
        array += random_json(random, depth + 1) + (i > 1 ? "," : "");
      return array + "]";
    }
    default: {
      const std::vector<std::string> keys = {"a",        "b", "aa",     "é",         "\\u00e9",
                                             "b\\u0000", "",  "source", "confidence"};
      std::string object = "{";
      for (std::size_t i = random() % 4; i > 0; --i) {
        object += '"' + keys[random() % keys.size()] + "\":" + random_json(random, depth + 1) +
                  (i > 1 ? "," : "");
      }
      return object + "}";
    }
  }
}

TEST_F(PostgresWire, JsonbDoesToATextWhatIsForetold) {
  std::mt19937_64 random(test_seed());
  const Statement echo("SELECT $1");
  int reproduced = 0;
  for (int round = 0; round < 2'000; ++round) {
    const std::string text = random_json(random, 0);
    const JsonbForm form = to_jsonb(text);
    ASSERT_TRUE(form.text) << text;
    const auto rows = connection_->run(echo, Params().jsonb(*form.text));
    ASSERT_TRUE(rows) << text << ": " << connection_->failure().message;
    const bool same = canonical_text(read_jsonb(rows->field(0, 0))) == text;
    ASSERT_EQ(form.reproduces, same) << text;
    reproduced += same ? 1 : 0;
  }
  EXPECT_GT(reproduced, 100);
}

TEST_F(PostgresWire, TextIdsAreTheSameHereAndThere) {
  const TestSchema schema;
  ASSERT_THAT(open_postgres_bank(schema.options()), Succeeds());
  for (const std::string& text : {std::string(), std::string("technology:redis"),
                                  std::string("漢字"), std::string(10'000, 'x')}) {
    const Statement statement(schema.sql("SELECT {bank}.text_id($1)"));
    const auto rows = connection_->run(statement, Params().text(text));
    ASSERT_TRUE(rows) << connection_->failure().message;
    EXPECT_EQ(rows->uuid(0, 0), text_id(text));
  }
}

TEST_F(PostgresWire, StatementsOfOneCallAreOneTripAndStopAtTheFirstFailure) {
  const Statement one("SELECT 1::bigint");
  const Statement wrong("SELECT 1 / 0");
  const Command good[] = {{one}, {one}};
  const auto rows = connection_->run(good);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].int8(0, 0), 1);
  const Command bad[] = {{one}, {wrong}, {one}};
  EXPECT_FALSE(connection_->run(bad));
  EXPECT_EQ(connection_->failure().sqlstate, "22012");
  EXPECT_TRUE(connection_->run(one)) << "the connection is of use afterwards";
}

TEST_F(PostgresWire, APreparedStatementThatIsGoneOrThereAlreadyIsNoticed) {
  const Statement one("SELECT 1::bigint");
  ASSERT_TRUE(connection_->run(one));
  must_execute(*connection_, "DISCARD ALL");
  EXPECT_FALSE(connection_->run(one));
  EXPECT_TRUE(is_stale_statement(connection_->failure()));
  EXPECT_TRUE(connection_->run(one));
  const auto other = connect();
  must_execute(*other, fmt::format("PREPARE \"{}\" AS {}", one.name, one.sql));
  EXPECT_FALSE(other->run(one));
  EXPECT_TRUE(is_stale_statement(other->failure()));
  EXPECT_TRUE(other->run(one));
}

TEST_F(PostgresWire, ATableThatChangedUnderAPreparedStatementIsNoticed) {
  must_execute(*connection_, "CREATE TEMP TABLE changing (a integer)");
  const Statement all("SELECT * FROM changing");
  ASSERT_TRUE(connection_->run(all));
  must_execute(*connection_, "ALTER TABLE changing ADD b integer");
  EXPECT_FALSE(connection_->run(all));
  EXPECT_TRUE(is_stale_statement(connection_->failure()));
  EXPECT_TRUE(connection_->run(all));
}

TEST_F(PostgresWire, ASilentServerIsGivenUpOn) {
  auto impatient =
      Connection::open({.url = server_url(), .patience = std::chrono::milliseconds(200)});
  ASSERT_THAT(impatient, Succeeds());
  const Statement sleep("SELECT pg_sleep(5)");
  EXPECT_FALSE((*impatient)->run(sleep));
  EXPECT_TRUE((*impatient)->failure().deadline_passed);
  EXPECT_EQ((*impatient)->error("wait").code, Errc::unavailable);
  EXPECT_FALSE((*impatient)->is_idle());
}

TEST_F(PostgresWire, CopyWritesEveryRowOrTellsWhy) {
  must_execute(*connection_, "CREATE TEMP TABLE copied (id bigint PRIMARY KEY, content text)");
  {
    Transaction transaction(*connection_, "copy");
    CopyWriter copy(transaction, "copied", "id, content", 2);
    for (std::int64_t i = 0; i < 5'000; ++i) {
      FieldWriter& fields = copy.row();
      fields.int8(i);
      fields.text(std::string(1'000, 'x'));
      ASSERT_THAT(copy.send_if_full(), Succeeds());
    }
    ASSERT_THAT(copy.finish(), Succeeds());
    EXPECT_EQ(query_text(*connection_, "SELECT count(*) FROM copied"), "5000");
    CopyWriter again(transaction, "copied", "id, content", 2);
    FieldWriter& fields = again.row();
    fields.int8(7);
    fields.null();
    EXPECT_THAT(again.finish(), FailsWith(Errc::conflict));
    EXPECT_EQ(connection_->failure().constraint, "copied_pkey");
  }
  EXPECT_EQ(query_text(*connection_, "SELECT count(*) FROM copied"), "0") << "rolled back";
}

TEST_F(PostgresWire, AnAbandonedCopyLeavesTheConnectionUsable) {
  must_execute(*connection_, "CREATE TEMP TABLE copied (id bigint)");
  {
    Transaction transaction(*connection_, "copy");
    ASSERT_THAT(transaction.copy_begin("COPY copied (id) FROM STDIN (FORMAT binary)"), Succeeds());
    connection_->copy_abandon();
  }
  EXPECT_EQ(query_text(*connection_, "SELECT count(*) FROM copied"), "0");
}

}  // namespace
}  // namespace bb5::postgres
