#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "http/http_client.hpp"
#include "http/retrying_client.hpp"

/// For tests: HTTP without a network, and waiting without time.
namespace bb5 {

/// Answers by a function; what it was asked stays readable behind the client that owns it.
class FakeHttpClient final : public HttpClient {
 public:
  using Script = std::function<Result<HttpResponse>(const HttpRequest&)>;
  struct Seen {
    mutable std::mutex mutex;
    std::vector<HttpRequest> requests;  // guarded by mutex
    [[nodiscard]] std::size_t count() const {
      const std::lock_guard lock(mutex);
      return requests.size();
    }
  };

  explicit FakeHttpClient(Script script) : script_(std::move(script)) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    {
      const std::lock_guard lock(seen_->mutex);
      seen_->requests.push_back(request);
    }
    return script_(request);
  }
  [[nodiscard]] std::shared_ptr<const Seen> seen() const { return seen_; }

 private:
  Script script_;
  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
};

/// The answers in this order; the last one for ever.
inline FakeHttpClient::Script answers_in_turn(std::vector<Result<HttpResponse>> answers) {
  auto left = std::make_shared<std::deque<Result<HttpResponse>>>(answers.begin(), answers.end());
  auto mutex = std::make_shared<std::mutex>();
  return [left, mutex](const HttpRequest&) {
    const std::lock_guard lock(*mutex);
    auto answer = left->front();
    if (left->size() > 1) left->pop_front();
    return answer;
  };
}

/// Time that passes only by sleeping; chance is always `share`. For one thread.
struct FakeTime {
  double share = 0.5;
  std::vector<std::chrono::milliseconds> waits = {};
  std::chrono::steady_clock::time_point time = {};

  [[nodiscard]] Waiting waiting() {
    return {.now = [this] { return time; },
            .sleep =
                [this](std::chrono::milliseconds wait) {
                  waits.push_back(wait);
                  time += wait;
                },
            .random = [this] { return share; }};
  }
};

}  // namespace bb5
