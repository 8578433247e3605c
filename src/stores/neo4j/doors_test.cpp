// The bytes are those that Neo4j 5.26.18 sent, cut down.
#include "stores/neo4j/doors.hpp"

#include <limits>

#include "tests/support/result_matchers.hpp"

namespace bb5::neo4j {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using testing::SizeIs;

TEST(TxDoor, RowsComeBackWithIntegersAndTimesWhole) {
  const auto decoded = decode_tx_answer(
      200,
      R"({"results":[{"columns":["1","big","x","d","c","f","l","n"],"data":[{"row":[1,9007199254740993,9223372036854775807,"1969-12-31T23:59:59.999999Z",1.0E-5,0.30000000000000004,[1,"a"],null],"meta":[null,null,null,{"type":"datetime"},null,null,null,null]}]},{"columns":[],"data":[]}],"errors":[],"lastBookmarks":["FB:kcwQU/O0zgitRRaTIwzlyltF+AOQ"]})");
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->answer.error, std::nullopt);
  EXPECT_THAT(decoded->transaction, IsEmpty());
  ASSERT_THAT(decoded->answer.results, SizeIs(2));
  ASSERT_THAT(decoded->answer.results[0].rows, SizeIs(1));
  EXPECT_THAT(decoded->answer.results[1].rows, IsEmpty());
  const json& row = decoded->answer.results[0].rows[0];
  EXPECT_EQ(row[1].get<std::int64_t>(), 9'007'199'254'740'993);
  EXPECT_EQ(row[2].get<std::int64_t>(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(row[3], "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(row[4].get<double>(), 1e-5);
  EXPECT_EQ(row[5].get<double>(), 0.1 + 0.2);
  EXPECT_TRUE(row[7].is_null());
}

TEST(TxDoor, AnErrorBesideGoodRowsUndoesThem) {
  const auto decoded = decode_tx_answer(
      200,
      R"({"results":[{"columns":["1/x"],"data":[{"row":[1],"meta":[null]}]}],"errors":[{"code":"Neo.ClientError.Statement.ArithmeticError","message":"/ by zero"}]})");
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->answer.error,
            (ServerError{"Neo.ClientError.Statement.ArithmeticError", "/ by zero"}));
  EXPECT_THAT(decoded->answer.results, IsEmpty());
}

TEST(TxDoor, AnOpenTransactionIsNamedByItsCommitAddress) {
  const auto decoded = decode_tx_answer(
      201,
      R"({"results":[{"columns":["1"],"data":[{"row":[1],"meta":[null]}]}],"errors":[],"commit":"http://some.other.name:30110/db/neo4j/tx/17/commit","transaction":{"expires":"Wed, 25 Nov 2026 00:12:33 GMT"}})");
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->transaction, "17");
}

TEST(TxDoor, TheBodySpeaksBeforeTheStatus) {
  for (const int status : {200, 400, 401, 404, 500}) {
    const auto decoded = decode_tx_answer(
        status,
        R"({"results":[],"errors":[{"code":"Neo.TransientError.Transaction.DeadlockDetected","message":"m"}]})");
    ASSERT_THAT(decoded, Succeeds()) << status;
    EXPECT_EQ(decoded->answer.error->code, "Neo.TransientError.Transaction.DeadlockDetected");
  }
}

TEST(BothDoors, WithoutAnAnswerOfNeo4jsTheStatusSpeaks) {
  for (auto* const decode : {&decode_tx_answer, &decode_query_answer}) {
    EXPECT_THAT((*decode)(200, R"({"results":[{"col)"), FailsWith(Errc::unavailable));
    EXPECT_THAT((*decode)(202, "{"), FailsWith(Errc::unavailable));
    EXPECT_THAT((*decode)(200, "<html>Welcome to nginx!</html>"), FailsWith(Errc::unsupported));
    EXPECT_THAT((*decode)(502, "<html>Bad Gateway</html>"), FailsWith(Errc::unavailable));
    EXPECT_THAT((*decode)(503, ""), FailsWith(Errc::unavailable));
    EXPECT_THAT((*decode)(429, ""), FailsWith(Errc::unavailable));
    EXPECT_THAT((*decode)(401, ""), FailsWith(Errc::refused));
    EXPECT_THAT((*decode)(403, "no"), FailsWith(Errc::refused));
    EXPECT_THAT((*decode)(404, "<html>"), FailsWith(Errc::unsupported));
    EXPECT_THAT((*decode)(404, R"({"status":404,"error":"Not Found"})"),
                FailsWith(Errc::unsupported));
    EXPECT_THAT((*decode)(301, ""), FailsWith(Errc::unsupported));
  }
}

TEST(BothDoors, AnyBytesAreAnAnswerOrAnError) {
  for (const char* body :
       {"", "null", "[]", "[{}]", "0", "\"text\"", "{}", R"({"errors":{}})", R"({"errors":[1]})",
        R"({"errors":[{}]})", R"({"errors":[],"results":[1]})",
        R"({"errors":[],"results":[{"data":[{}]}]})", R"({"data":[]})", R"({"data":{"values":5}})",
        R"({"data":{"values":[1]},"transaction":7})", "\xff\xfe"}) {
    for (const int status : {200, 202, 400, 500}) {
      static_cast<void>(decode_tx_answer(status, body).has_value());
      static_cast<void>(decode_query_answer(status, body).has_value());
      static_cast<void>(decode_discovery(status, body).has_value());
    }
  }
}

TEST(QueryDoor, RowsAndTheTransactionComeBack) {
  const auto decoded = decode_query_answer(
      202,
      R"({"data":{"fields":["n.a","big"],"values":[[1,9223372036854775807],[2,null]]},"transaction":{"id":"d3bb","expires":"2026-11-25T00:13:03Z"}})");
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->transaction, "d3bb");
  ASSERT_THAT(decoded->answer.results, SizeIs(1));
  ASSERT_THAT(decoded->answer.results[0].rows, SizeIs(2));
  EXPECT_EQ(decoded->answer.results[0].rows[0][1].get<std::int64_t>(),
            std::numeric_limits<std::int64_t>::max());
}

TEST(QueryDoor, AnErrorInsideAcceptedIsAnError) {
  const auto decoded = decode_query_answer(
      202,
      R"({"data":{"fields":["1/x"],"values":[[1]]},"errors":[{"code":"Neo.ClientError.Statement.ArithmeticError","message":"/ by zero"}]})");
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(decoded->answer.error->code, "Neo.ClientError.Statement.ArithmeticError");
}

TEST(BothDoors, StatementsAreWrittenWithTheirParametersApart) {
  const Statement statement{.text = "RETURN $x",
                            .parameters = {{"x", std::numeric_limits<std::int64_t>::max()},
                                           {"d", 1.0},
                                           {"t", "quote\" \\ \U0001F600\n"}}};
  const auto text = encode_statement(statement);
  ASSERT_THAT(text, Succeeds());
  const std::string body = encode_tx_body(std::vector<std::string>{*text, *text});
  const json parsed = json::parse(body);
  EXPECT_THAT(parsed["statements"], SizeIs(2));
  EXPECT_EQ(parsed["statements"][1]["parameters"], statement.parameters);
  EXPECT_THAT(body, testing::HasSubstr("9223372036854775807"));
  EXPECT_THAT(body, testing::HasSubstr("1.0"));  // A float must not become an integer.

  const json query = json::parse(*encode_query_body(statement, Access::read));
  EXPECT_EQ(query["statement"], "RETURN $x");
  EXPECT_EQ(query["accessMode"], "READ");
  EXPECT_FALSE(json::parse(*encode_query_body(statement, std::nullopt)).contains("accessMode"));

  const Statement bad{.text = "RETURN $x", .parameters = {{"x", "\xff"}}};
  EXPECT_THAT(encode_statement(bad), FailsWith(Errc::invalid_argument));
  EXPECT_THAT(encode_query_body(bad, std::nullopt), FailsWith(Errc::invalid_argument));
}

TEST(Discovery, NamesVersionAndDoors) {
  const auto found = decode_discovery(
      200,
      R"({"bolt_routing":"neo4j://127.0.0.1:31332","query":"http://127.0.0.1:30110/db/{databaseName}/query/v2","transaction":"http://127.0.0.1:30110/db/{databaseName}/tx","bolt_direct":"bolt://127.0.0.1:31332","neo4j_version":"5.26.18","neo4j_edition":"community"})");
  ASSERT_THAT(found, Succeeds());
  EXPECT_EQ(found->version, "5.26.18");
  EXPECT_TRUE(found->has_tx);
  EXPECT_TRUE(found->has_query);
  EXPECT_THAT(decode_discovery(200, R"({"name":"elasticsearch"})"), FailsWith(Errc::unsupported));
  EXPECT_THAT(decode_discovery(200, "<html>"), FailsWith(Errc::unsupported));
  EXPECT_THAT(decode_discovery(200, ""), FailsWith(Errc::unavailable));
  EXPECT_THAT(decode_discovery(200, R"({"neo4j_ver)"), FailsWith(Errc::unavailable));
  EXPECT_THAT(decode_discovery(503, ""), FailsWith(Errc::unavailable));
}

}  // namespace
}  // namespace bb5::neo4j
