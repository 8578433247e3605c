#include "http/http_client.hpp"

#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_http_server.hpp"

namespace bb5 {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Fault = ScriptedReply::Fault;

constexpr const char* key = "sk-secret-of-the-test";

std::unique_ptr<HttpClient> client_of(const ScriptedHttpServer& server) {
  return new_http_client({.service = "the model service",
                          .base_url = server.base_url() + "/v1",
                          .bearer = key,
                          .longest_answer_bytes = 10'000});
}

TEST(HttpClient, SendsMethodPathHeadersBodyAndKey) {
  ScriptedHttpServer server([](const ServedRequest&) { return ScriptedReply{.body = "{}"}; });
  const auto client = client_of(server);
  ASSERT_THAT(client->send({.path = "/models", .headers = {"X-Test: yes"}, .body = "hello"}),
              Succeeds());
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/models");
  EXPECT_EQ(request.body, "hello");
  EXPECT_THAT(request.head, HasSubstr("X-Test: yes"));
  EXPECT_THAT(request.head, HasSubstr(std::string("Authorization: Bearer ") + key));
}

TEST(HttpClient, WithoutAKeyItSendsNone) {
  ScriptedHttpServer server([](const ServedRequest&) { return ScriptedReply{.body = "{}"}; });
  ASSERT_THAT(new_http_client({.base_url = server.base_url()})->send({.path = "/"}), Succeeds());
  EXPECT_THAT(server.requests().at(0).head, Not(HasSubstr("Authorization")));
}

TEST(HttpClient, GivesStatusAndHeadersInAnyCase) {
  ScriptedHttpServer server([](const ServedRequest&) {
    return ScriptedReply{.status = 429, .body = "slow down", .headers = {"Retry-After:  7 "}};
  });
  const auto answer = client_of(server)->send({.path = "/"});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->body, "slow down");
  EXPECT_EQ(answer->header("retry-after"), "7");
  EXPECT_EQ(answer->header("x-other"), std::nullopt);
}

TEST(HttpClient, ARedirectIsAnAnswerAndTheKeyGoesNowhereElse) {
  ScriptedHttpServer other([](const ServedRequest&) { return ScriptedReply{}; });
  ScriptedHttpServer server([&other](const ServedRequest&) {
    return ScriptedReply{.status = 307, .headers = {"Location: " + other.base_url() + "/"}};
  });
  const auto answer = client_of(server)->send({.path = "/"});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->status, 307);
  EXPECT_TRUE(other.requests().empty());
}

TEST(HttpClient, NoFailureRepeatsTheKeyAndAllNameTheService) {
  for (const Fault fault : {Fault::close_before, Fault::cut_head, Fault::cut_body, Fault::hang,
                            Fault::garbage, Fault::slow}) {
    ScriptedHttpServer server([fault](const ServedRequest&) {
      return ScriptedReply{.body = std::string(100, 'x'), .fault = fault};
    });
    const auto answer = client_of(server)->send({.path = "/", .timeout = 200ms});
    ASSERT_THAT(answer, FailsWith(Errc::unavailable)) << static_cast<int>(fault);
    const Error& error = answer.error();
    EXPECT_THAT(error.message, HasSubstr("the model service at " + server.base_url()));
    EXPECT_THAT(error.message + error.remedy + error.detail, Not(HasSubstr(key)));
  }
}

TEST(HttpClient, AnAnswerLongerThanAllowedIsNotKept) {
  ScriptedHttpServer server(
      [](const ServedRequest&) { return ScriptedReply{.body = std::string(20'000, 'x')}; });
  EXPECT_THAT(client_of(server)->send({.path = "/"}), FailsWith(Errc::internal));
}

}  // namespace
}  // namespace bb5
