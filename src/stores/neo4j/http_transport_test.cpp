#include "stores/neo4j/http_transport.hpp"

#include <atomic>
#include <thread>

#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_http_server.hpp"

namespace bb5::neo4j {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using Door = Neo4jOptions::Door;
using Fault = ScriptedReply::Fault;

constexpr const char* discovery =
    R"({"query":"http://h/db/{databaseName}/query/v2","transaction":"http://h/db/{databaseName}/tx","neo4j_version":"5.26.18"})";

std::string tx_result(int results, const std::string& transaction = {}) {
  json body{{"results", json::array()}, {"errors", json::array()}};
  for (int i = 0; i < results; ++i)
    body["results"].push_back(
        {{"columns", {"n"}},
         {"data", {{{"row", json::array({i})}, {"meta", json::array({nullptr})}}}}});
  if (!transaction.empty()) {
    body["commit"] = "http://elsewhere:1/db/neo4j/tx/" + transaction + "/commit";
    body["transaction"] = {{"expires", "soon"}};
  }
  return body.dump();
}

std::string query_result(const std::string& transaction = {}) {
  json body{{"data", {{"fields", {"n"}}, {"values", {{7}}}}}};
  if (!transaction.empty()) body["transaction"] = {{"id", transaction}};
  return body.dump();
}

std::string error_body(const std::string& code) {
  return json{{"errors", {{{"code", code}, {"message", "m"}}}}}.dump();
}

std::unique_ptr<GraphTransport> transport_to(const ScriptedHttpServer& server,
                                             HttpTransportOptions options = {}) {
  options.read_timeout = 300ms;
  options.write_timeout = 300ms;
  return new_http_transport(new_http_client({.base_url = server.base_url(),
                                             .user = "someone",
                                             .password = "secret",
                                             .connect_timeout = 300ms,
                                             .connections = 2}),
                            options);
}

std::vector<std::string> paths(const ScriptedHttpServer& server) {
  std::vector<std::string> all;
  for (const auto& request : server.requests()) all.push_back(request.method + " " + request.path);
  return all;
}

std::vector<Statement> statements(std::size_t count) {
  return std::vector<Statement>(count, {.text = "RETURN 1"});
}

TEST(HttpTransport, AsksOnceWhichDoorIsOpenAndTakesTheFastOne) {
  ScriptedHttpServer server([](const ServedRequest& request) -> ScriptedReply {
    if (request.path == "/") return {.body = discovery};
    return {.body = tx_result(static_cast<int>(json::parse(request.body)["statements"].size()))};
  });
  const auto transport = transport_to(server);
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport->run(statements(2), Access::read);
    ASSERT_THAT(answer, Succeeds());
    EXPECT_THAT(answer->results, SizeIs(2));
  }
  EXPECT_THAT(paths(server), ElementsAre("GET /", "POST /db/neo4j/tx/commit",
                                         "POST /db/neo4j/tx/commit", "POST /db/neo4j/tx/commit"));
  EXPECT_EQ(server.connections(), 1);  // Kept alive.
  const auto requests = server.requests();
  EXPECT_THAT(requests[1].head, HasSubstr("Authorization: Basic c29tZW9uZTpzZWNyZXQ="));
  EXPECT_THAT(requests[1].head, HasSubstr("Access-Mode: READ"));
  EXPECT_THAT(requests[1].head, Not(HasSubstr("Expect:")));
}

TEST(HttpTransport, TakesTheOtherDoorWhereTheFastOneIsShut) {
  for (const bool documented : {true, false}) {
    ScriptedHttpServer server([documented](const ServedRequest& request) -> ScriptedReply {
      if (request.path == "/")
        return {.body = documented ? discovery : R"({"query":"q","neo4j_version":"2026.01.0"})"};
      if (request.path.ends_with("/tx/commit"))
        return {.status = 404, .body = error_body("Neo.ClientError.Request.Invalid")};
      return {.status = 202, .body = query_result()};
    });
    const auto transport = transport_to(server);
    const auto answer = transport->run(statements(1), Access::write);
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->results[0].rows[0][0], 7);
    EXPECT_EQ(server.requests().back().path, "/db/neo4j/query/v2");
    EXPECT_EQ(json::parse(server.requests().back().body)["accessMode"], "WRITE");
  }
}

TEST(HttpTransport, AWrongPasswordIsNoReasonToTryTheOtherDoor) {
  ScriptedHttpServer server([](const ServedRequest& request) -> ScriptedReply {
    if (request.path == "/") return {.body = discovery};
    return {.status = 401, .body = error_body("Neo.ClientError.Security.Unauthorized")};
  });
  const auto answer = transport_to(server)->run(statements(1), Access::read);
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->error->code, "Neo.ClientError.Security.Unauthorized");
  EXPECT_THAT(paths(server), ElementsAre("GET /", "POST /db/neo4j/tx/commit"));
}

