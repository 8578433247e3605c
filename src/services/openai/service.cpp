#include "services/openai/service.hpp"

#include <utility>

namespace bb5::openai {
namespace {

using nlohmann::json;

/// A model may think for minutes; vectors come at once.
constexpr std::chrono::milliseconds chat_timeout{180'000};
constexpr std::chrono::milliseconds embedding_timeout{60'000};
/// 2,048 vectors of 4,096 numbers as text are about 100 MB.
constexpr std::size_t longest_answer_bytes = std::size_t{256} << 20;

void blot_out(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "…");
}

}  // namespace

Result<HttpResponse> Service::post(const char* path, const json& body,
                                   std::chrono::milliseconds timeout) {
  auto response = client_->send(
      {.path = path,
       .headers = {"Content-Type: application/json", "Accept: application/json"},
       .body = body.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace),
       .timeout = timeout});
  count_calls(response ? response->attempts : 1);
  return response;
}

json Service::chat_body(const ChatRequest& request, Format format, bool with_temperature) const {
  json body{{"model", request.model}, {"messages", json::array()}};
  for (const Message& message : request.messages)
    body["messages"].push_back({{"role", message.role}, {"content", message.text}});
  if (with_temperature) body["temperature"] = 0;
  if (format == Format::schema)
    body["response_format"] = {
        {"type", "json_schema"},
        {"json_schema",
         {{"name", request.schema_name}, {"strict", true}, {"schema", request.schema}}}};
  if (format == Format::object) body["response_format"] = {{"type", "json_object"}};
  return body;
}

bool Service::learn(const HttpResponse& response, Format format, bool with_temperature) {
  if (rejects_format(response) && format != Format::words) {
    format_.compare_exchange_strong(format,
                                    format == Format::schema ? Format::object : Format::words);
    return true;
  }
  if (rejects_temperature(response) && with_temperature) {
    knows_temperature_ = false;
    return true;
  }
  return false;
}

Result<ChatReply> Service::chat(const ChatRequest& request) {
  int calls = 0;
  while (true) {
    const Format format = format_;
    const bool with_temperature = knows_temperature_;
    const auto response =
        post("/chat/completions", chat_body(request, format, with_temperature), chat_timeout);
    if (!response) return without_secret(response.error());
    calls += response->attempts;
    if (response->status == 200) {
      auto reply = decode_chat(*response, where_);
      if (!reply) return without_secret(std::move(reply).error());
      count_tokens(reply->usage);
      reply->usage.calls = calls;
      return reply;
    }
    if (finds_too_long(*response))
      return ChatReply{.text = {}, .finish = Finish::cut, .usage = {.calls = calls}};
    if (is_filtered(*response))
      return ChatReply{.text = {}, .finish = Finish::filtered, .usage = {.calls = calls}};
    if (!learn(*response, format, with_temperature))
      return without_secret(error_of(*response, where_, request.model));
  }
}

Result<EmbeddingReply> Service::embed(const EmbeddingRequest& request) {
  json body{{"model", request.model}, {"input", request.texts}};
  if (request.dimensions) body["dimensions"] = *request.dimensions;
  const auto response = post("/embeddings", body, embedding_timeout);
  if (!response) return without_secret(response.error());
  if (finds_too_long(*response))
    return Error{.code = Errc::invalid_argument,
                 .message = "a text is too long for " + request.model,
                 .remedy = "cut it, or use a model that takes longer ones",
                 .detail = complaint_of(*response).words};
  if (response->status != 200) return without_secret(error_of(*response, where_, request.model));
  auto reply = decode_embeddings(*response, request.texts.size(), where_);
  if (!reply) return without_secret(std::move(reply).error());
  count_tokens(reply->usage);
  return reply;
}

ServiceUsage Service::usage() const {
  const std::lock_guard lock(mutex_);
  return usage_;
}

void Service::count_calls(int calls) {
  const std::lock_guard lock(mutex_);
  usage_.calls += calls;
}

void Service::count_tokens(const ServiceUsage& reply) {
  const std::lock_guard lock(mutex_);
  usage_.prompt_tokens += reply.prompt_tokens;
  usage_.completion_tokens += reply.completion_tokens;
}

Error Service::without_secret(Error error) const {
  blot_out(error.message, secret_);
  blot_out(error.detail, secret_);
  return error;
}

std::unique_ptr<Service> open_service(const ServiceOptions& options) {
  const ServiceSettings& settings = options.settings;
  auto client = new_http_client({.service = "the model service",
                                 .base_url = settings.base_url,
                                 .bearer = settings.api_key,
                                 .ca_file = settings.ca_file,
                                 .connect_timeout = options.connect_timeout,
                                 .connections = options.connections,
                                 .longest_answer_bytes = longest_answer_bytes});
  return std::make_unique<Service>(
      new_retrying_client(std::move(client), options.retry, worth_retrying), settings.base_url,
      settings.api_key);
}

}  // namespace bb5::openai
