#include "services/openai/replies.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/result_matchers.hpp"

namespace bb5::openai {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* where = "http://host/v1";

HttpResponse answer(int status, const json& body) {
  return {.status = status, .body = body.dump()};
}

HttpResponse complaint(int status, const char* code, const char* words) {
  return answer(status, {{"error", {{"code", code}, {"message", words}}}});
}

HttpResponse chat(const json& message, const char* reason = "stop") {
  return answer(200, {{"choices", {{{"message", message}, {"finish_reason", reason}}}},
                      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 7}}}});
}

HttpResponse vectors(const json& data) {
  return answer(200, {{"data", data}, {"usage", {{"prompt_tokens", 5}}}});
}

TEST(ChatReply, GivesTextEndAndTokens) {
  HttpResponse response = chat({{"content", "hello"}});
  response.attempts = 3;
  const auto reply = decode_chat(response, where);
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->text, "hello");
  EXPECT_EQ(reply->finish, Finish::stop);
  EXPECT_EQ(reply->usage, (ServiceUsage{3, 11, 7}));
}

TEST(ChatReply, TellsACutAndAFilteredReply) {
  EXPECT_EQ(decode_chat(chat({{"content", "{"}}, "length"), where)->finish, Finish::cut);
  EXPECT_EQ(decode_chat(chat({{"content", nullptr}}, "content_filter"), where)->finish,
            Finish::filtered);
  EXPECT_EQ(decode_chat(chat({{"content", nullptr}, {"refusal", "I cannot"}}), where)->finish,
            Finish::filtered);
}

TEST(ChatReply, TextMayComeInParts) {
  const auto reply = decode_chat(
      chat({{"content", {{{"type", "text"}, {"text", "a"}}, {{"text", "b"}}, 7}}}), where);
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->text, "ab");
}

TEST(ChatReply, MissingAndOddTokenCountsAreNone) {
  for (const json& usage :
       {json(nullptr), json(7), json{{"prompt_tokens", "x"}}, json{{"prompt_tokens", -3}}}) {
    const auto reply = decode_chat(
        answer(200, {{"choices", {{{"message", {{"content", "x"}}}}}}, {"usage", usage}}), where);
    ASSERT_THAT(reply, Succeeds());
    EXPECT_EQ(reply->usage, (ServiceUsage{1, 0, 0})) << usage;
  }
}

TEST(ChatReply, ABodyThatBreaksOffMayBeWholeNextTime) {
  for (const char* body : {"", "  ", R"({"choices":[{"mess)"}) {
    const HttpResponse response{.status = 200, .body = body};
    EXPECT_THAT(decode_chat(response, where), FailsWith(Errc::unavailable)) << body;
    EXPECT_TRUE(worth_retrying(response)) << body;
  }
}

TEST(ChatReply, WhatIsNoAnswerOfSuchAServiceSaysSo) {
  for (const char* body : {"<html>Welcome</html>", "[]", "7", "{}", R"({"choices":[]})",
                           R"({"choices":[7]})", R"({"choices":{}})", R"({"error":"x"})"}) {
    const HttpResponse response{.status = 200, .body = body};
    const auto reply = decode_chat(response, where);
    ASSERT_THAT(reply, FailsWith(Errc::refused)) << body;
    EXPECT_THAT(reply.error().remedy, HasSubstr("OPENAI_BASE_URL"));
    EXPECT_FALSE(worth_retrying(response)) << body;
  }
}