TEST(HttpTransport, AServerThatIsNoNeo4jIsSaidSo) {
  ScriptedHttpServer server([](const ServedRequest&) -> ScriptedReply {
    return {.status = 200, .body = "<html>Welcome to nginx!</html>"};
  });
  EXPECT_THAT(transport_to(server)->run(statements(1), Access::read), FailsWith(Errc::unsupported));
}

TEST(HttpTransport, ASecondServerAtTheSameAddressIsAskedAnew) {
  std::atomic<bool> second = false;
  ScriptedHttpServer server([&second](const ServedRequest& request) -> ScriptedReply {
    if (request.path == "/")
      return {.body = second ? R"({"query":"q","neo4j_version":"2026.01.0"})" : discovery};
    if (request.path.ends_with("/tx/commit"))
      return second ? ScriptedReply{.status = 404, .body = "gone"}
                    : ScriptedReply{.body = tx_result(1)};
    return {.status = 202, .body = query_result()};
  });
  const auto transport = transport_to(server);
  EXPECT_THAT(transport->run(statements(1), Access::read), Succeeds());
  second = true;
  EXPECT_THAT(transport->run(statements(1), Access::read), FailsWith(Errc::unsupported));
  EXPECT_THAT(transport->run(statements(1), Access::read), Succeeds());
}

TEST(HttpTransport, ALongListIsOneTransactionInSeveralRequests) {
  std::vector<std::size_t> sizes;
  ScriptedHttpServer server([&sizes](const ServedRequest& request) -> ScriptedReply {
    const std::size_t size = json::parse(request.body)["statements"].size();
    sizes.push_back(size);
    const bool last = request.path.ends_with("/commit");
    return {.status = 201, .body = tx_result(static_cast<int>(size), last ? "" : "42")};
  });
  HttpTransportOptions options{.door = Door::tx_commit};
  options.longest_request_bytes = 150;
  const auto answer = transport_to(server, options)->run(statements(7), Access::write);
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->results, SizeIs(7));
  EXPECT_THAT(paths(server), ElementsAre("POST /db/neo4j/tx", "POST /db/neo4j/tx/42",
                                         "POST /db/neo4j/tx/42/commit"));
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
}

TEST(HttpTransport, TheQueryDoorOpensATransactionForSeveralStatements) {
  ScriptedHttpServer server([](const ServedRequest& request) -> ScriptedReply {
    return {.status = 202, .body = query_result(request.path.ends_with("/commit") ? "" : "d3bb")};
  });
  const auto transport = transport_to(server, {.door = Door::query_v2});
  const auto answer = transport->run(statements(3), Access::write);
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->results, SizeIs(3));
  EXPECT_THAT(paths(server),
              ElementsAre("POST /db/neo4j/query/v2/tx", "POST /db/neo4j/query/v2/tx/d3bb",
                          "POST /db/neo4j/query/v2/tx/d3bb/commit"));
}

TEST(HttpTransport, AnErrorInTheMiddleEndsTheTransaction) {
  for (const Door door : {Door::tx_commit, Door::query_v2}) {
    std::atomic<int> calls = 0;
    ScriptedHttpServer server([&calls, door](const ServedRequest&) -> ScriptedReply {
      if (++calls == 2)
        return {.status = 200,
                .body = error_body("Neo.TransientError.Transaction.DeadlockDetected")};
      return {.status = 201,
              .body = door == Door::tx_commit ? tx_result(1, "9") : query_result("9")};
    });
    HttpTransportOptions options{.door = door};
    options.longest_request_bytes = 1;
    const auto answer = transport_to(server, options)->run(statements(3), Access::write);
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(answer->error->code, "Neo.TransientError.Transaction.DeadlockDetected");
    EXPECT_EQ(calls, 2);
  }
}

TEST(HttpTransport, AnOpenTransactionThatIsCutOffIsRolledBack) {
  for (const Door door : {Door::tx_commit, Door::query_v2}) {
    std::atomic<int> calls = 0;
    ScriptedHttpServer server([&calls, door](const ServedRequest& request) -> ScriptedReply {
      if (request.method == "DELETE") return {.body = tx_result(0)};
      if (++calls >= 2) return {.body = "x", .fault = Fault::cut_body};
      return {.status = 201,
              .body = door == Door::tx_commit ? tx_result(1, "9") : query_result("9")};
    });
    HttpTransportOptions options{.door = door};
    options.longest_request_bytes = 1;
    EXPECT_THAT(transport_to(server, options)->run(statements(3), Access::write),
                FailsWith(Errc::unavailable));
    EXPECT_EQ(server.requests().back().method, "DELETE");
    EXPECT_THAT(server.requests().back().path, HasSubstr("/tx/9"));
  }
}

