#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "http/http_client.hpp"

namespace bb5 {

struct RetryOptions {
  int attempts = 6;  ///< The first one included.
  /// Before the n-th repetition the wait is a random share of first_wait · 2ⁿ⁻¹, at most
  /// longest_wait ("full jitter": clients that failed together do not come back together).
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{30'000};  ///< Also when the server asks for more.
  std::chrono::milliseconds deadline{300'000};     ///< From the call to the last answer.
};

/// Clock, sleep and chance, so that no test waits. All safe to call from several threads at once.
struct Waiting {
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(std::chrono::milliseconds)> sleep;
  std::function<double()> random;  ///< In [0, 1).
};
[[nodiscard]] Waiting real_waiting();

/// 408, 429 and 5xx: what may be another answer in a while.
[[nodiscard]] bool may_pass(const HttpResponse& response);

/// How long the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date,
/// counted from the answer's own `Date`. Nothing: it does not say, or not clearly.
[[nodiscard]] std::optional<std::chrono::milliseconds> asked_wait(const HttpResponse& response);

/// Sends again what failed with a retryable Error or an answer that `worth_retrying` takes, until
/// another answer comes, the attempts are used up, or the next wait would pass the deadline; then
/// gives the last answer or Error. Only for requests that may be repeated.
[[nodiscard]] std::unique_ptr<HttpClient> new_retrying_client(
    std::unique_ptr<HttpClient> client, const RetryOptions& options,
    std::function<bool(const HttpResponse&)> worth_retrying = may_pass,
    Waiting waiting = real_waiting());

}  // namespace bb5
