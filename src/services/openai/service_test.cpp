#include "services/openai/service.hpp"

#include "tests/support/fake_http_client.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_http_server.hpp"

namespace bb5::openai {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Fault = ScriptedReply::Fault;

constexpr const char* key = "sk-secret-of-the-test";
const std::string good_chat =
    R"({"choices":[{"message":{"content":"{}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}})";

ChatRequest question() {
  return {.model = "m",
          .messages = {{"system", "Answer in JSON."}, {"user", "text"}},
          .schema_name = "shape",
          .schema = {{"type", "object"}}};
}

HttpResponse answer(int status, std::string body) {
  return {.status = status, .body = std::move(body)};
}

/// Refuses what `knows` does not hold, by name.
FakeHttpClient::Script server_that_knows(std::vector<std::string> knows) {
  return [knows = std::move(knows)](const HttpRequest& request) -> Result<HttpResponse> {
    for (const char* word : {"json_schema", "json_object", "temperature"}) {
      if (request.body.find(word) == std::string::npos) continue;
      if (std::find(knows.begin(), knows.end(), word) == knows.end())
        return answer(400, std::string(R"({"error":{"message":"unknown )") + word + "\"}}");
    }
    return answer(200, good_chat);
  };
}

struct Asked {
  explicit Asked(FakeHttpClient::Script script) {
    auto fake = std::make_unique<FakeHttpClient>(std::move(script));
    seen = fake->seen();
    service = std::make_unique<Service>(std::move(fake), "http://host/v1", key);
  }
  json body(std::size_t at) const { return json::parse(seen->requests.at(at).body); }
  std::shared_ptr<const FakeHttpClient::Seen> seen;
  std::unique_ptr<Service> service;
};

TEST(OpenAiService, AsksForTheSchemaAtTemperatureZero) {
  Asked asked(answers_in_turn({answer(200, good_chat)}));
  const auto reply = asked.service->chat(question());
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->usage, (ServiceUsage{1, 3, 2}));
  const json body = asked.body(0);
  EXPECT_EQ(asked.seen->requests[0].path, "/chat/completions");
  EXPECT_EQ(body["temperature"], 0);
  EXPECT_EQ(body["response_format"]["type"], "json_schema");
  EXPECT_EQ(body["response_format"]["json_schema"]["strict"], true);
  EXPECT_EQ(body["response_format"]["json_schema"]["schema"], question().schema);
  EXPECT_EQ(body["messages"][1]["content"], "text");
}

TEST(OpenAiService, CountsAllThatWasAskedOfIt) {
  Asked asked(answers_in_turn({answer(200, good_chat), answer(500, "{}"), answer(200, good_chat)}));
  ASSERT_THAT(asked.service->chat(question()), Succeeds());
  ASSERT_THAT(asked.service->chat(question()), FailsWith(Errc::unavailable));
  ASSERT_THAT(asked.service->chat(question()), Succeeds());
  EXPECT_EQ(asked.service->usage(), (ServiceUsage{3, 6, 4}));
}

TEST(OpenAiService, LearnsWhatAServerDoesNotKnowAndRemembersIt) {
  Asked asked(server_that_knows({"json_object", "temperature"}));
  const auto first = asked.service->chat(question());
  ASSERT_THAT(first, Succeeds());
  EXPECT_EQ(first->usage.calls, 2);
  ASSERT_THAT(asked.service->chat(question()), Succeeds());
  EXPECT_EQ(asked.seen->count(), 3U);
  EXPECT_EQ(asked.body(2)["response_format"]["type"], "json_object");
}

TEST(OpenAiService, DoesWithoutAnyOfIt) {
  Asked asked(server_that_knows({}));
  ASSERT_THAT(asked.service->chat(question()), Succeeds());
  ASSERT_THAT(asked.service->chat(question()), Succeeds());
  EXPECT_EQ(asked.seen->count(), 5U);
  EXPECT_FALSE(asked.body(4).contains("response_format"));
  EXPECT_FALSE(asked.body(4).contains("temperature"));
}

TEST(OpenAiService, DoesNotAskForEver) {
  Asked asked(
      answers_in_turn({answer(400, R"({"error":{"message":"json_schema and temperature"}})")}));
  EXPECT_THAT(asked.service->chat(question()), FailsWith(Errc::refused));
  EXPECT_EQ(asked.seen->count(), 4U);
}