TEST(HttpTransport, ATransactionThatIdledAwayIsNamedAlikeByBothDoors) {
  std::atomic<int> calls = 0;
  ScriptedHttpServer server([&calls](const ServedRequest&) -> ScriptedReply {
    if (++calls == 2) return {.status = 404, .body = error_body("Neo.ClientError.Request.Invalid")};
    return {.status = 202, .body = query_result("9")};
  });
  const auto answer =
      transport_to(server, {.door = Door::query_v2})->run(statements(2), Access::write);
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->error->code, "Neo.ClientError.Transaction.TransactionNotFound");
}

TEST(HttpTransport, EveryWayToLoseAServerIsUnavailable) {
  for (const Fault fault :
       {Fault::close_before, Fault::cut_head, Fault::cut_body, Fault::hang, Fault::garbage}) {
    ScriptedHttpServer server([fault](const ServedRequest&) -> ScriptedReply {
      return {.body = tx_result(1), .fault = fault};
    });
    for (const Door door : {Door::probe, Door::tx_commit, Door::query_v2}) {
      const auto answer = transport_to(server, {.door = door})->run(statements(1), Access::write);
      EXPECT_THAT(answer, FailsWith(Errc::unavailable)) << static_cast<int>(fault);
    }
  }
  std::string nobody;
  {
    ScriptedHttpServer server([](const ServedRequest&) { return ScriptedReply{}; });
    nobody = server.base_url();
  }
  const auto transport = new_http_transport(new_http_client({.base_url = nobody}), {});
  const auto answer = transport->run(statements(1), Access::read);
  ASSERT_THAT(answer, FailsWith(Errc::unavailable));
  EXPECT_THAT(answer.error().message, HasSubstr(nobody));
  EXPECT_THAT(
      new_http_transport(new_http_client({.base_url = "http://no.such.host.invalid:7474"}), {})
          ->run(statements(1), Access::read),
      FailsWith(Errc::unavailable));
}

TEST(HttpTransport, AnAnswerWithTooFewResultsWasCutOff) {
  ScriptedHttpServer server(
      [](const ServedRequest&) -> ScriptedReply { return {.body = tx_result(1)}; });
  EXPECT_THAT(transport_to(server, {.door = Door::tx_commit})->run(statements(2), Access::write),
              FailsWith(Errc::unavailable));
}

TEST(HttpTransport, AConnectionThatTheServerClosedMeanwhileIsReplaced) {
  ScriptedHttpServer server([](const ServedRequest&) -> ScriptedReply {
    return {.body = tx_result(1), .fault = Fault::close_after};
  });
  const auto transport = transport_to(server, {.door = Door::tx_commit});
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(transport->run(statements(1), Access::write), Succeeds());
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(server.connections(), 5);
}

TEST(HttpTransport, ChunkedAnswersAreRead) {
  ScriptedHttpServer server([](const ServedRequest&) -> ScriptedReply {
    return {.body = tx_result(3), .fault = Fault::chunked};
  });
  const auto answer =
      transport_to(server, {.door = Door::tx_commit})->run(statements(3), Access::read);
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->results[2].rows[0][0], 2);
}

TEST(HttpTransport, AnAnswerBeyondAllMeasureIsRefused) {
  ScriptedHttpServer server(
      [](const ServedRequest&) -> ScriptedReply { return {.body = std::string(100'000, ' ')}; });
  const auto transport = new_http_transport(
      new_http_client({.base_url = server.base_url(), .longest_answer_bytes = 1'000}),
      {.door = Door::tx_commit});
  EXPECT_THAT(transport->run(statements(1), Access::read), FailsWith(Errc::internal));
}

TEST(HttpTransport, NoMoreConnectionsThanAllowedAndNobodyWaitsForEver) {
  ScriptedHttpServer server([](const ServedRequest&) -> ScriptedReply {
    std::this_thread::sleep_for(20ms);
    return {.body = tx_result(1)};
  });
  const auto transport = transport_to(server, {.door = Door::tx_commit});
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      if (transport->run(statements(1), Access::read)) ++good;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_LE(server.connections(), 2);

  ScriptedHttpServer stuck(
      [](const ServedRequest&) { return ScriptedReply{.fault = Fault::hang}; });
  const auto waiting = transport_to(stuck, {.door = Door::tx_commit});
  std::atomic<int> failed = 0;
  threads.clear();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      const auto answer = waiting->run(statements(1), Access::read);
      if (!answer && answer.error().code == Errc::unavailable) ++failed;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 6);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
}

TEST(HttpTransport, ADatabasesNameIsOnePartOfThePath) {
  ScriptedHttpServer server(
      [](const ServedRequest&) -> ScriptedReply { return {.body = tx_result(1)}; });
  EXPECT_THAT(transport_to(server, {.database = "my db/../x?", .door = Door::tx_commit})
                  ->run(statements(1), Access::read),
              Succeeds());
  EXPECT_EQ(server.requests()[0].path, "/db/my%20db%2F..%2Fx%3F/tx/commit");
}

}  // namespace
}  // namespace bb5::neo4j
