#include "stores/neo4j/neo4j_graph.hpp"

#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_http_server.hpp"

namespace bb5 {
namespace {

using testing::HasSubstr;

TEST(OpenNeo4jGraph, TakesGraphUrlsAndSendsNothing) {
  for (const char* url : {"neo4j+http://neo4j@127.0.0.1:7474/neo4j",
                          "neo4j+https://neo4j@db.example.org:7473/graph", "neo4j+http://localhost",
                          "neo4j+http://us%40er@localhost/", "neo4j+http://[::1]:7474/neo4j"})
    EXPECT_THAT(open_neo4j_graph({.url = url}), Succeeds()) << url;
}

TEST(OpenNeo4jGraph, RefusesOtherUrls) {
  for (const char* url :
       {"", "neo4j://localhost", "http://localhost:7474", "bolt://localhost:7687", "neo4j+http://",
        "neo4j+http://host:port/db", "neo4j+http://host/a/b", "neo4j+http://host/db?x=1",
        "neo4j+http://host/db#x", "NEO4J+HTTP://host", "neo4j+ftp://host/db"})
    EXPECT_THAT(open_neo4j_graph({.url = url}), FailsWith(Errc::invalid_argument)) << url;
}

TEST(OpenNeo4jGraph, RefusesAPasswordInTheUrlAndDoesNotRepeatIt) {
  const auto opened = open_neo4j_graph({.url = "neo4j+http://neo4j:hush@localhost:7474/neo4j"});
  ASSERT_THAT(opened, FailsWith(Errc::invalid_argument));
  EXPECT_THAT(opened.error().remedy, HasSubstr("NEO4J_PASSWORD"));
  EXPECT_THAT(opened.error().message + opened.error().remedy + opened.error().detail,
              testing::Not(HasSubstr("hush")));
}

TEST(OpenNeo4jGraph, RefusesBankNamesThatNoStoreTakes) {
  const std::vector<std::string> names = {"", "Upper", "a|b", "a b", std::string(41, 'a')};
  for (const auto& bank : names)
    EXPECT_THAT(open_neo4j_graph({.url = "neo4j+http://localhost", .bank = bank}),
                FailsWith(Errc::invalid_argument))
        << bank;
}

TEST(OpenNeo4jGraph, SpeaksToTheHostDatabaseAndUserOfItsUrl) {
  ScriptedHttpServer server([](const ServedRequest& request) {
    if (request.path == "/")
      return ScriptedReply{.body = R"({"transaction":"t","neo4j_version":"5.26.18"})"};
    return ScriptedReply{
        .status = 404,
        .body =
            R"({"errors":[{"code":"Neo.ClientError.Database.DatabaseNotFound","message":"m"}]})"};
  });
  const auto graph = open_neo4j_graph(
      {.url = "neo4j+http://some%40body@127.0.0.1:" + std::to_string(server.port()) + "/my.graph",
       .password = "pass:word"});
  ASSERT_THAT(graph, Succeeds());
  EXPECT_THAT((*graph)->graph_counts(), FailsWith(Errc::not_found));
  EXPECT_EQ(server.requests().back().path, "/db/my.graph/tx/commit");
  // some@body:pass:word
  EXPECT_THAT(server.requests().back().head,
              HasSubstr("Authorization: Basic c29tZUBib2R5OnBhc3M6d29yZA=="));
}

}  // namespace
}  // namespace bb5