TEST(EmbeddingReply, VectorsComeInTheOrderOfTheTexts) {
  const auto reply = decode_embeddings(
      vectors({{{"index", 1}, {"embedding", {3, 4}}}, {{"index", 0}, {"embedding", {1, 2}}}}), 2,
      where);
  ASSERT_THAT(reply, Succeeds());
  EXPECT_THAT(reply->vectors, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  EXPECT_EQ(reply->usage, (ServiceUsage{1, 5, 0}));
}

TEST(EmbeddingReply, WithoutAnIndexTheyComeAsTheyStand) {
  const auto reply =
      decode_embeddings(vectors({{{"embedding", {1}}}, {{"embedding", {2}}}}), 2, where);
  ASSERT_THAT(reply, Succeeds());
  EXPECT_THAT(reply->vectors, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST(EmbeddingReply, WhatDoesNotAnswerTheQuestionIsSaid) {
  const json good{{"index", 0}, {"embedding", {1, 2}}};
  const std::vector<std::pair<json, const char*>> cases = {
      {json::array({good}), "1 vectors for 2 texts"},
      {json::array({good, good}), "which vector is whose"},
      {json::array({good, {{"index", 2}, {"embedding", {1, 2}}}}), "which vector is whose"},
      {json::array({good, {{"index", -1}, {"embedding", {1, 2}}}}), "which vector is whose"},
      {json::array({good, {{"index", "1"}, {"embedding", {1, 2}}}}), "which vector is whose"},
      {json::array({good, {{"index", 1}, {"embedding", {1, 2, 3}}}}), "different lengths"},
      {json::array({good, {{"index", 1}, {"embedding", json::array()}}}), "finite numbers"},
      {json::array({good, {{"index", 1}, {"embedding", {1, nullptr}}}}), "finite numbers"},
      {json::array({good, {{"index", 1}, {"embedding", {1, 1e300}}}}), "finite numbers"},
      {json::array({good, {{"index", 1}, {"embedding", "AAAA"}}}), "finite numbers"},
      {json::array({good, {{"index", 1}}}), "finite numbers"},
      {json::array({good, 7}), "finite numbers"},
      {json(nullptr), "no data"},
  };
  for (const auto& [data, words] : cases) {
    const auto reply = decode_embeddings(vectors(data), 2, where);
    ASSERT_THAT(reply, FailsWith(Errc::refused)) << data;
    EXPECT_THAT(reply.error().message, HasSubstr(words)) << data;
  }
}

TEST(ServiceErrors, AKeyThatIsNotAcceptedIsRefusedAndNothingOfItRepeated) {
  for (const int status : {401, 403}) {
    const Error error =
        error_of(complaint(status, "invalid_api_key", "Incorrect key: sk-abcd"), where, "m");
    EXPECT_EQ(error.code, Errc::refused);
    EXPECT_THAT(error.remedy, HasSubstr("OPENAI_API_KEY"));
    EXPECT_THAT(error.message + error.detail, Not(HasSubstr("abcd")));
  }
}

TEST(ServiceErrors, AnUnknownModelIsNamed) {
  const Error error = error_of(complaint(404, "model_not_found", "no"), where, "gpt-9");
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_THAT(error.message, HasSubstr("gpt-9"));
}

TEST(ServiceErrors, BusyAndBrokenIsUnavailableWithTheCount) {
  for (const int status : {408, 429, 500, 502, 503, 529}) {
    HttpResponse response = complaint(status, "x", "y");
    response.attempts = 6;
    EXPECT_TRUE(worth_retrying(response));
    const Error error = error_of(response, where, "m");
    EXPECT_EQ(error.code, Errc::unavailable) << status;
    EXPECT_THAT(error.message, HasSubstr("6 attempts"));
  }
}

TEST(ServiceErrors, NoCreditLeftIsNoReasonToWait) {
  const HttpResponse response = complaint(429, "insufficient_quota", "pay");
  EXPECT_FALSE(worth_retrying(response));
  EXPECT_EQ(error_of(response, where, "m").code, Errc::refused);
}

TEST(ServiceErrors, OtherRefusalsRepeatTheServersWordsOnOneLine) {
  for (const char* body :
       {R"({"error":{"message":"bad\nthing"}})", R"({"error":"bad\nthing"})",
        R"({"message":"bad\nthing"})", R"({"detail":"bad\nthing"})", "bad\nthing"}) {
    const Error error = error_of({.status = 400, .body = body}, where, "m");
    EXPECT_EQ(error.code, Errc::refused);
    EXPECT_THAT(error.message, HasSubstr("bad thing")) << body;
  }
}

TEST(ServiceErrors, ATextThatIsTooLongIsKnownByManyNames) {
  EXPECT_TRUE(finds_too_long(complaint(400, "context_length_exceeded", "")));
  EXPECT_TRUE(finds_too_long(answer(400, {{"error", {{"type", "exceed_context_size_error"}}}})));
  EXPECT_TRUE(finds_too_long(complaint(400, "", "This model's maximum context length is 8192")));
  EXPECT_TRUE(finds_too_long({.status = 413}));
  EXPECT_FALSE(finds_too_long(complaint(400, "", "no such parameter")));
  EXPECT_FALSE(finds_too_long(complaint(500, "context_length_exceeded", "")));
}

}  // namespace
}  // namespace bb5::openai