TEST(OpenAiService, ATextThatIsTooLongCountsAsAReplyThatWasCut) {
  Asked asked(answers_in_turn({answer(400, R"({"error":{"code":"context_length_exceeded"}})")}));
  const auto reply = asked.service->chat(question());
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->finish, Finish::cut);
}

TEST(OpenAiService, ATextThatTheServiceWillNotReadIsFiltered) {
  Asked asked(answers_in_turn({answer(400, R"({"error":{"code":"content_filter"}})")}));
  const auto reply = asked.service->chat(question());
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->finish, Finish::filtered);
}

TEST(OpenAiService, BytesThatAreNoUtf8AreSentAsReplacementCharacters) {
  Asked asked(answers_in_turn({answer(200, good_chat)}));
  ChatRequest request = question();
  request.messages[1].text = "a\xff";
  ASSERT_THAT(asked.service->chat(request), Succeeds());
  EXPECT_EQ(asked.body(0)["messages"][1]["content"], "a\xEF\xBF\xBD");
}

TEST(OpenAiService, SendsDimensionsOnlyWhenAskedFor) {
  Asked asked(answers_in_turn({answer(200, R"({"data":[{"index":0,"embedding":[1,2]}]})")}));
  ASSERT_THAT(asked.service->embed({.model = "e", .texts = {"t"}}), Succeeds());
  ASSERT_THAT(asked.service->embed({.model = "e", .texts = {"t"}, .dimensions = 2}), Succeeds());
  EXPECT_EQ(asked.seen->requests[0].path, "/embeddings");
  EXPECT_EQ(asked.body(0), (json{{"model", "e"}, {"input", {"t"}}}));
  EXPECT_EQ(asked.body(1)["dimensions"], 2);
}

TEST(OpenAiService, NoErrorRepeatsTheKey) {
  const std::string echo = std::string(R"({"error":{"message":"you sent )") + key + "\"}}";
  for (const int status : {400, 401, 404, 429, 500}) {
    Asked asked(answers_in_turn({answer(status, echo)}));
    const auto chat = asked.service->chat(question());
    const auto embedding = asked.service->embed({.model = "e", .texts = {"t"}});
    ASSERT_FALSE(chat.has_value());
    ASSERT_FALSE(embedding.has_value());
    for (const Error& error : {chat.error(), embedding.error()})
      EXPECT_THAT(error.message + error.remedy + error.detail, Not(HasSubstr(key))) << status;
  }
}

// Over sockets, with the real client.

std::unique_ptr<Service> service_at(const ScriptedHttpServer& server) {
  return open_service({.settings = {.base_url = server.base_url(), .api_key = key},
                       .retry = {.attempts = 4, .first_wait = 1ms}});
}

TEST(OpenAiServiceOverSockets, SurvivesRateLimitsErrorsAndCutConnections) {
  std::atomic<int> calls = 0;
  ScriptedHttpServer server([&calls](const ServedRequest&) -> ScriptedReply {
    switch (++calls) {
      case 1:
        return {.status = 429, .headers = {"Retry-After-Ms: 5"}};
      case 2:
        return {.status = 500, .body = "oops"};
      case 3:
        return {.body = good_chat.substr(0, 20), .fault = Fault::cut_body};
      default:
        return {.body = good_chat};
    }
  });
  const auto reply = service_at(server)->chat(question());
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->usage.calls, 4);
  EXPECT_THAT(server.requests()[0].head, HasSubstr(std::string("Authorization: Bearer ") + key));
}

TEST(OpenAiServiceOverSockets, AServerThatIsAwayIsUnavailable) {
  ScriptedHttpServer server(
      [](const ServedRequest&) -> ScriptedReply { return {.fault = Fault::close_before}; });
  const auto reply = service_at(server)->chat(question());
  ASSERT_THAT(reply, FailsWith(Errc::unavailable));
  EXPECT_THAT(reply.error().message, HasSubstr("4 attempts"));
  EXPECT_EQ(server.requests().size(), 4U);
}

}  // namespace
}  // namespace bb5::openai
