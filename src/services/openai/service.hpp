#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "http/http_client.hpp"
#include "http/retrying_client.hpp"
#include "services/openai/replies.hpp"
#include "services/openai/service_settings.hpp"

namespace bb5::openai {

struct Message {
  std::string role;  ///< `system`, `user`, `assistant`
  std::string text;  ///< UTF-8.
};

struct ChatRequest {
  std::string model;
  std::vector<Message> messages;  ///< Must say "JSON" somewhere; services insist on it.
  std::string schema_name;        ///< The reply's shape: a name for it…
  nlohmann::json schema;          ///< …and a JSON schema in the strict subset.
};

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> texts;         ///< None empty.
  std::optional<std::size_t> dimensions;  ///< Sent only when asked for: not every model takes it.
};

struct ServiceOptions {
  ServiceSettings settings;
  std::chrono::milliseconds connect_timeout{5'000};
  std::size_t connections = 8;
  RetryOptions retry;
};

/// An OpenAI-compatible service. What it turns out not to understand (a JSON schema, JSON mode, a
/// temperature) is left out from then on. Safe to call from several threads at once.
class Service {
 public:
  /// `client` does the repeating. `secret` is blotted out wherever an error repeats it.
  Service(std::unique_ptr<HttpClient> client, std::string where, std::string secret = {})
      : client_(std::move(client)), where_(std::move(where)), secret_(std::move(secret)) {}

  /// Temperature 0. A text that is too long for the model counts as a reply that was cut.
  /// Errors: unavailable, refused.
  Result<ChatReply> chat(const ChatRequest& request);

  /// One request for all texts: the caller keeps to the service's bounds.
  /// Errors: unavailable, refused; invalid_argument (a text is too long for the model).
  Result<EmbeddingReply> embed(const EmbeddingRequest& request);

  [[nodiscard]] const std::string& where() const { return where_; }
  /// All that was asked of it so far, failures included.
  [[nodiscard]] ServiceUsage usage() const;

 private:
  /// How a reply's shape is asked for, best first.
  enum class Format : unsigned char { schema, object, words };

  Result<HttpResponse> post(const char* path, const nlohmann::json& body,
                            std::chrono::milliseconds timeout);
  [[nodiscard]] nlohmann::json chat_body(const ChatRequest& request, Format format,
                                         bool with_temperature) const;
  /// True when the answer taught us to ask in another way.
  bool learn(const HttpResponse& response, Format format, bool with_temperature);
  void count_calls(int calls);
  void count_tokens(const ServiceUsage& reply);
  [[nodiscard]] Error without_secret(Error error) const;

  std::unique_ptr<HttpClient> client_;
  std::string where_;
  std::string secret_;
  std::atomic<Format> format_ = Format::schema;
  std::atomic<bool> knows_temperature_ = true;
  mutable std::mutex mutex_;
  ServiceUsage usage_;  // guarded by mutex_
};

/// Over libcurl with retries. No request is made yet.
[[nodiscard]] std::unique_ptr<Service> open_service(const ServiceOptions& options);

}  // namespace bb5::openai
