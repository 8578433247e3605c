#include "http/retrying_client.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <thread>
#include <utility>

#include <curl/curl.h>

namespace bb5 {
namespace {

using std::chrono::milliseconds;

/// A number without sign from 0 to a day's milliseconds, times `unit`.
std::optional<milliseconds> parse_wait(std::string_view text, double unit) {
  constexpr double day = 86'400'000;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number >= 0)) return {};
  return milliseconds(static_cast<std::int64_t>(std::min(number * unit, day)));
}

std::optional<milliseconds> wait_until(const std::string& date, const std::string& sent) {
  const time_t then = curl_getdate(date.c_str(), nullptr);
  const time_t from = curl_getdate(sent.c_str(), nullptr);
  if (then == -1 || from == -1) return {};
  return milliseconds(1'000 * std::clamp<std::int64_t>(then - from, 0, 86'400));
}

class RetryingClient final : public HttpClient {
 public:
  RetryingClient(std::unique_ptr<HttpClient> client, const RetryOptions& options,
                 std::function<bool(const HttpResponse&)> worth_retrying, Waiting waiting)
      : client_(std::move(client)),
        options_(options),
        worth_retrying_(std::move(worth_retrying)),
        waiting_(std::move(waiting)) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const auto deadline = waiting_.now() + options_.deadline;
    HttpRequest attempt = request;
    for (int attempts = 1;; ++attempts) {
      // Never 0: a client would take that for no limit.
      attempt.timeout = std::min(request.timeout, std::max(left_until(deadline), milliseconds{1}));
      auto answer = client_->send(attempt);
      if (!is_worth_another(answer) || attempts >= options_.attempts)
        return counted(std::move(answer), attempts);
      const auto wait = wait_after(answer, attempts);
      if (wait >= left_until(deadline)) return counted(std::move(answer), attempts);
      waiting_.sleep(wait);
    }
  }

 private:
  bool is_worth_another(const Result<HttpResponse>& answer) const {
    if (!answer) return answer.error().retryable();
    return worth_retrying_(*answer);
  }

  milliseconds left_until(std::chrono::steady_clock::time_point deadline) const {
    return std::chrono::duration_cast<milliseconds>(deadline - waiting_.now());
  }

  milliseconds wait_after(const Result<HttpResponse>& answer, int attempts) const {
    const auto doubled = options_.first_wait * (std::int64_t{1} << std::min(attempts - 1, 20));
    const auto bound = std::min(doubled, options_.longest_wait);
    const milliseconds chosen(
        static_cast<std::int64_t>(waiting_.random() * static_cast<double>(bound.count())));
    const auto asked = answer ? asked_wait(*answer) : std::nullopt;
    return std::max(chosen, std::min(asked.value_or(milliseconds{0}), options_.longest_wait));
  }

  static Result<HttpResponse> counted(Result<HttpResponse> answer, int attempts) {
    if (answer) {
      answer->attempts = attempts;
    } else if (attempts > 1) {
      answer.error().message += " (" + std::to_string(attempts) + " attempts)";
    }
    return answer;
  }

  std::unique_ptr<HttpClient> client_;
  RetryOptions options_;
  std::function<bool(const HttpResponse&)> worth_retrying_;
  Waiting waiting_;
};

}  // namespace

Waiting real_waiting() {
  return {.now = std::chrono::steady_clock::now,
          .sleep = [](milliseconds time) { std::this_thread::sleep_for(time); },
          .random =
              [] {
                thread_local std::mt19937_64 generator{std::random_device{}()};
                return std::uniform_real_distribution<double>(0, 1)(generator);
              }};
}

bool may_pass(const HttpResponse& response) {
  return response.status == 408 || response.status == 429 || response.status >= 500;
}

std::optional<milliseconds> asked_wait(const HttpResponse& response) {
  if (const auto exact = response.header("retry-after-ms")) return parse_wait(*exact, 1);
  const auto text = response.header("Retry-After");
  if (!text) return std::nullopt;
  if (const auto seconds = parse_wait(*text, 1'000)) return seconds;
  const auto sent = response.header("Date");
  return sent ? wait_until(std::string(*text), std::string(*sent)) : std::nullopt;
}

std::unique_ptr<HttpClient> new_retrying_client(
    std::unique_ptr<HttpClient> client, const RetryOptions& options,
    std::function<bool(const HttpResponse&)> worth_retrying, Waiting waiting) {
  return std::make_unique<RetryingClient>(std::move(client), options, std::move(worth_retrying),
                                          std::move(waiting));
}

}  // namespace bb5
