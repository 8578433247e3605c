#include "http/retrying_client.hpp"

#include "tests/support/fake_http_client.hpp"
#include "tests/support/result_matchers.hpp"

namespace bb5 {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Error away{Errc::unavailable, "the service cannot be reached"};

HttpResponse busy(int status, std::string header = {}, std::string value = {}) {
  HttpResponse response{.status = status};
  if (!header.empty()) response.headers.emplace_back(std::move(header), std::move(value));
  return response;
}

class RetryingClient : public testing::Test {
 protected:
  Result<HttpResponse> send(FakeHttpClient::Script script, RetryOptions options = {}) {
    auto fake = std::make_unique<FakeHttpClient>(std::move(script));
    seen_ = fake->seen();
    const auto client = new_retrying_client(std::move(fake), options, may_pass, time_.waiting());
    return client->send({.timeout = 5s});
  }
  FakeTime time_;
  std::shared_ptr<const FakeHttpClient::Seen> seen_;
};

TEST_F(RetryingClient, AGoodAnswerIsAskedForOnce) {
  const auto answer = send(answers_in_turn({HttpResponse{.status = 200, .body = "good"}}));
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->attempts, 1);
  EXPECT_THAT(time_.waits, IsEmpty());
}

TEST_F(RetryingClient, WaitsTwiceAsLongEachTimeUpToTheLongestWait) {
  const auto answer =
      send(answers_in_turn({busy(429), busy(500), busy(503), away, busy(408), busy(200)}),
           {.first_wait = 500ms, .longest_wait = 3s});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->attempts, 6);
  EXPECT_THAT(time_.waits, ElementsAre(250ms, 500ms, 1000ms, 1500ms, 1500ms));
}

TEST_F(RetryingClient, TheWholeWaitIsChance) {
  time_.share = 0;
  static_cast<void>(send(answers_in_turn({busy(500), busy(200)})).has_value());
  EXPECT_THAT(time_.waits, ElementsAre(0ms));
}

TEST_F(RetryingClient, WaitsAtLeastAsLongAsTheServerAsks) {
  const auto answer =
      send(answers_in_turn({busy(429, "retry-after", "7"), busy(429, "Retry-After-Ms", "1200"),
                            busy(503, "Retry-After", "3600"), busy(200)}),
           {.longest_wait = 20s});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(time_.waits, ElementsAre(7s, 1200ms, 20s));
}

TEST_F(RetryingClient, ADateToWaitForCountsFromTheAnswersOwn) {
  HttpResponse response = busy(503, "Retry-After", "Wed, 21 Oct 2015 07:28:09 GMT");
  EXPECT_EQ(asked_wait(response), std::nullopt);
  response.headers.emplace_back("date", "Wed, 21 Oct 2015 07:28:00 GMT");
  EXPECT_EQ(asked_wait(response), 9s);
  response.headers[0].second = "Wed, 21 Oct 2015 07:00:00 GMT";
  EXPECT_EQ(asked_wait(response), 0s);
}

TEST_F(RetryingClient, AWaitThatSaysNothingIsNone) {
  for (const char* text : {"", "soon", "-1", "nan", "7 apples"})
    EXPECT_EQ(asked_wait(busy(429, "Retry-After", text)), std::nullopt) << text;
  EXPECT_EQ(asked_wait(busy(429, "Retry-After", "1e300")), 24h);
}

TEST_F(RetryingClient, WhatWillNotPassIsNotAskedAgain) {
  for (const int status : {200, 301, 400, 401, 403, 404, 422}) {
    const auto answer = send(answers_in_turn({busy(status)}));
    ASSERT_THAT(answer, Succeeds());
    EXPECT_EQ(seen_->count(), 1U) << status;
  }
  EXPECT_THAT(send(answers_in_turn({Error{Errc::refused, "certificate"}})),
              FailsWith(Errc::refused));
  EXPECT_EQ(seen_->count(), 1U);
}

TEST_F(RetryingClient, GivesTheLastAnswerWhenTheAttemptsAreUsedUp) {
  const auto answer = send(answers_in_turn({busy(500), busy(429)}), {.attempts = 3});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->attempts, 3);

  const auto failed = send(answers_in_turn({away}), {.attempts = 3});
  ASSERT_THAT(failed, FailsWith(Errc::unavailable));
  EXPECT_THAT(failed.error().message, HasSubstr("3 attempts"));
}

TEST_F(RetryingClient, DoesNotWaitPastTheDeadlineAndGivesNoAttemptMoreTimeThanIsLeft) {
  const auto answer = send(
      [this](const HttpRequest&) -> Result<HttpResponse> {
        time_.time += 4s;
        return busy(429, "Retry-After", "3");
      },
      {.deadline = 10s});
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->attempts, 2);  // 4 s, 3 s of waiting, 3 s are left.
  EXPECT_EQ(seen_->requests[0].timeout, 5s);
  EXPECT_EQ(seen_->requests[1].timeout, 3s);
}

TEST_F(RetryingClient, AnAttemptThatTookAllTheTimeWasTheLast) {
  const auto failed = send(
      [this](const HttpRequest& request) -> Result<HttpResponse> {
        time_.time += request.timeout;
        return away;
      },
      {.first_wait = 1ms, .deadline = 400ms});  // a wait of less than a millisecond fits anywhere
  EXPECT_THAT(failed, FailsWith(Errc::unavailable));
  EXPECT_EQ(seen_->requests.size(), 1U);
}

TEST_F(RetryingClient, RealTimePassesAndRealChanceIsInRange) {
  const Waiting waiting = real_waiting();
  const auto before = waiting.now();
  waiting.sleep(2ms);
  EXPECT_GE(waiting.now() - before, 2ms);
  for (int i = 0; i < 100; ++i) {
    const double share = waiting.random();
    EXPECT_TRUE(share >= 0 && share < 1) << share;
  }
}

}  // namespace
}  // namespace bb5
